// One training run over epochs: the whole training, or one fold of a cross-validation. Begins, or continues, where the
// run's progress says, down to the batch.

import { averageOf } from "../dsl/training-plan.ts";
import { type Batches, trainingBatches } from "./batches.ts";
import { brokenGlobals, divergence } from "./divergence.ts";
import type { Metrics } from "./events.ts";
import { watchOf } from "./monitor.ts";
import { isBetter } from "./progress.ts";
import { randomFor } from "./random.ts";
import { keptWeights, type Run, restore, weightsOf } from "./run.ts";
import { clearTotals, evaluate, readMetrics, runGraph } from "./session.ts";
import type { Split } from "./split.ts";
import { loadWeights, readGlobals } from "./weights.ts";

/** Trains to the end of the epochs, or until early stopping: whether it stopped early; undefined when interrupted. */
export async function trainFold(run: Run, split: Split): Promise<boolean | undefined> {
  const { plan, progress, keeper } = run;
  const seed = seedOf(run);
  if (progress.step === 0) await initialise(run, seed);
  const batchesOf = trainingBatches(split.train, { size: plan.batch, seed, shuffle: run.shuffle });
  while (progress.epoch < plan.epochs && !shouldStop(run)) {
    const batches = batchesOf(progress.epoch);
    const metrics = (await trainEpoch(run, batches, seed)) ? await epochMetrics(run, split, seed) : undefined;
    if (!metrics) {
      await save(run, true);
      return undefined;
    }
    await endEpoch(run, metrics);
    if (keeper.due("epoch", progress.step)) await save(run, false);
  }
  // Where there is no room for it, there may be for the weights.
  await save(run, false);
  const stoppedEarly = shouldStop(run);
  if (run.best && plan.earlyStop) restore(run, run.best);
  else if (plan.averaged) restore(run, await keptWeights(run));
  return stoppedEarly;
}

/** Each fold is a training run of its own, with a seed of its own. */
function seedOf({ plan, progress }: Run): number {
  return progress.fold === 0 ? plan.seed : randomFor("fold", plan.seed, progress.fold).below(2 ** 31);
}

async function initialise(run: Run, seed: number): Promise<void> {
  const { session, initial, plan } = run;
  await runGraph(session, "init", {}, { seed, step: 0 });
  if (!initial) return;
  loadWeights(session.executable, session.globals, initial);
  if (!plan.averaged) return;
  // Running means begin where the parameters do.
  const parameters = await readGlobals(session.executable, session.globals, "parameter");
  for (const [name, tensor] of Object.entries(parameters)) session.executable.write(averageOf(name), tensor);
}

/** Runs the batches of an epoch that are left; false when interrupted. */
async function trainEpoch(run: Run, batches: Batches, seed: number): Promise<boolean> {
  const { session, plan, progress, keeper, report } = run;
  if (progress.batch === 0) clearTotals(session);
  const epoch = lastEpoch(run);
  while (progress.batch < batches.count) {
    const columns = batches.batch(progress.batch);
    const outputs = await runGraph(session, "train_step", columns, { seed, step: progress.step, epoch });
    const loss = outputs.loss?.data[0] ?? Number.NaN;
    const place = { ...run.foldNumber(), epoch: progress.epoch + 1, step: progress.batch + 1 };
    if (!Number.isFinite(loss)) throw await divergence(session, place, loss, columns, keeper.checkpoint());
    progress.batch++;
    progress.step++;
    const rate = outputs.learning_rate?.data[0];
    const scheduled = rate === undefined ? {} : { learningRate: rate };
    report({ event: "step", ...place, epochs: plan.epochs, steps: batches.count, loss, ...scheduled });
    const interrupted = await run.pause();
    // The last step of an epoch is followed by its end, which has a checkpoint of its own.
    const due = progress.batch < batches.count && keeper.due("step", progress.step);
    if (interrupted || due) await checkParameters(run);
    if (interrupted) return false;
    if (due) await save(run, false);
  }
  await checkParameters(run);
  return true;
}

/** What the optimizer may know of the epoch before, as it does again when the run is resumed. */
function lastEpoch({ session, progress }: Run): Readonly<Record<string, number>> {
  const metrics = progress.epoch === 0 ? {} : (progress.history.at(-1)?.metrics ?? {});
  const asked = (session.inputs.train_step ?? []).filter((name) => name.startsWith("epoch."));
  const values = asked.map((input): [string, number] => {
    const name = input.slice("epoch.".length);
    if (name === "count") return [name, progress.epoch];
    const value = metrics[name];
    // A checkpoint, which is JSON, has null where there is no number.
    return [name, typeof value === "number" ? value : Number.NaN];
  });
  return Object.fromEntries(values);
}

/** The metrics of the epoch, and those of the validation data; undefined when interrupted. */
async function epochMetrics(run: Run, { validation }: Split, seed: number): Promise<Metrics | undefined> {
  const { session, plan } = run;
  const metrics = await readMetrics(session);
  if (!validation) return metrics;
  const totals = await readGlobals(session.executable, session.globals, "metric");
  const trained = plan.averaged && (await weightsOf(run));
  if (trained) restore(run, await keptWeights(run));
  const held = await evaluate(session, validation, { batch: plan.batch, seed }, run.pause);
  if (trained) restore(run, trained);
  if (!held) {
    // The checkpoint that follows stands before the validation, with the totals of the training.
    restore(run, totals);
    return undefined;
  }
  const named = Object.entries(held).map(([name, value]) => [`val_${name}`, value] as const);
  return { ...metrics, ...Object.fromEntries(named) };
}

async function endEpoch(run: Run, metrics: Metrics): Promise<void> {
  const { plan, progress, report } = run;
  progress.epoch++;
  progress.batch = 0;
  const place = { ...run.foldNumber(), epoch: progress.epoch };
  progress.history.push({ ...place, metrics });
  report({ event: "epoch", ...place, epochs: plan.epochs, metrics });
  const watch = watchOf(plan);
  const value = watch && Number(metrics[watch.monitor]);
  if (watch && value !== undefined && isBetter(watch.best, value, progress.best?.value)) {
    progress.best = { value, epoch: progress.epoch };
    run.best = await keptWeights(run);
  }
}

/** Whether the watched value has not become better for as many epochs as the plan has patience. */
function shouldStop({ plan, progress }: Run): boolean {
  if (!plan.earlyStop || progress.epoch === 0) return false;
  return progress.epoch - (progress.best?.epoch ?? 0) >= plan.earlyStop.patience;
}

/** Throws a DivergenceError: what has diverged must not take the place of a good checkpoint. */
async function checkParameters({ session, progress, keeper, foldNumber }: Run): Promise<void> {
  if ((await brokenGlobals(session)).length === 0) return;
  const place = { ...foldNumber(), epoch: progress.epoch + 1, step: progress.batch };
  throw await divergence(session, place, 0, {}, keeper.checkpoint());
}

async function save(run: Run, last: boolean): Promise<void> {
  const { session, progress, keeper } = run;
  const checkpoint = {
    progress,
    current: await readGlobals(session.executable, session.globals, "parameter", "state", "optimizer", "metric"),
    ...(run.best ? { best: run.best } : {}),
    ...(run.kept ? { fold: run.kept } : {}),
  };
  await keeper.save(checkpoint, last);
}
