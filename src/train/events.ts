// What training tells those who watch it, as data: progress bars, JSON lines and tests read the same events.

import type { NestedNumbers } from "../formats/json.ts";
import type { Predictions } from "./predictions.ts";

/** Values of metrics by name: numbers, or nested lists such as a confusion matrix. */
export type Metrics = Readonly<Record<string, NestedNumbers>>;

/** Where an epoch or step stands; `fold` is counted from 1, and absent without cross-validation. */
interface Place {
  readonly fold?: number;
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
}

export type TrainingEvent =
  | {
      readonly event: "begin";
      readonly model: string;
      readonly rows: number;
      readonly validation: number;
      readonly test: number;
      readonly folds: number;
      readonly epochs: number;
      readonly batch: number;
    }
  | { readonly event: "note"; readonly text: string }
  | ({ readonly event: "resumed"; readonly step: number } & Place)
  /** After each training step; `step` and `steps` count within the epoch. */
  | ({
      readonly event: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      /** Of this step, where a schedule changes it. */
      readonly learningRate?: number;
    } & Place)
  | ({ readonly event: "epoch"; readonly metrics: Metrics } & Place)
  /** The held-back part of a fold, with the weights that the fold ended with. */
  | { readonly event: "fold"; readonly fold: number; readonly folds: number; readonly metrics: Metrics }
  | { readonly event: "cross_validation"; readonly folds: number; readonly mean: Metrics; readonly deviation: Metrics }
  | { readonly event: "test"; readonly metrics: Metrics }
  /** What the kept weights say of the test data; without such, of rows held back, or else of the training data. */
  | ({ readonly event: "predictions"; readonly on: PredictedRows } & Predictions)
  /** The step is finished and the checkpoint written. */
  | ({ readonly event: "interrupted"; readonly step: number } & Place)
  | {
      readonly event: "done";
      readonly epochs: number;
      readonly stoppedEarly: boolean;
      /** Whose weights were kept, where early stopping chose them. */
      readonly bestEpoch?: number;
      readonly bestFold?: number;
      readonly seconds: number;
      /** The most memory that the process has held, in bytes, where that is known. */
      readonly peakBytes?: number;
    };

export type PredictedRows = "test data" | "validation data" | "training data" | "rows held back, all folds";

export type Reporter = (event: TrainingEvent) => void;
