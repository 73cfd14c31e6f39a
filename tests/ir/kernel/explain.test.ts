// What is said of a schedule: what the loops of the kernel show.

import { expect, it } from "vitest";
import { explainSchedule } from "../../../src/ir/kernel/explain.ts";
import { parseKernel } from "../../../src/ir/kernel/parse.ts";

const explain = (body: string): readonly string[] =>
  explainSchedule(
    parseKernel(
      `kernel test(N, read x: f32[64*N], read w: f32[512], write y: f32[8*N]) cost 0 flops, 0 bytes {\n${body}\n}\n`,
    ),
  );

it("counts what a tile holds in registers", () => {
  const lines = explain(`
  for m in 0..N step 2 parallel over m {
    for n in 0..8 step 8 parallel over n {
      var a = splat(0.0)
      var b = splat(0.0)
      var c = splat(0.0)
      var d = splat(0.0)
      for k in 0..64 over k {
        a = a + splat(x[m * 64 + k]) * load4(w[k * 8])
        b = b + splat(x[m * 64 + k]) * load4(w[k * 8 + 4])
        c = c + splat(x[m * 64 + k + 64]) * load4(w[k * 8])
        d = d + splat(x[m * 64 + k + 64]) * load4(w[k * 8 + 4])
      }
      y[m * 8] = a
      y[m * 8 + 4] = b
      y[m * 8 + 8] = c
      y[m * 8 + 12] = d
    }
  }`);
  expect(lines).toEqual([
    "a tile of 2 rows × 8 columns: what is loaded of a row serves 8 sums, of a column 2",
    "4 vectors in registers while k runs from 0 to 64, whose lanes are neighbouring results",
    "independent: m (0 to N by 2), n (0 to 8 by 8)",
  ]);
});

it("tells vectors of terms from vectors of results", () => {
  const lines = explain(`
  for i in 0..N parallel over row {
    var sum = splat(0.0)
    for k in 0..64 step 4 over k {
      sum = sum + load4(x[i * 64 + k])
    }
    y[i] = reduce_add(sum)
  }`);
  expect(lines).toEqual([
    "1 vector in registers while k runs from 0 to 64 by 4, whose lanes take turns at terms that lie side by side",
    "independent: i (0 to N)",
  ]);
});

it("names panels and scratch memory", () => {
  const lines = explain(`
  alloc panel: f32[256]
  for n in 0..8 step 4 parallel over n {
    block "columns side by side" {
      for k in 0..64 over k {
        panel[k] = w[k * 8 + n]
      }
    }
    for m in 0..N parallel over m {
      var sum = 0.0
      for k in 0..64 over k {
        sum = sum + x[m * 64 + k] * panel[k]
      }
      y[m * 8 + n] = sum
    }
  }`);
  expect(lines).toEqual([
    "1 value in registers while k runs from 0 to 64",
    "columns are copied side by side first, since all tiles of rows read them, one after the other",
    "scratch: panel, 256 elements, 1024 bytes",
    "independent: n (0 to 8 by 4), m (0 to N)",
  ]);
});

it("says how results without sums are computed", () => {
  expect(explain("for i in 0..N parallel over element {\n y[i] = x[i]\n }")).toEqual([
    "results one by one",
    "independent: i (0 to N)",
  ]);
  expect(explain("for i in 0..N * 8 step 4 parallel over element {\n y[i] = load4(x[i])\n }")).toEqual([
    "results in vectors of four, whose lanes are neighbours",
    "independent: i (0 to N * 8 by 4)",
  ]);
  expect(
    explain("for i in 0..N parallel over element {\n var s = 0.0\n s = s + x[i]\n s = s + x[i + 1]\n y[i] = s\n }"),
  ).toEqual(["sums, their terms written out, one by one", "independent: i (0 to N)"]);
});
