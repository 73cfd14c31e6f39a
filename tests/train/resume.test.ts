// A run that was killed at any moment and resumed ends as one that was not: the same bits, the same files.

import { describe, expect, it } from "vitest";
import type { TrainingPlan } from "../../src/dsl/training-plan.ts";
import { systemError } from "../../src/formats/node/files.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { takeRows } from "../../src/train/data/dataset.ts";
import type { TrainingEvent } from "../../src/train/events.ts";
import { type TrainOptions, train } from "../../src/train/loop.ts";
import { memoryStore, type Store } from "../../src/train/store.ts";
import { fakeExecutable, line, module, plan, snapshot } from "./fake.ts";

const data = line(18);
const everyStep = { epochSeconds: 0, stepSeconds: 0, steps: 1 };
class Killed extends Error {}

const plans: Readonly<Record<string, TrainingPlan>> = {
  plain: plan,
  "with validation and early stopping": {
    ...plan,
    epochs: 30,
    validation: { share: 1 / 3, from: "random" },
    earlyStop: { monitor: "val_loss", patience: 2 },
  },
  "with folds": { ...plan, epochs: 2, folds: 3, earlyStop: { monitor: "val_loss", patience: 1 } },
};

async function whole(options: Partial<TrainOptions>) {
  const executable = fakeExecutable();
  const store = memoryStore();
  const events: TrainingEvent[] = [];
  const report = (event: TrainingEvent) => events.push(event);
  await train({ executable, module, plan, data, store, test: line(5, 9), pace: everyStep, report, ...options });
  return { executable, store, events };
}

async function sameFiles(a: Store, b: Store): Promise<void> {
  for (const name of ["weights.safetensors", "history.json", "checkpoint.safetensors"]) {
    expect(await a.read(name)).toEqual(await b.read(name));
  }
}

describe.each(Object.entries(plans))("resuming a run %s", (_, trained) => {
  it("that was killed in any step", async () => {
    const expected = await whole({ plan: trained });
    const steps = expected.events.filter(({ event }) => event === "step").length;
    for (let killed = 0; killed < steps; killed++) {
      const store = memoryStore();
      const first = fakeExecutable();
      let step = 0;
      first.onStep = () => {
        if (step++ === killed) throw new Killed();
      };
      const options = { module, plan: trained, data, store, test: line(5, 9), pace: everyStep };
      await expect(train({ ...options, executable: first })).rejects.toThrow(Killed);
      const second = fakeExecutable();
      await train({ ...options, executable: second, resume: true });
      expect(snapshot(second, "parameter", "state")).toEqual(snapshot(expected.executable, "parameter", "state"));
      await sameFiles(store, expected.store);
    }
  });

  it("that was killed before, in or after any writing of a file, however rarely it writes", async () => {
    const pace = { epochSeconds: 1e9, stepSeconds: 1e9, steps: 7 };
    const expected = await whole({ plan: trained, pace });
    for (let killed = 0, done = false; !done; killed++) {
      const store = memoryStore();
      let writes = 0;
      const dying: Store = {
        ...store,
        write: async (name, bytes) => {
          if (writes++ === killed) throw new Killed();
          await store.write(name, bytes);
        },
      };
      const options = { module, plan: trained, data, test: line(5, 9), pace };
      const first = train({ ...options, executable: fakeExecutable(), store: dying });
      done = await first.then(
        () => true,
        () => false,
      );
      const second = fakeExecutable();
      await train({ ...options, executable: second, store, resume: true });
      expect(snapshot(second, "parameter", "state")).toEqual(snapshot(expected.executable, "parameter", "state"));
      await sameFiles(store, expected.store);
    }
  });

  it("that was asked to stop at any step, or in any evaluation", async () => {
    const expected = await whole({ plan: trained });
    for (let stopped = 0, done = false; !done; stopped++) {
      const store = memoryStore();
      const stop = new AbortController();
      const first = fakeExecutable();
      let calls = 0;
      const count = () => {
        if (calls++ === stopped) stop.abort();
      };
      first.onStep = count;
      first.onEvaluate = count;
      const pace = { epochSeconds: 1e9, stepSeconds: 1e9 };
      const options = { module, plan: trained, data, store, test: line(5, 9), pace };
      const result = await train({ ...options, executable: first, signal: stop.signal });
      done = result.status === "done";
      if (!done) expect(await store.read("checkpoint.safetensors")).toBeDefined();
      const second = fakeExecutable();
      await train({ ...options, executable: second, resume: true });
      expect(snapshot(second, "parameter", "state")).toEqual(snapshot(expected.executable, "parameter", "state"));
      await sameFiles(store, expected.store);
    }
  });
});

describe("a full disk", () => {
  const full = () => systemError("runs/line", Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }), "written");

  it("in the middle is told once, keeps the last checkpoint, and changes no result", async () => {
    const expected = await whole({});
    const store = memoryStore();
    let writes = 0;
    const sometimesFull: Store = {
      ...store,
      write: async (name, bytes) => {
        if (name === "checkpoint.safetensors" && ++writes > 3 && writes < 10) throw full();
        if (writes === 5) expect(await store.read("checkpoint.safetensors")).toBeDefined();
        await store.write(name, bytes);
      },
    };
    const { events, executable } = await whole({ store: sometimesFull });
    const notes = events.filter(({ event }) => event === "note");
    expect(notes).toHaveLength(1);
    expect(JSON.stringify(notes)).toMatch(/runs\/line: cannot be written: the disk is full.*the training goes on/);
    expect(snapshot(executable)).toEqual(snapshot(expected.executable));
    await sameFiles(store, expected.store);
  });

  it("that has no room for a checkpoint leaves the weights", async () => {
    const expected = await whole({});
    const store = memoryStore();
    const tooSmall: Store = {
      ...store,
      write: async (name, bytes) => {
        if (name === "checkpoint.safetensors") throw full();
        await store.write(name, bytes);
      },
    };
    const { events } = await whole({ store: tooSmall });
    expect(JSON.stringify(events.filter(({ event }) => event === "note"))).toContain("there is no checkpoint yet");
    for (const name of ["weights.safetensors", "history.json"])
      expect(await store.read(name)).toEqual(await expected.store.read(name));
  });

  it("at the end loses no checkpoint: the run is resumed when there is room", async () => {
    const expected = await whole({});
    const store = memoryStore();
    let room = false;
    const fullAtTheEnd: Store = {
      ...store,
      write: async (name, bytes) => {
        if (name === "weights.safetensors" && !room) throw full();
        await store.write(name, bytes);
      },
    };
    await expect(whole({ store: fullAtTheEnd })).rejects.toThrow("the disk is full");
    room = true;
    await whole({ store: fullAtTheEnd, resume: true });
    await sameFiles(store, expected.store);
  });
});

describe("the best weights", () => {
  it("lie beside the last ones where rows are held back", async () => {
    const held = { ...plan, epochs: 12, validation: { share: 1 / 3, from: "last" } as const };
    const executable = fakeExecutable();
    const ended: number[][] = [];
    const losses: number[] = [];
    const report = (event: TrainingEvent) => {
      if (event.event !== "epoch") return;
      ended.push([...executable.read("w").data]);
      losses.push(Number(event.metrics.val_loss));
      // From then on, steps are too long.
      if (event.epoch === 8) executable.rate = 0.4;
    };
    const { store } = await whole({ plan: held, executable, report });
    const weightsIn = async (name: string) => [...readSafetensors((await store.read(name))!, name).tensors.w!.data];
    const best = losses.indexOf(Math.min(...losses));
    expect(best).toBeLessThan(11);
    expect(await weightsIn("best.safetensors")).toEqual(ended[best]);
    expect(await weightsIn("weights.safetensors")).toEqual(ended[11]);
  });
});

describe("checkpoints", () => {
  it("tell where a run goes on", async () => {
    const stop = new AbortController();
    const executable = fakeExecutable();
    executable.onStep = () => {
      if (executable.read("count").data[0] === 6) stop.abort();
    };
    const { store, events } = await whole({ executable, signal: stop.signal });
    expect(events.at(-1)).toEqual({ event: "interrupted", epoch: 2, epochs: 4, step: 2 });
    const again = await whole({ store, resume: true });
    expect(again.events).toContainEqual({ event: "resumed", epoch: 2, epochs: 4, step: 2 });
    expect(again.events.find(({ event }) => event === "step")).toMatchObject({ epoch: 2, step: 3 });
  });

  it("can be continued to more epochs than were planned", async () => {
    const { store } = await whole({ plan: { ...plan, epochs: 2 } });
    const { executable } = await whole({ store, resume: true });
    expect(snapshot(executable)).toEqual(snapshot((await whole({})).executable));
  });

  it("hold parameters and states alone in the weights, and the rest besides", async () => {
    const { store } = await whole({});
    const { tensors, metadata } = readSafetensors((await store.read("weights.safetensors"))!, "w");
    expect(Object.keys(tensors).sort()).toEqual(["b", "count", "w"]);
    expect(metadata).toEqual({ model: "Line", seed: "3" });
    const checkpoint = readSafetensors((await store.read("checkpoint.safetensors"))!, "c");
    expect(Object.keys(checkpoint.tensors)).toContain("current/sgd.w");
  });

  it("are made anew where there is none to continue", async () => {
    const { events, executable } = await whole({ resume: true });
    expect(events[0]).toEqual({
      event: "note",
      text: "there is no checkpoint in memory yet: starting from the beginning",
    });
    expect(snapshot(executable)).toEqual(snapshot((await whole({})).executable));
  });

  it("keep earlier results under other names", async () => {
    const { store } = await whole({ plan: { ...plan, seed: 8 } });
    const before = await store.read("weights.safetensors");
    const { events } = await whole({ store });
    expect(await store.read("weights.1.safetensors")).toEqual(before);
    expect(events[0]).toMatchObject({ event: "note" });
    expect(JSON.stringify(events[0])).toContain("weights.safetensors is now weights.1.safetensors");
    await whole({ store });
    expect(await store.read("weights.1.safetensors")).toEqual(before);
    expect(await store.read("history.2.json")).toBeDefined();
  });

  const differences: [string, Partial<TrainOptions>, string][] = [
    ["another seed", { plan: { ...plan, seed: 4 } }, "the seed was 3, now it is 4"],
    ["another batch size", { plan: { ...plan, batch: 5 } }, "the batch size was 4, now it is 5"],
    ["another program", { program: "other" }, "the program differs"],
    ["fewer rows", { data: takeRows(data, 17) }, "the number of rows was 18, now it is 17"],
    ["other data", { data: line(18, 7) }, "the contents of the data differ"],
    ["other test data", { test: line(5, 8) }, "the contents of the test data differ"],
    ["no shuffling", { shuffle: false }, "the shuffling was on, now it is off"],
    ["folds", { plan: { ...plan, folds: 3 } }, "the folds differ"],
  ];
  it.each(differences)("are refused for %s", async (_, options, message) => {
    const { store } = await whole({});
    const before = await store.read("checkpoint.safetensors");
    await expect(whole({ store, resume: true, ...options })).rejects.toThrow("of another training run");
    await expect(whole({ store, resume: true, ...options })).rejects.toThrow(message);
    expect(await store.read("checkpoint.safetensors")).toEqual(before);
  });

  it("are refused where they are damaged", async () => {
    const { store } = await whole({});
    const bytes = (await store.read("checkpoint.safetensors"))!;
    await store.write("checkpoint.safetensors", bytes.subarray(0, bytes.length - 4));
    await expect(whole({ store, resume: true })).rejects.toThrow("memory/checkpoint.safetensors: tensor");
    await store.write("checkpoint.safetensors", (await store.read("weights.safetensors"))!);
    await expect(whole({ store, resume: true })).rejects.toThrow("is not a checkpoint of this program");
  });
});
