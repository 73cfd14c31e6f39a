// A program written by hand, in place of a compiled one: linear regression with momentum, noise from the key as dropout
// has it, a state that counts steps, and metrics. Enough for the loop to show everything it does.

import type { Executable, Tensors } from "../../src/backends/backend.ts";
import type { TrainingPlan } from "../../src/dsl/training-plan.ts";
import { symbol } from "../../src/ir/dim.ts";
import type { Tensor } from "../../src/ir/dtype.ts";
import type { Global, GlobalRole, Graph, GraphOutput } from "../../src/ir/graph.ts";
import type { Dataset } from "../../src/train/data/dataset.ts";
import { randomFor } from "../../src/train/random.ts";
import type { TrainedModule } from "../../src/train/session.ts";

const global = (name: string, role: GlobalRole, ...shape: number[]): Global => ({
  name,
  type: { dtype: "f32", shape },
  role,
  initializer: "zeros",
  location: undefined,
});

const globals = [
  global("w", "parameter", 2),
  global("b", "parameter"),
  global("count", "state"),
  global("sgd.w", "optimizer", 2),
  global("total.loss", "metric"),
  global("total.rows", "metric"),
];

const graph = (name: string, ...inputs: string[]): Graph => ({
  name,
  inputs: inputs.map((input) => ({
    kind: "input",
    name: input,
    type:
      input === "key"
        ? { dtype: "i32", shape: [2] }
        : { dtype: "f32", shape: input === "step" ? [] : input === "x" ? [symbol("N"), 2] : [symbol("N")] },
  })),
  nodes: [],
  outputs: [],
  updates: [],
});

const output = (name: string, ...shape: number[]): GraphOutput => ({
  name,
  value: { kind: "global", name, type: { dtype: "f32", shape } },
});

export const module: TrainedModule = {
  globals: new Map(globals.map((each) => [each.name, each])),
  graphs: new Map(
    [
      graph("init", "key"),
      graph("train_step", "x", "t", "key", "step"),
      graph("eval_step", "x", "t"),
      { ...graph("metrics"), outputs: [output("loss"), output("rows"), output("pair", 2)] },
    ].map((each) => [each.name, each]),
  ),
};

export interface Fake extends Executable {
  /** Called before each training step with the rows it gets. */
  onStep?: (inputs: Tensors) => void;
  /** Called before each step of an evaluation. */
  onEvaluate?: () => void;
  rate: number;
}

const f32 = (...values: number[]): Tensor => ({
  dtype: "f32",
  shape: values.length === 1 ? [] : [values.length],
  data: Float32Array.from(values),
});

export function fakeExecutable(): Fake {
  const memory = new Map(globals.map(({ name, type }) => [name, new Float32Array(type.shape.length === 1 ? 2 : 1)]));
  const at = (name: string): Float32Array => memory.get(name)!;
  const errors = ({ x, t }: Tensors): Float64Array => {
    const w = at("w");
    const b = at("b")[0]!;
    return Float64Array.from(
      t!.data,
      (target, i) => x!.data[2 * i]! * w[0]! + x!.data[2 * i + 1]! * w[1]! + b - target,
    );
  };
  const addTotals = (e: Float64Array): number => {
    const sum = e.reduce((total, value) => total + value * value, 0);
    at("total.loss")[0]! += sum;
    at("total.rows")[0]! += e.length;
    return sum / e.length;
  };
  const fake: Fake = {
    rate: 0.05,
    run: (name, inputs) => {
      switch (name) {
        case "init": {
          const random = randomFor("init", ...inputs.key!.data);
          for (const array of memory.values()) array.fill(0);
          at("w").set([random.normal(), random.normal()]);
          return {};
        }
        case "train_step": {
          fake.onStep?.(inputs);
          const e = errors(inputs);
          const noise = randomFor("noise", ...inputs.key!.data);
          const rate = fake.rate / (1 + 0.01 * inputs.step!.data[0]!);
          const { x } = inputs;
          for (const k of [0, 1]) {
            let gradient = 0.1 * noise.normal();
            e.forEach((error, i) => {
              gradient += (2 * error * x!.data[2 * i + k]!) / e.length;
            });
            at("sgd.w")[k] = 0.9 * at("sgd.w")[k]! - rate * gradient;
            at("w")[k]! += at("sgd.w")[k]!;
          }
          at("b")[0]! -= (rate * 2 * e.reduce((a, b) => a + b, 0)) / e.length;
          at("count")[0]! += 1;
          return { loss: f32(addTotals(e)) };
        }
        case "eval_step":
          fake.onEvaluate?.();
          addTotals(errors(inputs));
          return {};
        case "metrics": {
          const loss = at("total.loss")[0]! / at("total.rows")[0]!;
          return { rows: f32(at("total.rows")[0]!), pair: f32(1, 2), loss: f32(loss) };
        }
        default:
          throw new Error(`no graph ${name}`);
      }
    },
    read: (name) => {
      const data = at(name).slice();
      return { dtype: "f32", shape: data.length === 1 ? [] : [2], data };
    },
    write: (name, value) => at(name).set(value.data),
  };
  return fake;
}

export const plan: TrainingPlan = {
  model: "Line",
  inputs: ["x"],
  targets: ["t"],
  data: [{ name: "rows", positional: [], named: {}, place: { file: "line.dlm", line: 1, column: 1 } }],
  metrics: ["rows", "pair"],
  epochs: 4,
  batch: 4,
  seed: 3,
};

/** t = 2 x0 - x1 + 0.5, with a little noise. */
export function line(rows: number, seed = 1): Dataset & { readonly columns: Tensors } {
  const random = randomFor("line", seed);
  const x = Float32Array.from({ length: 2 * rows }, () => random.normal());
  const t = Float32Array.from({ length: rows }, (_, i) => 2 * x[2 * i]! - x[2 * i + 1]! + 0.5 + 0.1 * random.normal());
  return {
    rows,
    columns: { x: { dtype: "f32", shape: [rows, 2], data: x }, t: { dtype: "f32", shape: [rows], data: t } },
    classes: {},
  };
}

/** All tensors, as bytes to compare. */
export const snapshot = (executable: Executable, ...roles: GlobalRole[]): Record<string, number[]> =>
  Object.fromEntries(
    globals
      .filter(({ role }) => roles.length === 0 || roles.includes(role))
      .map(({ name }) => [name, [...executable.read(name).data]]),
  );
