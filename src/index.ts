// The public API, nothing else: write or build a model, compile it, run it, train it, take it away. Runs in browsers as it stands.

export {
  type AsyncExecutable,
  type Executable,
  InputError,
  type Prepared,
  type Repeatable,
  type Tensors,
} from "./backends/backend.ts";
export { GpuError } from "./backends/wgsl/runtime/errors.ts";
export type { Bundle } from "./bundle/bundle.ts";
export { type BundleOptions, bundle } from "./bundle.ts";
export {
  type Compiled,
  type CompileOptions,
  compile,
  defaultPipeline,
  type GpuLoadOptions,
  load,
  loadAsync,
  loadGpu,
  type TargetName,
} from "./compile.ts";
export {
  BuilderError,
  block,
  f32,
  type Initializer,
  type InputType,
  i32,
  type Layer,
  type Metric,
  type Optimizer,
  type Schedule,
  type Tensor as SymbolicTensor,
  u8,
} from "./dsl/builder.ts";
export { model } from "./dsl/builder-model.ts";
export { type TrainingDescription, trainable } from "./dsl/builder-train.ts";
export { type Compilation, compileSource } from "./dsl/compile-source.ts";
export { type Diagnostic, renderDiagnostics } from "./dsl/diagnostics.ts";
export type { TrainingPlan } from "./dsl/training-plan.ts";
export { readSafetensors, type Safetensors, writeSafetensors } from "./formats/safetensors.ts";
export type { DType, Tensor } from "./ir/dtype.ts";
export type { Module } from "./ir/graph.ts";
export { printModule } from "./ir/print.ts";
export { nn } from "./nn.generated.ts";
export type { Dataset } from "./train/data/dataset.ts";
export { loadTrainingData } from "./train/data/load.ts";
export type { TrainingEvent } from "./train/events.ts";
export { type TrainingResult, type TrainOptions, train } from "./train/loop.ts";
export { columnTypes } from "./train/session.ts";
export { memoryStore, type Store } from "./train/store.ts";
