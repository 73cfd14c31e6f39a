// Expressions as WGSL: text whose length, and the time to write it, grow with the expression.

import { describe, expect, it } from "vitest";
import { renderValue } from "../../../src/backends/wgsl/expression.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import type { Expr } from "../../../src/ir/kernel/types.ts";

describe("expressions in shaders", () => {
  for (const op of [k.add, k.subtract, k.multiply, k.divide, k.maximum]) {
    it(`render each operand of a long chain of ${op.name} once`, () => {
      // A sum over the parameters of a model is this long; with two renderings at each step it would never end.
      const links = 60;
      let names = 0;
      const x = k.variable("x", "f32");
      const chain = Array.from({ length: links }).reduce<Expr>((sum) => op(sum, x), x);
      renderValue(chain, {
        name: (variable) => {
          names++;
          return variable;
        },
        element: (buffer) => buffer,
        size: () => undefined,
        isNatural: () => true,
        use: (name) => name,
      });
      expect(names).toBe(links + 1);
    });
  }
});
