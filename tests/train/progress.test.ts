// What counts as better: early stopping and the choice among folds rest on it.

import { describe, expect, it } from "vitest";
import { isBetter, usualBest } from "../../src/train/progress.ts";

describe("isBetter", () => {
  it("wants less of losses and errors, and more of everything else", () => {
    for (const name of ["loss", "val_loss", "val_mean_absolute_error", "val_huber", "hinge", "perplexity"])
      expect(usualBest(name), name).toBe("least");
    for (const name of ["accuracy", "val_accuracy", "val_f1", "r2"]) expect(usualBest(name), name).toBe("greatest");
    expect([isBetter("least", 1, 2), isBetter("least", 2, 1)]).toEqual([true, false]);
    expect([isBetter("greatest", 2, 1), isBetter("greatest", 1, 2)]).toEqual([true, false]);
  });

  it("takes the first value, no equal one, and nothing that is not a number", () => {
    expect(isBetter("least", 1, undefined)).toBe(true);
    expect(isBetter("least", 1, 1)).toBe(false);
    expect(isBetter("greatest", Number.NaN, 0.5)).toBe(false);
    expect(isBetter("greatest", 0.5, Number.NaN)).toBe(true);
  });
});
