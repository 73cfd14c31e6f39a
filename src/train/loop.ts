// The training loop. The graphs of the module do all arithmetic; the loop decides what they are run on, in which order,
// and keeps what comes out. Contracts of the graphs:
//   init(key)                          sets all parameters and states; key = [seed, 0]
//   train_step(columns, key?, step?)   one update; gives `loss`; adds to the totals of metrics; key = [seed, step]
//   eval_step(columns, key?)           adds to the totals of metrics
//   metrics()                          gives `loss` and every metric from the totals

import type { AnyExecutable, Tensors } from "../backends/backend.ts";
import type { TrainingPlan } from "../dsl/training-plan.ts";
import { identityOf } from "./checkpoint.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Metrics, Reporter } from "./events.ts";
import { trainFold } from "./fold.ts";
import { type Companion, openKeeper, type Pace, usualPace } from "./keeper.ts";
import { checkMonitor, watchOfFolds } from "./monitor.ts";
import { predictions } from "./predictions.ts";
import { freshProgress, isBetter, overFolds, type Progress } from "./progress.ts";
import { pauses, type Run, restore, weightsOf } from "./run.ts";
import { evaluate, sessionOf, type TrainedModule } from "./session.ts";
import { foldSplit, type Split, validationSplit } from "./split.ts";
import type { Store } from "./store.ts";

export interface TrainOptions {
  /** Must hold the graphs init, train_step, eval_step and metrics of `module`. */
  readonly executable: AnyExecutable;
  readonly module: TrainedModule;
  readonly plan: TrainingPlan;
  /** Fitted to `columnTypes(module, plan)`, as `loadTrainingData` does. */
  readonly data: Dataset;
  readonly test?: Dataset;
  /** New order of the rows in each epoch; on unless set to false. */
  readonly shuffle?: boolean;
  /** Weights to start from instead of fresh ones. */
  readonly initial?: Tensors;
  /** Where checkpoints and results go; without one nothing is kept. */
  readonly store?: Store;
  /** Continue the checkpoint in the store, if there is one. */
  readonly resume?: boolean;
  /** What is written before each checkpoint, beside it. */
  readonly companion?: () => Promise<Companion>;
  /** The text of the program's IR: a checkpoint of another program is refused. */
  readonly program?: string;
  readonly report?: Reporter;
  /** Ends the training after the present step, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly pace?: Pace;
}

export interface TrainingResult {
  readonly status: "done" | "interrupted";
  readonly progress: Progress;
  /** Metrics on the test data, where there are any. */
  readonly test?: Metrics;
}

/**
 * Trains the model of a plan. The executable ends with the weights that are kept: the best ones where the plan stops
 * early, those of the best fold in a cross-validation, else the last.
 * Throws a UserError (DivergenceError, WeightsError, FormatError) with a complete message.
 */
export async function train(options: TrainOptions): Promise<TrainingResult> {
  const started = performance.now();
  const split: Split = options.plan.folds ? { train: options.data } : validationSplit(options.data, options.plan);
  const run = await begin(options, split);
  const { plan, progress, report, session } = run;
  const interrupted = (): TrainingResult => {
    const place = { epoch: progress.epoch + 1, epochs: plan.epochs, step: progress.batch };
    report({ event: "interrupted", ...run.foldNumber(), ...place });
    return { status: "interrupted", progress };
  };
  const stoppedEarly = plan.folds ? await trainFolds(run, options.data) : await trainFold(run, split);
  if (stoppedEarly === undefined) return interrupted();
  if (run.kept) restore(run, run.kept);
  const test = options.test && (await evaluate(session, options.test, plan, run.pause));
  if (options.test && !test) return interrupted();
  if (test) report({ event: "test", metrics: test });
  const metadata: Record<string, string> = { model: plan.model, seed: String(plan.seed) };
  if (Object.keys(options.data.classes).length > 0) metadata.classes = JSON.stringify(options.data.classes);
  await examine(run, split, options.test);
  await run.keeper.finish({
    weights: await weightsOf(run),
    // Early stopping has made the best weights those that are kept.
    ...(run.best && !plan.earlyStop ? { best: run.best } : {}),
    metadata,
    progress,
    ...(test ? { test } : {}),
  });
  report({
    event: "done",
    epochs: progress.history.length,
    stoppedEarly,
    ...(progress.best && plan.earlyStop ? { bestEpoch: progress.best.epoch } : {}),
    ...(progress.bestFold ? { bestFold: progress.bestFold.fold } : {}),
    seconds: (performance.now() - started) / 1000,
  });
  return { status: "done", progress, ...(test ? { test } : {}) };
}

/** Reports what the kept weights say of rows that did not train them. */
async function examine(run: Run, { train: trained, validation }: Split, test: Dataset | undefined): Promise<void> {
  const { plan, progress, report } = run;
  const data = test ?? validation ?? trained;
  const found = await predictionsOf(run, data);
  const held = test ? [] : progress.folds.flatMap(({ confusion }) => (confusion ? [confusion] : []));
  const [first] = held;
  if (!found) return;
  const on = test ? "test data" : validation ? "validation data" : "training data";
  if (!plan.folds || !first) return report({ event: "predictions", on, ...found });
  // Each row was held back once: together the folds tell of all rows.
  const confusion = first.map((row, i) => row.map((_, k) => held.reduce((sum, table) => sum + table[i]![k]!, 0)));
  report({ event: "predictions", on: "rows held back, all folds", ...found, confusion, wrong: [] });
}

/** What the present weights say of a table. Weights and states stay as they are. */
async function predictionsOf(run: Run, data: Dataset) {
  const weights = await weightsOf(run);
  const found = await predictions(run.session, data, { ...run.plan, pause: run.pause });
  restore(run, weights);
  return found;
}

/** Opens the store, takes up a checkpoint, and says what is going to be done. */
async function begin(options: TrainOptions, split: Split): Promise<Run> {
  const { executable, module, plan, shuffle = true, report = () => {}, pace = usualPace } = options;
  checkMonitor(plan, module);
  const session = sessionOf(executable, module);
  const identity = () => identityOf(session, plan, options);
  const { resume = false } = options;
  const { companion } = options;
  const watching = { plan, identity, resume, pace, report, ...(companion ? { companion } : {}) };
  const { keeper, from } = await openKeeper(options.store, watching);
  const progress = from?.progress ?? freshProgress();
  const run: Run = {
    session,
    plan,
    shuffle,
    progress,
    keeper,
    report,
    pause: pauses(options.signal),
    foldNumber: () => (plan.folds === undefined ? {} : { fold: progress.fold + 1 }),
    initial: options.initial,
    best: from?.best,
    kept: from?.fold,
  };
  report({
    event: "begin",
    model: plan.model,
    rows: split.train.rows,
    validation: split.validation?.rows ?? 0,
    test: options.test?.rows ?? 0,
    folds: plan.folds ?? 0,
    epochs: plan.epochs,
    batch: plan.batch,
  });
  if (from) {
    restore(run, from.current);
    const place = { epoch: progress.epoch + 1, epochs: plan.epochs, step: progress.batch };
    report({ event: "resumed", ...run.foldNumber(), ...place });
  }
  return run;
}

/** Cross-validation: a training run for each part that is held back. The best one's weights are kept. */
async function trainFolds(run: Run, data: Dataset): Promise<boolean | undefined> {
  const { plan, progress, report, session } = run;
  const folds = plan.folds ?? 1;
  const watch = watchOfFolds(plan);
  let stoppedEarly = false;
  while (progress.fold < folds) {
    const split = foldSplit(data, plan, folds, progress.fold);
    const early = await trainFold(run, split);
    const metrics = split.validation && (await evaluate(session, split.validation, plan, run.pause));
    if (early === undefined || !metrics) return undefined;
    stoppedEarly ||= early;
    const confusion = (await predictionsOf(run, split.validation!))?.confusion;
    if (await run.pause()) return undefined;
    const fold = progress.fold + 1;
    const best = progress.best ? { bestEpoch: progress.best.epoch } : {};
    progress.folds.push({ fold, epochs: progress.epoch, ...best, metrics, ...(confusion ? { confusion } : {}) });
    report({ event: "fold", fold, folds, metrics });
    const value = Number(metrics[watch.monitor]);
    if (!run.kept || isBetter(watch.best, value, progress.bestFold?.value)) {
      progress.bestFold = { value, fold };
      run.kept = await weightsOf(run);
    }
    Object.assign(progress, { fold, epoch: 0, batch: 0, step: 0 });
    delete progress.best;
    run.best = undefined;
  }
  report({ event: "cross_validation", folds, ...overFolds(progress.folds) });
  return stoppedEarly;
}
