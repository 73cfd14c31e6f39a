// Programs with random mistakes: whatever is changed, the compiler answers with a program or with diagnostics, and soon.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { DiagnosticError, renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { format } from "../../src/dsl/format.ts";
import { std } from "../../src/dsl/std.generated.ts";
import { digits, xor } from "../cli/models.ts";
import { patience, processorTime } from "./compile.ts";

const cnn = readFileSync(join(import.meta.dirname, "../../models/digits_cnn.dlm"), "utf8");
/** Programs to spoil: also the library, which has statements of every kind, with a model that makes it a program. */
const programs = [xor, digits, cnn, ...Object.values(std).map((text) => `${text}\n${xor}`)];

const pieces = (text: string): string[] => text.match(/[\w.]+|"[^"\n]*"|\|>|\s+|[^\s\w]/g) ?? [];
const numbers = ["0", "-1", "7", "1000000", "99999999999", "0.5", "1e400", "none", '"a"', "true"];
const words = [...new Set(programs.flatMap(pieces)), ...numbers];

interface Edit {
  readonly kind: "leave out" | "replace" | "insert" | "cut";
  /** Where, as a share of the program. */
  readonly at: number;
  readonly word: string;
  readonly count: number;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom("leave out", "replace", "insert", "cut"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  word: fc.constantFrom(...words),
  count: fc.nat(30),
});

function spoil(text: string, edits: readonly Edit[]): string {
  const parts = pieces(text);
  for (const { kind, at, word, count } of edits) {
    const place = Math.floor(at * parts.length);
    if (kind === "leave out") parts.splice(place, 1);
    else if (kind === "replace") parts.splice(place, 1, word);
    else if (kind === "insert") parts.splice(place, 0, word);
    else parts.splice(place, count);
  }
  return parts.join("");
}

it("a spoilt program is refused with diagnostics, or is a program", () => {
  const property = fc.property(
    fc.constantFrom(...programs),
    fc.array(edit, { minLength: 1, maxLength: 4 }),
    (program, edits) => {
      const text = spoil(program, edits);
      const began = processorTime();
      const { module, diagnostics } = compileSource({ name: "spoilt.dlm", text }, () => undefined);
      expect(processorTime() - began).toBeLessThan(patience);
      expect(module !== undefined || diagnostics.length > 0).toBe(true);
      for (const { file, span } of diagnostics) expect(span.start).toBeLessThanOrEqual(file.text.length);
      expect(renderDiagnostics(diagnostics)).not.toContain("undefined");
      try {
        const formatted = format(text, "spoilt.dlm");
        expect(format(formatted, "spoilt.dlm")).toBe(formatted);
      } catch (error) {
        expect(error).toBeInstanceOf(DiagnosticError);
      }
    },
  );
  fc.assert(property, { numRuns: 400, seed: 2, interruptAfterTimeLimit: 20_000 });
});
