// Optimizers: the parameter after each of a few steps with given gradients; and the clipping of gradients.

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
  if (flagOf(c, "centered", false)) {
    const call = `centered_rmsprop(${lr(c)}, rho: ${float(numberOf(c, "alpha", 0.99))}, momentum: ${float(numberOf(c, "momentum", 0))}, ${epsilon(c)})`;
    return steps(c, call, decayOf(c), centeredRmsprop);
  }
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

const centeredRmsprop = `
optimizer centered_rmsprop(w, g, lr: float, rho: float, momentum: float, epsilon: float) {
  state v = zeros_like(w)
  state a = zeros_like(w)
  state b = zeros_like(w)
  update v = rho * v + (1 - rho) * g * g
  update a = rho * a + (1 - rho) * g
  update b = momentum * b + g / (sqrt(v - a * a) + epsilon)
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

export const optimizers: Readonly<Record<string, Recipe>> = {
  "optimizer:SGD": sgd,
  "optimizer:Adam": adam,
  "optimizer:AdamW": (c) =>
    flagOf(c, "amsgrad", false)
      ? missing("no adamw with amsgrad in the table")
      : steps(c, `adamw(${lr(c)}, ${betas(c)}, ${epsilon(c)}, weight_decay: ${float(decayOf(c))})`),
  "optimizer:RMSprop": rmsprop,
  "optimizer:Adagrad": adagrad,
  "optimizer:Adadelta": (c) =>
    steps(c, `adadelta(${lr(c)}, rho: ${float(numberOf(c, "rho", 0.9))}, ${epsilon(c)})`, decayOf(c)),
  "optimizer:Adamax": (c) => steps(c, `adamax(${lr(c)}, ${betas(c)}, ${epsilon(c)})`, decayOf(c)),
  "optimizer:RAdam": (c) => steps(c, `radam(${lr(c)}, ${betas(c)}, ${epsilon(c)})`, decayOf(c)),
  "optimizer:NAdam": (c) => {
    const call = `nadam(${lr(c)}, ${betas(c)}, ${epsilon(c)}, momentum_decay: ${float(numberOf(c, "momentum_decay", 0.004))})`;
    return steps(c, call, decayOf(c));
  },
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
