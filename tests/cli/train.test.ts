// dlm train and dlm eval: what they print, what they leave, and what their options do.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { dlm, listing, temporaryFolder } from "./dlm.ts";
import { digits, xor } from "./models.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const file = (name: string): Buffer => readFileSync(path(name));

beforeAll(() => {
  writeFileSync(path("xor.dlm"), xor);
  writeFileSync(path("digits.dlm"), digits);
});

interface Line {
  readonly [key: string]: unknown;
}

/** Trains in a folder; gives the lines of --json. */
async function train(program: string, out: string, ...options: string[]): Promise<Line[]> {
  const { code, stdout, stderr } = await dlm("train", path(program), "--out", path(out), "--json", ...options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const epochs = (lines: readonly Line[]): Line[] => lines.filter(({ event }) => event === "epoch");

describe("dlm train", () => {
  it("prints the events that scripts read, and leaves weights and history", async () => {
    const lines = await train("digits.dlm", "events");
    expect(lines.map((line) => [line.event, Object.keys(line)])).toEqual([
      ["epoch", ["event", "epoch", "loss", "accuracy", "val_loss", "val_accuracy"]],
      ["epoch", ["event", "epoch", "loss", "accuracy", "val_loss", "val_accuracy"]],
      ["test", ["event", "loss", "accuracy"]],
      ["done", ["event", "epochs", "stopped_early", "seconds", "peak_bytes"]],
    ]);
    expect(epochs(lines).map(({ epoch }) => epoch)).toEqual([1, 2]);
    for (const { loss, accuracy } of lines.slice(0, 3))
      expect([typeof loss, typeof accuracy, Number(loss) > 0]).toEqual(["number", "number", true]);
    expect(listing(path("events"))).toEqual([
      "best.safetensors",
      "checkpoint.safetensors",
      "history.json",
      "observations.json",
      "report.html",
      "weights.safetensors",
    ]);
    const { tensors } = readSafetensors(file("events/weights.safetensors"), "weights.safetensors");
    expect(Object.keys(tensors).sort()).toEqual([
      "dense.bias",
      "dense.kernel",
      "dense_1.bias",
      "dense_1.kernel",
      "normalize.count",
      "normalize.distance",
      "normalize.mean",
    ]);
    const history = JSON.parse(String(file("events/history.json")));
    expect(history.epochs).toEqual(epochs(lines).map(({ event: _, ...rest }) => rest));
    const { event: _, ...test } = lines[2]!;
    expect(history.test).toEqual(test);
  });

  it("writes an event file for TensorBoard where it is asked for one", async () => {
    await train("digits.dlm", "board", "--tensorboard");
    const [name] = listing(path("board")).filter((file) => file.startsWith("events.out.tfevents."));
    const contents = file(`board/${name}`).toString("latin1");
    for (const tag of [
      "loss/training",
      "accuracy/validation",
      "loss/test",
      "weights/dense.kernel",
      "gradients/dense.bias",
    ])
      expect(contents).toContain(tag);
  });

  it("evaluates to the same numbers as at the end of the training", async () => {
    const [, , test] = await train("digits.dlm", "evaluated");
    const options = ["--weights", path("evaluated/weights.safetensors")];
    const { code, stdout } = await dlm("eval", path("digits.dlm"), ...options, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...test, rows: 50 });
    const { stdout: text } = await dlm("eval", path("digits.dlm"), ...options);
    const [line, title, header] = text.split("\n");
    expect(line).toBe(
      `test data, 50 rows: loss ${Number(Number(test?.loss).toPrecision(4))}  accuracy ${test?.accuracy}`,
    );
    expect([title, header]).toEqual([
      "classes, test data:",
      expect.stringMatching(/^ {2}class +rows +precision +recall/),
    ]);
  });

  it("evaluates on the training data where there are none for tests", async () => {
    await train("xor.dlm", "no-test");
    const { stdout } = await dlm("eval", path("xor.dlm"), "--weights", path("no-test/weights.safetensors"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ event: "train", rows: 4, loss: expect.any(Number) });
  });

  it("takes another number of epochs and rows", async () => {
    expect(epochs(await train("xor.dlm", "more", "--epochs", "7"))).toHaveLength(7);
    const { stdout } = await dlm("train", path("digits.dlm"), "--out", path("fewer"), "--limit", "20", "--epochs", "1");
    expect(stdout.split("\n")[0]).toBe("Reader: 18 rows, 2 for validation, 50 for test, 1 epoch, batches of 16");
    expect(stdout).toMatch(/^epoch 1\/1 {2}loss [\d.]+ {2}accuracy [\d.]+ {2}val_loss [\d.]+ {2}val_accuracy [\d.]+$/m);
    expect(stdout).toMatch(/^done: 1 epoch in [\d.]+ s, at most \d+ MB of memory; results are in /m);
  });

  it("gives the same bits for one seed, and others for another", async () => {
    const seeds = { first: "5", second: "5", third: "6" };
    for (const [out, seed] of Object.entries(seeds)) await train("digits.dlm", out, "--seed", seed, "--epochs", "1");
    expect(file("first/weights.safetensors")).toEqual(file("second/weights.safetensors"));
    expect(file("first/history.json")).toEqual(file("second/history.json"));
    expect(file("first/weights.safetensors")).not.toEqual(file("third/weights.safetensors"));
  });

  it("takes the rows as they come with --no-shuffle", async () => {
    const [shuffled, ordered] = [await train("digits.dlm", "a"), await train("digits.dlm", "b", "--no-shuffle")];
    expect(epochs(shuffled)[0]?.loss).not.toBe(epochs(ordered)[0]?.loss);
  });

  it("starts from weights", async () => {
    const long = epochs(await train("xor.dlm", "long", "--epochs", "150"));
    const again = epochs(await train("xor.dlm", "again", "--weights", path("long/weights.safetensors")));
    // A batch is all of the data, so the next run's first loss is what the last one would have had next.
    expect(Number(again[0]?.loss)).toBeLessThan(Number(long.at(-1)?.loss));
    expect(Number(again[0]?.loss)).toBeGreaterThan(Number(long.at(-1)?.loss) * 0.8);
  });

  it("keeps earlier results", async () => {
    await train("xor.dlm", "kept");
    const before = file("kept/weights.safetensors");
    const [note] = await train("xor.dlm", "kept", "--seed", "9");
    expect(note).toMatchObject({ event: "note", text: expect.stringContaining("weights.1.safetensors") });
    expect(file("kept/weights.1.safetensors")).toEqual(before);
    expect(file("kept/weights.safetensors")).not.toEqual(before);
  });

  it("does not continue another run", async () => {
    await train("xor.dlm", "changed");
    const before = listing(path("changed"));
    const { code, stderr } = await dlm("train", path("xor.dlm"), "--out", path("changed"), "--resume", "--seed", "2");
    expect(code).toBe(1);
    expect(stderr).toContain("seed");
    expect(listing(path("changed"))).toEqual(before);
  });

  it("says that a program without a train block cannot be trained", async () => {
    writeFileSync(path("plain.dlm"), "model Twice(x: f32[N]) -> (y: f32[N]) {\n  y = 2 * x\n}\n");
    const { code, stderr } = await dlm("train", path("plain.dlm"), "--out", path("plain"));
    expect(code).toBe(1);
    expect(stderr).toContain("plain.dlm has no train block");
    expect(stderr).toContain("add `train Twice { data: … loss: … optimizer: … }`");
    expect(listing(folder)).not.toContain("plain");
  });

  it("says that a label is no class", async () => {
    const classes = xor
      .replace("label: f32[N, 1]", "label: i32[N]")
      .replace("dense(1)", "dense(3)")
      .replace("y: f32[N, 1]", "y: f32[N, 3]")
      .replace(/label: \[\[.*\]\]/, "label: [0, 1, 3, 0]")
      .replace("binary_cross_entropy", "cross_entropy")
      .replace("binary_accuracy", "accuracy");
    writeFileSync(path("classes.dlm"), classes);
    const { code, stderr } = await dlm("train", path("classes.dlm"), "--out", path("classes"), "--json");
    expect(code).toBe(1);
    expect(stderr).toContain("training diverged at epoch 1, step 1: the loss is Infinity");
    expect(stderr).toContain("a label that is no class of the model shows: label goes from 0 to 3");
    expect(listing(path("classes"))).toEqual([]);
    const ignoring = classes.replace("cross_entropy(logits, label)", "cross_entropy(logits, label, ignore: 3)");
    writeFileSync(path("classes.dlm"), ignoring);
    await train("classes.dlm", "classes");
  });

  it("says at which step numbers broke, and leaves no weights", async () => {
    // Squared errors of a linear output grow with every step that is too long.
    const steep = xor.replace(/loss: .*/, "loss: mean_squared_error(logits, label)");
    writeFileSync(
      path("broken.dlm"),
      steep.replace("adam(lr: 0.05)", "sgd(lr: 100)").replace("epochs: 3", "epochs: 99"),
    );
    const { code, stderr } = await dlm("train", path("broken.dlm"), "--out", path("broken"), "--json");
    expect(code).toBe(1);
    expect(stderr).toMatch(/epoch \d+.*step 1/);
    expect(listing(path("broken"))).not.toContain("weights.safetensors");
  });
});
