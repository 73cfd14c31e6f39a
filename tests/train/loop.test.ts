import { describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { materialised, takeRows } from "../../src/train/data/dataset.ts";
import type { TrainingEvent } from "../../src/train/events.ts";
import { type TrainOptions, train } from "../../src/train/loop.ts";
import { memoryStore } from "../../src/train/store.ts";
import { fakeExecutable, line, module, plan, snapshot } from "./fake.ts";

const data = line(18);

/** Trains a fresh executable and gathers what it tells. */
async function run(options: Partial<TrainOptions> = {}) {
  const executable = fakeExecutable();
  const events: TrainingEvent[] = [];
  const result = await train({
    executable,
    module,
    plan,
    data,
    report: (event) => events.push(event),
    ...options,
  });
  return { executable, events, result };
}

const named = <E extends TrainingEvent["event"]>(events: readonly TrainingEvent[], name: E) =>
  events.filter((event): event is Extract<TrainingEvent, { event: E }> => event.event === name);

describe("training", () => {
  it("learns, and tells each step and epoch", async () => {
    const { events, executable } = await run({ plan: { ...plan, epochs: 40 }, test: line(10, 2) });
    const epochs = named(events, "epoch");
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    // The noise of the targets has a variance of 0.01, that of the weights adds less than as much again.
    expect(Number(epochs.at(-1)?.metrics.loss)).toBeLessThan(0.05);
    expect(epochs[0]?.metrics).toEqual({ loss: expect.any(Number), rows: 18, pair: [1, 2] });
    expect(Object.keys(epochs[0]!.metrics)[0]).toBe("loss");
    expect(
      named(events, "step")
        .slice(0, 5)
        .map(({ step, steps }) => [step, steps]),
    ).toEqual([
      [1, 5],
      [2, 5],
      [3, 5],
      [4, 5],
      [5, 5],
    ]);
    expect(named(events, "test")[0]?.metrics.rows).toBe(10);
    expect(executable.read("count").data[0]).toBe(200);
    expect(events.at(-1)).toMatchObject({ event: "done", epochs: 40, stoppedEarly: false });
  });

  it("meets every row once an epoch, in another order each time, and keeps the last, smaller batch", async () => {
    const executable = fakeExecutable();
    const seen: number[][] = [];
    executable.onStep = ({ t }) => seen.push([...t!.data]);
    await run({ executable, plan: { ...plan, epochs: 2 } });
    expect(seen.map(({ length }) => length)).toEqual([4, 4, 4, 4, 2, 4, 4, 4, 4, 2]);
    const [first, second] = [seen.slice(0, 5).flat(), seen.slice(5).flat()];
    const all = [...data.columns.t!.data].sort();
    expect([...first].sort()).toEqual(all);
    expect([...second].sort()).toEqual(all);
    expect(first).not.toEqual(second);
    expect(first).not.toEqual([...data.columns.t!.data]);
  });

  it("keeps the order of the file where shuffling is off", async () => {
    const executable = fakeExecutable();
    const seen: number[] = [];
    executable.onStep = ({ t }) => seen.push(...t!.data);
    await run({ executable, shuffle: false, plan: { ...plan, epochs: 1 } });
    expect(seen).toEqual([...data.columns.t!.data]);
  });

  it("gives the same bits for one seed, and others for another", async () => {
    const [a, b, c] = await Promise.all([run(), run(), run({ plan: { ...plan, seed: 4 } })]);
    expect(snapshot(a.executable)).toEqual(snapshot(b.executable));
    expect(a.result).toEqual(b.result);
    expect(snapshot(c.executable)).not.toEqual(snapshot(a.executable));
  });

  it("holds back rows for validation, the last or random ones, and never trains on them", async () => {
    for (const from of ["last", "random"] as const) {
      const executable = fakeExecutable();
      const trained = new Set<number>();
      executable.onStep = ({ t }) => t!.data.forEach((value) => trained.add(value));
      const { events } = await run({ executable, plan: { ...plan, validation: { share: 1 / 3, from } } });
      expect(trained.size).toBe(12);
      expect(named(events, "epoch")[0]?.metrics).toMatchObject({ rows: 12, val_rows: 6, val_loss: expect.any(Number) });
      expect(named(events, "begin")[0]).toMatchObject({ rows: 12, validation: 6 });
      const expected = new Set(data.columns.t!.data.slice(0, 12));
      if (from === "last") expect(trained).toEqual(expected);
      else expect(trained).not.toEqual(expected);
    }
  });

  it("starts from weights that are given", async () => {
    const w = { dtype: "f32", shape: [2], data: Float32Array.of(2, -1) } as const;
    const one = (value: number) => ({ dtype: "f32", shape: [], data: Float32Array.of(value) }) as const;
    const { executable } = await run({ initial: { w, b: one(0.5), count: one(7) }, plan: { ...plan, epochs: 0 } });
    expect(snapshot(executable, "parameter", "state")).toEqual({ w: [2, -1], b: [0.5], count: [7] });
  });

  it("refuses to hold back all rows or none", async () => {
    const share = (of: number) => run({ plan: { ...plan, validation: { share: of, from: "last" } } });
    await expect(share(0.01)).rejects.toThrow("leaves 0 for validation and 18 for training");
    await expect(share(1)).rejects.toThrow("leaves 18 for validation and 0 for training");
  });
});

describe("early stopping", () => {
  const watched = { ...plan, epochs: 60, validation: { share: 1 / 3, from: "last" } as const };

  it("stops after its patience and restores the best weights", async () => {
    const early = { ...watched, earlyStop: { monitor: "val_loss", patience: 3 } };
    const executable = fakeExecutable();
    const weights: number[][] = [];
    let steps = 0;
    executable.onEvaluate = () => {
      if (executable.read("count").data[0] !== steps) weights.push([...executable.read("w").data]);
      steps = executable.read("count").data[0]!;
    };
    const { events } = await run({ executable, plan: early });
    const losses = named(events, "epoch").map(({ metrics }) => Number(metrics.val_loss));
    const best = losses.indexOf(Math.min(...losses));
    expect(losses.length).toBe(best + 1 + 3);
    expect(losses.length).toBeLessThan(60);
    expect([...executable.read("w").data]).toEqual(weights[best]);
    expect(events.at(-1)).toMatchObject({ stoppedEarly: true, bestEpoch: best + 1 });
  });

  it("takes the greatest value for the best one where the program says so", async () => {
    const early = { ...watched, earlyStop: { monitor: "val_loss", patience: 3, best: "greatest" } as const };
    const { events } = await run({ plan: early });
    const losses = named(events, "epoch").map(({ metrics }) => Number(metrics.val_loss));
    expect(events.at(-1)).toMatchObject({ bestEpoch: losses.indexOf(Math.max(...losses)) + 1 });
  });

  it("says at once that what it watches will not be there", async () => {
    const watch = (monitor: string, base = watched) => run({ plan: { ...base, earlyStop: { monitor, patience: 1 } } });
    await expect(watch("val_los")).rejects.toThrow("early_stop watches val_los, which is no metric of this training");
    await expect(watch("val_los")).rejects.toThrow("did you mean val_loss?");
    const { validation: _, ...without } = watched;
    await expect(run({ plan: { ...without, earlyStop: { monitor: "val_loss", patience: 1 } } })).rejects.toThrow(
      "add `validation: 10%`",
    );
    const executable = fakeExecutable();
    const vector = { ...watched, earlyStop: { monitor: "val_pair", patience: 1 } };
    await expect(run({ executable, plan: vector })).rejects.toThrow(
      "early_stop watches val_pair, which is not one number",
    );
    expect(executable.read("count").data[0]).toBe(0);
  });
});

describe("cross-validation", () => {
  it("holds back each row once, starts each fold anew, and reports mean and deviation", async () => {
    const executable = fakeExecutable();
    const trained: Set<number>[] = [];
    executable.onStep = ({ t }) => {
      if (executable.read("count").data[0] === 0) trained.push(new Set());
      for (const value of t!.data) trained.at(-1)!.add(value);
    };
    const store = memoryStore();
    const { events, result } = await run({ executable, store, plan: { ...plan, folds: 3 } });
    expect(trained.map(({ size }) => size)).toEqual([12, 12, 12]);
    for (const value of data.columns.t!.data) expect(trained.filter((set) => set.has(value)).length).toBe(2);
    const losses = named(events, "fold").map(({ metrics }) => Number(metrics.loss));
    const mean = (losses[0]! + losses[1]! + losses[2]!) / 3;
    const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / 2);
    const [summary] = named(events, "cross_validation");
    expect(summary?.mean.loss).toBeCloseTo(mean, 12);
    expect(summary?.deviation.loss).toBeCloseTo(deviation, 12);
    expect(Object.keys(summary!.mean)).not.toContain("pair");
    expect(result.progress.bestFold?.fold).toBe(losses.indexOf(Math.min(...losses)) + 1);
    const history = JSON.parse(new TextDecoder().decode(await store.read("history.json")));
    expect(history.folds.length).toBe(3);
    expect(history.epochs.length).toBe(12);
    expect(history.epochs[4]).toMatchObject({ fold: 2, epoch: 1, val_rows: 6 });
  });

  it("gives each part its share of every class", async () => {
    const label = Int32Array.from({ length: 20 }, (_, i) => (i < 12 ? 0 : i < 18 ? 1 : 2));
    const table = {
      ...line(20),
      columns: { ...line(20).columns, label: { dtype: "i32", shape: [20], data: label } as const },
    };
    const { foldSplit } = await import("../../src/train/split.ts");
    const parts = [0, 1].map((fold) => foldSplit(table, { ...plan, targets: ["label"] }, 2, fold).validation!);
    for (const part of parts)
      expect([...materialised(part.columns.label!).data].sort()).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
  });

  it("refuses more folds than rows", async () => {
    await expect(run({ data: takeRows(data, 3), plan: { ...plan, folds: 4 } })).rejects.toThrow(
      "3 rows cannot be split into 4 folds",
    );
  });
});

describe("the weights of a cross-validation", () => {
  it("are those of its best fold", async () => {
    const executable = fakeExecutable();
    const ended: unknown[] = [];
    const report = (event: TrainingEvent) => {
      if (event.event === "fold") ended.push(snapshot(executable, "parameter", "state"));
    };
    const { result } = await run({ executable, report, plan: { ...plan, folds: 3, seed: 11 } });
    const best = result.progress.bestFold!.fold;
    // With this seed the last fold, whose weights the executable would hold anyway, is not the best.
    expect(best).toBeLessThan(3);
    expect(snapshot(executable, "parameter", "state")).toEqual(ended[best - 1]);
  });
});

describe("divergence", () => {
  it("names epoch and step, and keeps the last good checkpoint", async () => {
    const executable = fakeExecutable();
    executable.onStep = () => {
      if (executable.read("count").data[0] === 7) executable.rate = Number.NaN;
    };
    const store = memoryStore();
    const pace = { epochSeconds: 0, stepSeconds: 1e9 };
    const failed = run({ executable, store, pace });
    // The eighth step, the third of the second epoch, spoils the weights; the ninth shows it in the loss.
    await expect(failed).rejects.toThrow(
      "training diverged at epoch 2, step 4: the loss is NaN; these tensors are not",
    );
    await expect(failed).rejects.toThrow("the last good checkpoint is kept: memory/checkpoint.safetensors");
    await expect(failed).rejects.toThrow("lower the learning rate");
    const { tensors, metadata } = readSafetensors((await store.read("checkpoint.safetensors"))!, "x");
    expect(JSON.parse(metadata.progress!)).toMatchObject({ epoch: 1, batch: 0, step: 5 });
    expect([...tensors["current/w"]!.data].every(Number.isFinite)).toBe(true);
  });

  it("is noticed in the parameters when the last step spoils them", async () => {
    const executable = fakeExecutable();
    executable.onStep = () => {
      if (executable.read("count").data[0] === 19) executable.rate = Number.POSITIVE_INFINITY;
    };
    await expect(run({ executable })).rejects.toThrow(
      "diverged at epoch 4, step 5: these tensors are not finite: w, b\n",
    );
  });

  it("points to data that are not finite", async () => {
    const x = { ...data.columns.x!, data: Float32Array.from(data.columns.x!.data).fill(Number.NaN, 8, 9) };
    const broken = { ...data, columns: { ...data.columns, x } };
    await expect(run({ data: broken, shuffle: false })).rejects.toThrow("the data are not finite in x: clean them");
    await expect(run({ data: broken, shuffle: false })).rejects.toThrow("epoch 1, step 2");
  });
});
