// From the results of the harness to tables: our times beside those of other engines, and how many times faster we are.
// Pure text from data; bench/compare.ts runs the harness and writes what comes out here to docs/performance.md.

/** One engine on one workload. */
export interface Figure {
  /** Milliseconds of a run with its read-back: the median of the blocks' medians. Absent where it did not run. */
  readonly msTot?: number;
  /** Milliseconds of the fastest run. */
  readonly min?: number;
  /** Blocks that were measured while other processes took the processor. */
  readonly dirtyBlocks?: number;
  /** The engine has no such workload. */
  readonly na?: boolean;
  readonly err?: string;
  /** Largest difference of its first 4096 results from those of the first engine. */
  readonly maxdiff?: number;
}

/** What the harness writes: workloads by id, engines by name. */
export interface Results {
  readonly date: string;
  readonly threads: number;
  /** The line of /proc/loadavg when the run began. */
  readonly load: string;
  readonly rows: Readonly<Record<string, Readonly<Record<string, Figure>>>>;
}

export interface Comparison {
  /** The column of ours that is compared. */
  readonly ours: string;
  /** The engines that it is compared with: with the best of them for each workload. */
  readonly rivals: readonly string[];
}

export interface Ratio {
  readonly id: string;
  readonly best: string;
  /** How many times as long the best rival takes, by medians and by fastest runs. */
  readonly median: number;
  readonly fastest: number;
}

/** For each workload that both ran: the best rival, and the ratio of its time to ours. */
export function ratiosOf({ rows }: Results, { ours, rivals }: Comparison): Ratio[] {
  return Object.entries(rows).flatMap(([id, row]) => {
    const mine = row[ours];
    if (mine?.msTot === undefined || mine.min === undefined) return [];
    const timed = rivals.flatMap((name) => {
      const { msTot, min } = row[name] ?? {};
      return msTot === undefined || min === undefined ? [] : [{ name, msTot, min }];
    });
    if (timed.length === 0) return [];
    const best = timed.reduce((a, b) => (b.msTot < a.msTot ? b : a));
    const fastest = Math.min(...timed.map(({ min }) => min));
    return [{ id, best: best.name, median: best.msTot / mine.msTot, fastest: fastest / mine.min }];
  });
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Times in milliseconds, a row for each workload and a column for each engine; disturbed figures have a star. */
export function timeTable({ rows }: Results): string {
  const engines = [...new Set(Object.values(rows).flatMap((row) => Object.keys(row)))];
  const body = Object.entries(rows).map(([id, row]) => [id, ...engines.map((name) => timeOf(row[name]))]);
  return markdown(["", ...engines], body);
}

function timeOf(figure: Figure | undefined): string {
  if (figure?.msTot === undefined) return figure?.err === undefined ? "–" : "fails";
  return `${significant(figure.msTot)}${figure.dirtyBlocks ? "*" : ""}`;
}

/** How many times faster ours is, a row for each workload, and the geometric mean. */
export function ratioTable(results: Results, comparison: Comparison): string {
  const ratios = ratiosOf(results, comparison);
  const body = ratios.map(({ id, best, median, fastest }) => [id, best, significant(median), significant(fastest)]);
  const means = [ratios.map(({ median }) => median), ratios.map(({ fastest }) => fastest)].map(geometricMean);
  const last = ratios.length > 1 ? [["geometric mean", "", ...means.map(significant)]] : [];
  return markdown(["", "best rival", "by medians", "by fastest runs"], [...body, ...last]);
}

/** Three significant digits, without an exponent. */
const significant = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

function markdown(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...body].map((row) => row[column]?.length ?? 0)));
  // The first column is text, the others are numbers.
  const aligned = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!);
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [head, rule, ...body].map((cells) => `| ${cells.map(aligned).join(" | ")} |`).join("\n");
}
