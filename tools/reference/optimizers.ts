// Optimizers and learning rates: the parameter after each of a few steps with given gradients, and rates by step.

import { flagOf, numberOf, numbersOf, type ReferenceCase } from "./case.ts";
import { float, missing, type Program, type Recipe, typeText } from "./program.ts";

const betas = (c: ReferenceCase): string => {
  const [first, second] = numbersOf(c, "betas", 0, 0);
  return `beta1: ${float(first ?? 0.9)}, beta2: ${float(second ?? 0.999)}`;
};

/** A model whose gradient is what the case gives: the loss is the sum of parameter · gradient. Decay is part of the loss. */
function steps(c: ReferenceCase, optimizer: string, decayInLoss = 0, declarations = ""): Program {
  const parameter = c.inputs.p0;
  const gradients = c.inputs.grads;
  if (!parameter || !gradients) return missing("the case has no p0 and grads");
  const size = parameter.data.length;
  const decay = decayInLoss > 0 ? ` + ${decayInLoss / 2} * sum(p * p)` : "";
  return {
    kind: "trajectory",
    declarations,
    inputs: { g: typeText(parameter) },
    body: `param p: ${typeText(parameter)} ~ zeros`,
    loss: `sum(p * g)${decay}`,
    optimizer,
    weights: { p: { tensor: "p0" } },
    steps: gradients.shape[0] ?? 0,
    feed: (step) => ({ g: { ...parameter, data: gradients.data.slice(step * size, (step + 1) * size) } }),
    record: { params: { kind: "parameter", name: "p" } },
  };
}

const lr = (c: ReferenceCase): string => `lr: ${float(numberOf(c, "lr", 0.01))}`;
const epsilon = (c: ReferenceCase): string => `epsilon: ${float(numberOf(c, "eps", 1e-8))}`;
const decayOf = (c: ReferenceCase): number => numberOf(c, "weight_decay", 0);

function sgd(c: ReferenceCase): Program {
  if (numberOf(c, "dampening", 0) !== 0) return missing("the library's sgd has no dampening");
  const nesterov = flagOf(c, "nesterov", false) ? ", nesterov: true" : "";
  return steps(c, `sgd(${lr(c)}, momentum: ${float(numberOf(c, "momentum", 0))}${nesterov})`, decayOf(c));
}

function adam(c: ReferenceCase): Program {
  if (flagOf(c, "amsgrad", false))
    return steps(c, `amsgrad(${lr(c)}, ${betas(c)}, ${epsilon(c)})`, decayOf(c), amsgrad);
  return steps(c, `adam(${lr(c)}, ${betas(c)}, ${epsilon(c)})`, decayOf(c));
}

function rmsprop(c: ReferenceCase): Program {
  if (flagOf(c, "centered", false)) return missing("only the rmsprop that is not centered is in the table");
  const rho = `rho: ${float(numberOf(c, "alpha", 0.99))}`;
  const momentum = numberOf(c, "momentum", 0);
  if (momentum === 0) return steps(c, `rmsprop(${lr(c)}, ${rho}, ${epsilon(c)})`, decayOf(c));
  const call = `heavy_rmsprop(${lr(c)}, ${rho}, momentum: ${float(momentum)}, ${epsilon(c)})`;
  return steps(c, call, decayOf(c), heavyRmsprop);
}

function adagrad(c: ReferenceCase): Program {
  const start = float(numberOf(c, "initial_accumulator_value", 0));
  const rate = numberOf(c, "lr_decay", 0);
  // lr / (1 + step · decay) is a schedule like any other.
  const rates = rate === 0 ? lr(c) : `lr: inverse_decay(${float(numberOf(c, "lr", 0.01))}, rate: ${float(rate)})`;
  return steps(c, `adagrad(${rates}, initial: ${start}, ${epsilon(c)})`, decayOf(c), rate === 0 ? "" : inverseDecay);
}

// Rules that the library lacks, written in the language.

const inverseDecay = `schedule inverse_decay(step, lr: float, rate: float) = lr / (1 + step * rate)
`;

const heavyRmsprop = `
optimizer heavy_rmsprop(w, g, lr: float, rho: float, momentum: float, epsilon: float) {
  state v = zeros_like(w)
  state b = zeros_like(w)
  update v = rho * v + (1 - rho) * g * g
  update b = momentum * b + g / (sqrt(v) + epsilon)
  w - lr * b
}
`;

const amsgrad = `
optimizer amsgrad(w, g, step, lr: float, beta1: float, beta2: float, epsilon: float) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  state top = zeros_like(w)
  t = step + 1
  update m = beta1 * m + (1 - beta1) * g
  update v = beta2 * v + (1 - beta2) * g * g
  update top = maximum(top, v)
  w - lr * (m / (1 - beta1 ** t)) / (sqrt(top / (1 - beta2 ** t)) + epsilon)
}
`;

const adamax = `
optimizer adamax(w, g, step, lr: float, beta1: float, beta2: float, epsilon: float) {
  state m = zeros_like(w)
  state u = zeros_like(w)
  update m = beta1 * m + (1 - beta1) * g
  update u = maximum(beta2 * u, abs(g) + epsilon)
  w - lr / (1 - beta1 ** (step + 1)) * m / u
}
`;

const adadelta = `
optimizer adadelta(w, g, lr: float, rho: float, epsilon: float) {
  state v = zeros_like(w)
  state d = zeros_like(w)
  update v = rho * v + (1 - rho) * g * g
  move = sqrt(d + epsilon) / sqrt(v + epsilon) * g
  update d = rho * d + (1 - rho) * move * move
  w - lr * move
}
`;

/** Without the variance while its estimate has no length yet (Liu and others, 2019). */
const radam = `
optimizer radam(w, g, step, lr: float, beta1: float, beta2: float, epsilon: float) {
  state m = zeros_like(w)
  state v = zeros_like(w)
  t = step + 1
  update m = beta1 * m + (1 - beta1) * g
  update v = beta2 * v + (1 - beta2) * g * g
  m_hat = m / (1 - beta1 ** t)
  limit = 2 / (1 - beta2) - 1
  length = limit - 2 * t * beta2 ** t / (1 - beta2 ** t)
  known = length > 5
  safe = where(known, length, 6.0)
  r = sqrt((safe - 4) * (safe - 2) * limit / ((limit - 4) * (limit - 2) * safe))
  w - lr * where(known, m_hat * r * sqrt(1 - beta2 ** t) / (sqrt(v) + epsilon), m_hat)
}
`;

export const optimizers: Readonly<Record<string, Recipe>> = {
  "optimizer:SGD": sgd,
  "optimizer:Adam": adam,
  "optimizer:AdamW": (c) =>
    flagOf(c, "amsgrad", false)
      ? missing("the library's adamw has no amsgrad")
      : steps(c, `adamw(${lr(c)}, ${betas(c)}, ${epsilon(c)}, weight_decay: ${float(decayOf(c))})`),
  "optimizer:RMSprop": rmsprop,
  "optimizer:Adagrad": adagrad,
  "optimizer:Adadelta": (c) =>
    steps(c, `adadelta(${lr(c)}, rho: ${float(numberOf(c, "rho", 0.9))}, ${epsilon(c)})`, decayOf(c), adadelta),
  "optimizer:Adamax": (c) => steps(c, `adamax(${lr(c)}, ${betas(c)}, ${epsilon(c)})`, decayOf(c), adamax),
  "optimizer:RAdam": (c) => steps(c, `radam(${lr(c)}, ${betas(c)}, ${epsilon(c)})`, decayOf(c), radam),
  "optimizer:NAdam": () => missing("no such optimizer yet"),
};

const schedule = (expression: string): Program => ({ kind: "schedule", expression });
const base = (c: ReferenceCase): string => float(numberOf(c, "base_lr", 0.1));
const number = (c: ReferenceCase, name: string, otherwise: number): string => float(numberOf(c, name, otherwise));

/** Up along half a cosine to max_lr, and down along another (Smith and Topin, 2017). */
function oneCycle(c: ReferenceCase): Program {
  if (c.attributes.anneal !== undefined && c.attributes.anneal !== "cos")
    return missing("only one cycle by cosines is in the table");
  const top = numberOf(c, "max_lr", 0.1);
  const first = top / numberOf(c, "div_factor", 25);
  const last = first / numberOf(c, "final_div_factor", 1e4);
  const total = numberOf(c, "total_steps", 1);
  const turn = numberOf(c, "pct_start", 0.3) * total - 1;
  const half = (from: number, to: number, share: string): string =>
    `${to} + ${from - to} * 0.5 * (1 + cos(pi * ${share}))`;
  const up = half(first, top, `at / ${float(turn)}`);
  const down = half(top, last, `(at - ${float(turn)}) / ${float(total - 1 - turn)}`);
  return schedule(`where(at <= ${float(turn)}, ${up}, ${down})`);
}

function cyclic(c: ReferenceCase): Program {
  if (c.attributes.mode !== undefined && c.attributes.mode !== "triangular")
    return missing("only triangles are in the table");
  const size = number(c, "step_size_up", 2000);
  const rise = `1 - abs(at / ${size} - 2 * floor(1 + at / (2 * ${size})) + 1)`;
  return schedule(`${base(c)} + ${float(numberOf(c, "max_lr", 0.1) - numberOf(c, "base_lr", 0.1))} * (${rise})`);
}

/** Restarts whose periods grow by T_mult: the period that a step is in, unrolled. */
function restarts(c: ReferenceCase): Program {
  const factor = numberOf(c, "T_mult", 1);
  const starts: [start: number, length: number][] = [];
  let [start, length] = [0, numberOf(c, "T_0", 1)];
  while (start < (c.outputs.lr?.data.length ?? 0)) {
    starts.push([start, length]);
    [start, length] = [start + length, length * factor];
  }
  const low = numberOf(c, "eta_min", 0);
  const part = ([from, size]: readonly [number, number]): string =>
    `${low} + ${numberOf(c, "base_lr", 0.1) - low} * 0.5 * (1 + cos(pi * (at - ${float(from)}) / ${float(size)}))`;
  return schedule(
    starts.map(part).reduceRight((later, text, i) => `where(at < ${float(starts[i + 1]![0])}, ${text}, ${later})`),
  );
}

export const schedules: Readonly<Record<string, Recipe>> = {
  "lr_scheduler:StepLR": (c) =>
    schedule(`step_decay(at, ${base(c)}, rate: ${number(c, "gamma", 0.1)}, steps: ${numberOf(c, "step_size", 1)})`),
  "lr_scheduler:ExponentialLR": (c) =>
    schedule(`exponential_decay(at, ${base(c)}, rate: ${number(c, "gamma", 0.9)}, steps: 1)`),
  "lr_scheduler:CosineAnnealingLR": (c) =>
    schedule(`cosine_decay(at, ${base(c)}, steps: ${numberOf(c, "T_max", 1)}, end: ${number(c, "eta_min", 0)})`),
  "lr_scheduler:ConstantLR": (c) =>
    schedule(`${base(c)} * where(at < ${number(c, "total_iters", 5)}, ${number(c, "factor", 1 / 3)}, 1.0)`),
  "lr_scheduler:LinearLR": (c) => {
    const [from, to] = [numberOf(c, "start_factor", 1 / 3), numberOf(c, "end_factor", 1)];
    return schedule(`${base(c)} * (${from} + ${to - from} * minimum(at / ${number(c, "total_iters", 5)}, 1))`);
  },
  "lr_scheduler:PolynomialLR": (c) =>
    schedule(`${base(c)} * (1 - minimum(at / ${number(c, "total_iters", 5)}, 1)) ** ${number(c, "power", 1)}`),
  "lr_scheduler:OneCycleLR": oneCycle,
  "lr_scheduler:CyclicLR": cyclic,
  "lr_scheduler:CosineAnnealingWarmRestarts": restarts,
  "lr_scheduler:MultiStepLR": () => missing("no such schedule yet"),
  "lr_scheduler:ReduceLROnPlateau": () => missing("a rate that follows a metric is no schedule of steps"),
};

/** All gradients by one factor, so that their greatest element is at most max_norm; PyTorch adds 1e-6 to the norm. */
export const clipping: Readonly<Record<string, Recipe>> = {
  clip_grad_norm: (c) => {
    const names = Object.keys(c.inputs);
    const type = c.attributes.norm_type ?? 2;
    const total =
      type === "inf"
        ? names.map((name) => `max(abs(${name}))`).reduce((a, b) => `maximum(${a}, ${b})`)
        : `sqrt(${names.map((name) => `sum(${name} * ${name})`).join(" + ")})`;
    if (type !== "inf" && type !== 2) return missing("only the Euclidean and the greatest norm are in the table");
    const lines = names.map((name) => `${name}_clipped = ${name} * factor`);
    const renames = names.map((name) => `${name} = ${name}_clipped`);
    return {
      kind: "formula",
      body: [
        `total_norm = ${total}`,
        `factor = minimum(${float(numberOf(c, "max_norm", 1))} / (total_norm + 1e-6), 1.0)`,
        ...lines,
        ...renames,
      ].join("\n"),
    };
  },
};
