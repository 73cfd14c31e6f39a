// What a `train` block says beyond its graphs: data, batches, epochs, when to stop. Pure data, so that the training loop
// knows nothing of the language.

/** An argument of a data source: numbers, texts, lists of them (a share such as 10% is 0.1), or words such as `shifted(1)`. */
export type Setting = number | string | boolean | readonly Setting[] | SettingCall;

export interface SettingCall {
  readonly call: string;
  readonly positional: readonly Setting[];
}

/** A call in a data pipeline: `idx("a.gz", "b.gz")` or `flatten`. */
export interface DataCall {
  readonly name: string;
  readonly positional: readonly Setting[];
  readonly named: Readonly<Record<string, Setting>>;
  /** Where the call stands, for errors in data files. */
  readonly place: { readonly file: string; readonly line: number; readonly column: number };
}

/** A source and what is done to its rows, in order. */
export type DataPipeline = readonly DataCall[];

/** Which rows are held back for validation: the last of the file, or a seeded random choice; as is usual for the data where neither is said. */
export interface ValidationSplit {
  readonly share: number;
  readonly from?: "random" | "last";
}

export interface TrainingPlan {
  readonly model: string;
  /** Names of the columns that the graphs take, inputs of the model first, then targets. */
  readonly inputs: readonly string[];
  readonly targets: readonly string[];
  readonly data: DataPipeline;
  readonly test?: DataPipeline;
  readonly validation?: ValidationSplit;
  /** Cross-validation with this many parts, instead of `validation`. */
  readonly folds?: number;
  /** Names of the metrics, as the graph `metrics` gives them out, besides `loss`. */
  readonly metrics: readonly string[];
  /** `best` says which values are best, where the program does; else the name of what is watched tells. */
  readonly earlyStop?: {
    readonly monitor: string;
    readonly patience: number;
    readonly best?: "least" | "greatest";
  };
  /** Evaluation, and the weights that are kept, take the running mean of each parameter: the state `averageOf` names. */
  readonly averaged?: true;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
}

/** The state that holds the running mean of a parameter, where the plan has means (`ema` of std/optimizers.dlm). */
export const averageOf = (parameter: string): string => `ema.average.${parameter}`;
