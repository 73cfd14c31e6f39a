// What counts as better: early stopping and the choice among folds rest on it.

import { describe, expect, it } from "vitest";
import { isBetter } from "../../src/train/progress.ts";

describe("isBetter", () => {
  it("wants less of losses and errors, and more of everything else", () => {
    for (const name of ["loss", "val_loss", "val_mean_absolute_error", "val_huber", "hinge", "perplexity"]) {
      expect(isBetter(name, 1, 2), name).toBe(true);
      expect(isBetter(name, 2, 1), name).toBe(false);
    }
    for (const name of ["accuracy", "val_accuracy", "val_f1", "r2"]) {
      expect(isBetter(name, 2, 1), name).toBe(true);
      expect(isBetter(name, 1, 2), name).toBe(false);
    }
  });

  it("takes the first value, no equal one, and nothing that is not a number", () => {
    expect(isBetter("loss", 1, undefined)).toBe(true);
    expect(isBetter("loss", 1, 1)).toBe(false);
    expect(isBetter("accuracy", Number.NaN, 0.5)).toBe(false);
    expect(isBetter("accuracy", 0.5, Number.NaN)).toBe(true);
  });
});
