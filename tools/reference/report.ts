// The table that `npm run reference` prints: by operation, what passed, what failed and why, what is not covered and why.

import { relativeTolerance } from "./compare.ts";
import type { CaseResult } from "./run.ts";

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly notCovered: number;
}

export function totalsOf(results: readonly CaseResult[]): Totals {
  const count = (status: CaseResult["status"]): number => results.filter((result) => result.status === status).length;
  return { passed: count("passed"), failed: count("failed"), notCovered: count("not covered") };
}

export function formatReport(results: readonly CaseResult[]): string {
  const operations = [...new Set(results.map(({ operation }) => operation))].sort();
  const width = Math.max(12, ...operations.map((name) => name.length)) + 2;
  const lines = [`${"operation".padEnd(width)}passed  failed  not covered  worst error`];
  for (const operation of operations) {
    const mine = results.filter((result) => result.operation === operation);
    const { passed, failed, notCovered } = totalsOf(mine);
    const errors = mine.flatMap(({ error }) => (error === undefined ? [] : [error]));
    const worst = errors.length > 0 ? Math.max(...errors).toExponential(1) : "";
    const cells = [
      String(passed).padStart(6),
      String(failed).padStart(8),
      String(notCovered).padStart(13),
      `  ${worst}`,
    ];
    lines.push(`${operation.padEnd(width)}${cells.join("")}`.trimEnd());
  }
  const listed = (title: string, status: CaseResult["status"]): string[] => {
    const mine = results.filter((result) => result.status === status);
    return mine.length === 0 ? [] : ["", title, ...mine.map(({ name, why }) => `  ${name}: ${why}`)];
  };
  const near = results.filter(({ allowance }) => allowance).map(({ name }) => name);
  const notes = results.flatMap(({ name, note }) => (note ? [`  ${name}: ${note}`] : []));
  const { passed, failed, notCovered } = totalsOf(results);
  return [
    ...lines,
    ...listed("Not covered:", "not covered"),
    ...listed("Failed:", "failed"),
    ...(near.length > 0
      ? [
          "",
          `Within PyTorch's own float32 error, though not within ${relativeTolerance} of the tensor's largest element:`,
        ]
      : []),
    ...near.map((name) => `  ${name}`),
    ...(notes.length > 0 ? ["", "Passed, but for elements that are not compared:", ...notes] : []),
    "",
    `${passed} passed, ${failed} failed, ${notCovered} not covered`,
  ].join("\n");
}
