// A program that is being trained or evaluated: how its graphs are fed and its totals of metrics are read. See the
// contracts of the graphs in loop.ts.

import type { AnyExecutable, Tensors } from "../backends/backend.ts";
import type { TrainingPlan } from "../dsl/training-plan.ts";
import { elementCount } from "../formats/elements.ts";
import { listsFromTensor } from "../formats/json.ts";
import { allocate, type Tensor } from "../ir/dtype.ts";
import { type Global, isImplicitInput, type Module, type TensorType } from "../ir/graph.ts";
import { orderedBatches } from "./batches.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Metrics } from "./events.ts";
import { globalShape } from "./weights.ts";

/** What of a module the loop needs. */
export type TrainedModule = Pick<Module, "globals" | "graphs">;

export interface Session<E extends AnyExecutable = AnyExecutable> {
  readonly executable: E;
  readonly globals: readonly Global[];
  /** Names of the inputs of each graph. */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
}

export function sessionOf<E extends AnyExecutable>(executable: E, module: TrainedModule): Session<E> {
  const inputs = [...module.graphs].map(([name, graph]) => [name, graph.inputs.map((input) => input.name)] as const);
  return { executable, globals: [...module.globals.values()], inputs: Object.fromEntries(inputs) };
}

/** The types of the columns that training and evaluation take, by name: what `loadTrainingData` fits the data to. */
export function columnTypes(module: TrainedModule, plan: TrainingPlan): Record<string, TensorType> {
  const types: Record<string, TensorType> = {};
  const names = [...plan.inputs, ...plan.targets];
  for (const graph of ["eval_step", "train_step"]) {
    for (const { name, type } of module.graphs.get(graph)?.inputs ?? []) {
      if (names.includes(name) || !isImplicitInput(name)) types[name] = type;
    }
  }
  return types;
}

/** The numbers that a graph may ask for besides the data. */
export interface Counters {
  readonly seed: number;
  readonly step: number;
  /** What the epoch before gave, by name, and `count`, the number of epochs before. */
  readonly epoch?: Readonly<Record<string, number>>;
}

/** Those of the columns that a graph takes, with `key` and `step` where it asks for them. */
export function inputsOf(
  { inputs }: Pick<Session, "inputs">,
  graph: string,
  columns: Tensors,
  { seed, step, epoch = {} }: Counters,
): Record<string, Tensor> {
  const number = (value: number): Tensor => ({ dtype: "f32", shape: [], data: Float32Array.of(value) });
  const given: Record<string, Tensor> = {};
  for (const name of inputs[graph] ?? []) {
    if (Object.hasOwn(columns, name)) given[name] = columns[name]!;
    else if (name === "key") given.key = { dtype: "i32", shape: [2], data: Int32Array.of(seed, step) };
    else if (name === "step") given.step = number(step);
    else if (name.startsWith("epoch.")) given[name] = number(epoch[name.slice("epoch.".length)] ?? 0);
  }
  return given;
}

/** Runs a graph on what it takes of the columns. */
export async function runGraph(
  session: Session,
  graph: string,
  columns: Tensors,
  counters: Counters,
): Promise<Record<string, Tensor>> {
  return session.executable.run(graph, inputsOf(session, graph, columns, counters));
}

/** Sets the totals of metrics to zero, as at the start of every epoch and evaluation. */
export function clearTotals({ executable, globals }: Session): void {
  for (const global of globals) {
    if (global.role !== "metric") continue;
    const shape = globalShape(global);
    const { dtype } = global.type;
    executable.write(global.name, { dtype, shape, data: allocate(dtype, elementCount(shape)) });
  }
}

/** The metrics and the mean loss from the totals. */
export async function readMetrics(session: Session): Promise<Metrics> {
  const values = Object.entries(await session.executable.run("metrics", {}));
  // The loss comes first, as people read it.
  values.sort(([a], [b]) => Number(b === "loss") - Number(a === "loss"));
  return Object.fromEntries(values.map(([name, tensor]) => [name, listsFromTensor(tensor)]));
}

/**
 * Loss and metrics over a whole table, with the present weights.
 * @param pause awaited after each batch; a true answer ends the evaluation, which then has no result
 */
export async function evaluate(
  session: Session,
  data: Dataset,
  { batch, seed }: Pick<TrainingPlan, "batch" | "seed">,
  pause: () => Promise<boolean> = async () => false,
): Promise<Metrics | undefined> {
  clearTotals(session);
  const batches = orderedBatches(data, batch);
  for (let i = 0; i < batches.count; i++) {
    await runGraph(session, "eval_step", batches.batch(i), { seed, step: i });
    if (await pause()) return undefined;
  }
  return readMetrics(session);
}
