// Optimizers and learning rates: the parameter after each of a few steps with given gradients, and rates by step.

import { flagOf, numberOf, numbersOf, type ReferenceCase } from "./case.ts";
import { float, missing, type Program, type Recipe, typeText } from "./program.ts";

const betas = (c: ReferenceCase): string => {
  const [first, second] = numbersOf(c, "betas", 0, 0);
  return `beta1: ${float(first ?? 0.9)}, beta2: ${float(second ?? 0.999)}`;
};

/** A model whose gradient is what the case gives: the loss is the sum of parameter · gradient. Decay is part of the loss. */
function steps(c: ReferenceCase, optimizer: string, decayInLoss = 0): Program {
  const parameter = c.inputs.p0;
  const gradients = c.inputs.grads;
  if (!parameter || !gradients) return missing("the case has no p0 and grads");
  const size = parameter.data.length;
  const decay = decayInLoss > 0 ? ` + ${decayInLoss / 2} * sum(p * p)` : "";
  return {
    kind: "trajectory",
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
  if (flagOf(c, "amsgrad", false)) return missing("the library's adam has no amsgrad");
  return steps(c, `adam(${lr(c)}, ${betas(c)}, ${epsilon(c)})`, decayOf(c));
}

function rmsprop(c: ReferenceCase): Program {
  if (flagOf(c, "centered", false)) return missing("the library's rmsprop is not centered");
  const rho = float(numberOf(c, "alpha", 0.99));
  const momentum = float(numberOf(c, "momentum", 0));
  return steps(c, `rmsprop(${lr(c)}, rho: ${rho}, momentum: ${momentum}, ${epsilon(c)})`, decayOf(c));
}

function adagrad(c: ReferenceCase): Program {
  const start = float(numberOf(c, "initial_accumulator_value", 0));
  const rate = numberOf(c, "lr_decay", 0);
  // lr / (1 + step · decay) is a schedule like any other.
  const decayed: Program = steps(
    c,
    `adagrad(lr: inverse_decay(${float(numberOf(c, "lr", 0.01))}, rate: ${float(rate)}), initial: ${start}, ${epsilon(c)})`,
    decayOf(c),
  );
  if (rate === 0 || decayed.kind !== "trajectory")
    return steps(c, `adagrad(${lr(c)}, initial: ${start}, ${epsilon(c)})`, decayOf(c));
  return {
    ...decayed,
    declarations: "schedule inverse_decay(step, lr: float, rate: float) = lr / (1 + step * rate)\n",
  };
}

export const optimizers: Readonly<Record<string, Recipe>> = {
  "optimizer:SGD": sgd,
  "optimizer:Adam": adam,
  "optimizer:AdamW": (c) =>
    flagOf(c, "amsgrad", false)
      ? missing("the library's adamw has no amsgrad")
      : steps(c, `adamw(${lr(c)}, ${betas(c)}, ${epsilon(c)}, weight_decay: ${float(decayOf(c))})`),
  "optimizer:RMSprop": rmsprop,
  "optimizer:Adagrad": adagrad,
  "optimizer:Adadelta": () => missing("no such optimizer yet"),
  "optimizer:Adamax": () => missing("no such optimizer yet"),
  "optimizer:RAdam": () => missing("no such optimizer yet"),
  "optimizer:NAdam": () => missing("no such optimizer yet"),
};

const schedule = (expression: string): Program => ({ kind: "schedule", expression });
const base = (c: ReferenceCase): string => float(numberOf(c, "base_lr", 0.1));

export const schedules: Readonly<Record<string, Recipe>> = {
  "lr_scheduler:StepLR": (c) =>
    schedule(
      `step_decay(step, ${base(c)}, rate: ${float(numberOf(c, "gamma", 0.1))}, steps: ${numberOf(c, "step_size", 1)})`,
    ),
  "lr_scheduler:ExponentialLR": (c) =>
    schedule(`exponential_decay(step, ${base(c)}, rate: ${float(numberOf(c, "gamma", 0.9))}, steps: 1)`),
  "lr_scheduler:CosineAnnealingLR": (c) =>
    schedule(
      `cosine_decay(step, ${base(c)}, steps: ${numberOf(c, "T_max", 1)}, minimum: ${float(numberOf(c, "eta_min", 0))})`,
    ),
  "lr_scheduler:ConstantLR": () => missing("no such schedule yet"),
  "lr_scheduler:LinearLR": () => missing("no such schedule yet"),
  "lr_scheduler:PolynomialLR": () => missing("no such schedule yet"),
  "lr_scheduler:OneCycleLR": () => missing("no such schedule yet"),
  "lr_scheduler:CyclicLR": () => missing("no such schedule yet"),
  "lr_scheduler:MultiStepLR": () => missing("no such schedule yet"),
  "lr_scheduler:CosineAnnealingWarmRestarts": () => missing("no such schedule yet"),
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
