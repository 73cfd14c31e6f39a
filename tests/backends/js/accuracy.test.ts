// How far the functions that JavaScript gets in the place of Math's are from the right results. docs/accuracy.md shows the limits
// that are checked here.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type HelperName, helperNames, helperText } from "../../../src/backends/js/helpers.ts";
import { applyUnary } from "../../../src/ir/kernel/arithmetic.ts";
import { unaryOps } from "../../../src/ir/kernel/types.ts";

/** The second table of the document: function and limit of the relative error. */
const [, table] = readFileSync(new URL("../../../docs/accuracy.md", import.meta.url), "utf8").split("## JavaScript");
const limits = [...table!.matchAll(/^\| (\w+) \| (\de-\d+) \|/gm)].map(([, name, limit]) => ({
  name: name!,
  limit: Number(limit),
}));

/** Both signs; magnitudes from 2^-150 to 2^128 evenly in the exponent, and densely where functions bend. */
const samples = [1, -1].flatMap((sign) => [
  ...Array.from({ length: 20000 }, (_, i) => sign * 2 ** (-150 + (278 * i) / 20000)),
  ...Array.from({ length: 40000 }, (_, i) => (sign * 40 * i) / 40000),
  ...Array.from({ length: 20000 }, (_, i) => (sign * (i + 1)) / 2e6),
  ...[2 ** -12, 5.9, 6, 699.9, 700, 709.7, 745, Number.MAX_VALUE, Number.POSITIVE_INFINITY].map((x) => sign * x),
  Number.NaN,
]);

describe("functions of generated JavaScript", () => {
  it("are all in the table", () => {
    // These are exact.
    const others = ["relu", "pick", "round_nearest_even", "to_half", "from_half", "truncate"];
    const exact = [...others, "integer_power", "threefry"];
    expect(limits.map(({ name }) => name)).toEqual(helperNames.filter((name) => !exact.includes(name)));
  });

  it.each(limits)("$name is wrong by at most $limit of the result", ({ name, limit }) => {
    const op = unaryOps.find((unary) => unary === name)!;
    const helper: HelperName = helperNames.find((other) => other === name)!;
    const f: (x: number) => number = new Function([...helperText(new Set([helper])), `return ${name};`].join("\n"))();
    let worst = { error: 0, x: 0 };
    for (const x of samples) {
      const [got, wanted] = [f(x), applyUnary(op, "f32", x)];
      if (Object.is(got, wanted)) continue;
      const error = Math.abs(got - wanted) / Math.abs(wanted);
      if (!(error <= worst.error)) worst = { error, x };
    }
    expect(worst.error, `at ${worst.x}`).toBeLessThanOrEqual(limit);
  });
});
