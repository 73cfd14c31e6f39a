import { describe, expect, it } from "vitest";
import { resumeCommand } from "../../src/cli/interrupt.ts";
import { duration, jsonLine, matrices, trainingProgress } from "../../src/cli/progress.ts";
import type { TrainingEvent } from "../../src/train/events.ts";

/** Gathers what is written, in place of a stream that is no terminal. */
function capture(events: readonly TrainingEvent[], json = false): string[] {
  const written: string[] = [];
  const stream = Object.create(process.stdout, {
    isTTY: { value: false },
    write: {
      value: (text: string) => {
        written.push(text);
        return true;
      },
    },
  });
  const { report, stop } = trainingProgress({ json, stream, place: "out", resumeCommand: "dlm train m.dlm --resume" });
  for (const event of events) report(event);
  stop();
  return written.join("").split("\n").slice(0, -1);
}

const epoch = (number: number, epochs: number): TrainingEvent => ({
  event: "epoch",
  epoch: number,
  epochs,
  metrics: {
    loss: 0.25,
    accuracy: 0.9562345,
    val_loss: 0.5,
    confusion: [
      [1, 0],
      [0, 12],
    ],
  },
});
const done: TrainingEvent = { event: "done", epochs: 2, stoppedEarly: true, bestEpoch: 1, seconds: 75.4321 };
const measured: TrainingEvent = { ...done, peakBytes: 312_400_000 };

describe("progress of training", () => {
  it("is one JSON object a line, with the metrics by their own names", () => {
    const lines = capture(
      [
        { event: "begin", model: "M", rows: 10, validation: 0, test: 5, folds: 0, epochs: 2, batch: 4 },
        { event: "step", epoch: 1, epochs: 2, step: 1, steps: 3, loss: 1 },
        epoch(1, 2),
        { event: "test", metrics: { loss: 0.1, accuracy: 1 } },
        done,
        measured,
      ],
      true,
    );
    expect(lines).toEqual([
      '{"event":"epoch","epoch":1,"loss":0.25,"accuracy":0.9562345,"val_loss":0.5,"confusion":[[1,0],[0,12]]}',
      '{"event":"test","loss":0.1,"accuracy":1}',
      '{"event":"done","epochs":2,"stopped_early":true,"best_epoch":1,"seconds":75.432}',
      '{"event":"done","epochs":2,"stopped_early":true,"best_epoch":1,"seconds":75.432,"peak_bytes":312400000}',
    ]);
  });

  it("has lines for steps only where they are asked for", () => {
    const step: TrainingEvent = { event: "step", epoch: 2, epochs: 3, step: 5, steps: 9, loss: 0.5 };
    expect(capture([step], true)).toEqual([]);
    expect(jsonLine(step)).toBe('{"event":"step","epoch":2,"step":5,"loss":0.5}');
  });

  it("says what became of interruptions and folds in JSON, too", () => {
    expect(jsonLine({ event: "interrupted", epoch: 2, epochs: 3, step: 1 })).toBe(
      '{"event":"interrupted","epoch":2,"epochs":3,"step":1}',
    );
    expect(jsonLine({ event: "fold", fold: 1, folds: 5, metrics: { loss: 1 } })).toBe(
      '{"event":"fold","fold":1,"loss":1}',
    );
  });

  it("is plain lines in a pipe", () => {
    const lines = capture([
      { event: "begin", model: "M", rows: 10, validation: 0, test: 5, folds: 0, epochs: 2, batch: 4 },
      { event: "step", epoch: 1, epochs: 2, step: 1, steps: 3, loss: 1 },
      epoch(1, 2),
      {
        event: "test",
        metrics: {
          loss: 0.1,
          confusion: [
            [1, 0],
            [0, 12],
          ],
        },
      },
      { event: "cross_validation", folds: 3, mean: { loss: 0.123456 }, deviation: { loss: 0.01 } },
      { event: "interrupted", epoch: 2, epochs: 3, step: 1 },
      measured,
    ]);
    expect(lines).toEqual([
      "M: 10 rows, 5 for test, 2 epochs, batches of 4",
      "epoch 1/2  loss 0.25  accuracy 0.9562  val_loss 0.5",
      "test  loss 0.1",
      "confusion:",
      "   1   0",
      "   0  12",
      "over 3 folds  loss 0.1235 ± 0.01",
      "interrupted in epoch 2, after 1 step of it; a checkpoint is written",
      "continue with: dlm train m.dlm --resume",
      "done: 2 epochs in 1 min 15 s, at most 312 MB of memory, stopped early, weights of epoch 1; results are in out",
    ]);
  });

  it("shows some of many epochs, always the first and the last", () => {
    const epochs = Array.from({ length: 290 }, (_, i) => epoch(i + 1, 300));
    const shown = capture([...epochs, done]).map((line) => Number(/epoch +(\d+)\/300/.exec(line)?.[1]));
    // Every twelfth of 300, the first, the last before the training stopped early, and the line of the end.
    expect(shown.slice(0, 3)).toEqual([1, 12, 24]);
    expect(shown.slice(-3)).toEqual([288, 290, Number.NaN]);
  });

  it("writes durations and tables for people", () => {
    expect([3.21, 45, 200, 7500].map(duration)).toEqual(["3.2 s", "45 s", "3 min 20 s", "2 h 5 min"]);
    expect(matrices({ each: [0.5, 1] })).toEqual(["each:", "  0.5    1"]);
  });

  it("quotes the command that continues a run where a shell needs it", () => {
    expect(resumeCommand(["train", "a b.dlm", "--out", "o"])).toBe("dlm train 'a b.dlm' --out o --resume");
    expect(resumeCommand(["train", "a.dlm", "--resume"])).toBe("dlm train a.dlm --resume");
  });
});
