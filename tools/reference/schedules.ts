// Learning rates by step: the schedules of the library, and formulas for those that it lacks.

import { numberOf, numbersOf, type ReferenceCase } from "./case.ts";
import { float, missing, type Program, type Recipe } from "./program.ts";

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

/** PyTorch's rises again after T_max; the library's stays at its end. */
function cosine(c: ReferenceCase): Program {
  const [period, end] = [numberOf(c, "T_max", 1), numberOf(c, "eta_min", 0)];
  const steps = c.outputs.lr?.data.length ?? 0;
  if (steps <= period + 1) return schedule(`cosine_decay(at, ${base(c)}, steps: ${period}, end: ${float(end)})`);
  return schedule(`${end} + ${numberOf(c, "base_lr", 0.1) - end} * 0.5 * (1 + cos(pi * at / ${float(period)}))`);
}

function cyclic(c: ReferenceCase): Program {
  if (c.attributes.mode !== undefined && c.attributes.mode !== "triangular")
    return missing("only triangles are in the table");
  const size = number(c, "step_size_up", 2000);
  const rise = `1 - abs(at / ${size} - 2 * floor(1 + at / (2 * ${size})) + 1)`;
  return schedule(`${base(c)} + ${float(numberOf(c, "max_lr", 0.1) - numberOf(c, "base_lr", 0.1))} * (${rise})`);
}

const restarts = (c: ReferenceCase): Program =>
  schedule(
    `warm_restarts(at, ${base(c)}, steps: ${numberOf(c, "T_0", 1)}, factor: ${numberOf(c, "T_mult", 1)}, end: ${number(c, "eta_min", 0)})`,
  );

/** The rate of the first step of each epoch, which knows the metric of the epoch before. */
function plateau(c: ReferenceCase): Program {
  const metric = c.inputs.metric;
  if (!metric || c.attributes.threshold_mode !== "rel") return missing("only relative thresholds are in the table");
  const settings = `factor: ${number(c, "factor", 0.1)}, patience: ${numberOf(c, "patience", 10)}, threshold: ${number(c, "threshold", 1e-4)}`;
  const greatest = c.attributes.mode === "max";
  const scalar = (value: number) => ({ dtype: "f32", shape: [], data: Float32Array.of(value) }) as const;
  return {
    kind: "trajectory",
    inputs: {},
    body: "param p: f32[] ~ zeros",
    loss: "p",
    optimizer: `sgd(lr: reduce_on_plateau(${base(c)}, loss, ${settings}, greatest: ${greatest}))`,
    weights: {},
    steps: metric.data.length,
    feed: (step) => ({ "epoch.count": scalar(step), "epoch.loss": scalar(metric.data[step - 1] ?? 0) }),
    record: { lr: { kind: "output", name: "learning_rate" } },
  };
}

export const schedules: Readonly<Record<string, Recipe>> = {
  "lr_scheduler:StepLR": (c) =>
    schedule(`step_decay(at, ${base(c)}, rate: ${number(c, "gamma", 0.1)}, steps: ${numberOf(c, "step_size", 1)})`),
  "lr_scheduler:ExponentialLR": (c) =>
    schedule(`exponential_decay(at, ${base(c)}, rate: ${number(c, "gamma", 0.9)}, steps: 1)`),
  "lr_scheduler:CosineAnnealingLR": cosine,
  "lr_scheduler:ConstantLR": (c) =>
    schedule(`${base(c)} * where(at < ${number(c, "total_iters", 5)}, ${number(c, "factor", 1 / 3)}, 1.0)`),
  "lr_scheduler:LinearLR": (c) => {
    const [from, to] = [numberOf(c, "start_factor", 1 / 3), numberOf(c, "end_factor", 1)];
    return schedule(`${base(c)} * (${from} + ${to - from} * minimum(at / ${number(c, "total_iters", 5)}, 1))`);
  },
  "lr_scheduler:PolynomialLR": (c) =>
    schedule(
      `polynomial_decay(at, ${base(c)}, steps: ${numberOf(c, "total_iters", 5)}, power: ${number(c, "power", 1)})`,
    ),
  "lr_scheduler:OneCycleLR": oneCycle,
  "lr_scheduler:CyclicLR": cyclic,
  "lr_scheduler:CosineAnnealingWarmRestarts": restarts,
  "lr_scheduler:MultiStepLR": (c) => {
    const passed = numbersOf(c, "milestones", 0, 0).map((milestone) => `cast(at >= ${float(milestone)}, f32)`);
    return schedule(`${base(c)} * ${number(c, "gamma", 0.1)} ** (${["0.0 * at", ...passed].join(" + ")})`);
  },
  "lr_scheduler:ReduceLROnPlateau": plateau,
};
