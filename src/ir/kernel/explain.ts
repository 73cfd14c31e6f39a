// What a schedule made of a kernel, in words: the transformations that it noted, and tiles, vectors, panels, passes. These are read off
// the finished kernel, so that they say what is there, whoever made it.

import { bytesOf } from "../dtype.ts";
import { printExpr } from "./print.ts";
import { type Expr, isVector, type Kernel, type Stmt } from "./types.ts";

type Loop = Extract<Stmt, { kind: "for" }>;

/** Lines for readers, most important first. */
export function explainSchedule(kernel: Kernel): readonly string[] {
  const scratch = statementsIn(kernel.body).flatMap((s) => (s.kind === "alloc" ? [s] : []));
  return [
    ...(kernel.schedule ?? []),
    ...explainSums(kernel),
    ...(statementsIn(kernel.body).some((s) => s.kind === "block" && s.label === panelLabel)
      ? ["columns are copied side by side first, since all tiles of rows read them, one after the other"]
      : []),
    ...scratch.map(
      ({ name, dtype, length }) => `scratch: ${name}, ${length} elements, ${length * bytesOf[dtype]} bytes`,
    ),
    ...explainLoops(kernel),
  ];
}

/** The heading of the block that fills a panel. */
const panelLabel = "columns side by side";

/** The loop that adds up, and what stands around it. Main parts come before what they leave over: the first one counts. */
function findSums(body: readonly Stmt[], around: readonly Loop[]): Sums | undefined {
  for (const s of body) {
    if (s.kind === "for" && (s.role === "k" || s.role === "window") && !s.body.some(isLoop)) {
      const sums = [...sumsOf(s).values()];
      if (sums.length > 0) return { loop: s, sums, around };
    }
    for (const inner of bodiesOf(s)) {
      const found = findSums(inner, s.kind === "for" ? [...around, s] : around);
      if (found) return found;
    }
  }
  return undefined;
}

interface Sums {
  readonly loop: Loop;
  /** What is assigned to each of the registers. */
  readonly sums: readonly Expr[];
  /** Outermost first. */
  readonly around: readonly Loop[];
}

/** How many sums (or products, maxima) are worked on at once, and in what. */
function explainSums(kernel: Kernel): string[] {
  const found = findSums(kernel.body, []);
  if (!found) {
    const isSum = (s: Stmt): boolean => s.kind === "assign" && s.value.type !== "index";
    const what = statementsIn(kernel.body).some(isSum) ? "sums, their terms written out," : "results";
    return [storesVectors(kernel) ? `${what} in vectors of four, whose lanes are neighbours` : `${what} one by one`];
  }
  const { loop, sums, around } = found;
  const wide = sums.some((value) => isVector(value.type));
  const inLanes = wide && hasReduction(kernel.body);
  const lanes = !wide
    ? ""
    : inLanes
      ? ", whose lanes take turns at terms that lie side by side"
      : ", whose lanes are neighbouring results";
  const count = `${sums.length} ${wide ? "vector" : "value"}${sums.length === 1 ? "" : "s"}`;
  const range = `${printExpr(loop.from)} to ${printExpr(loop.to)}${loop.step === 1 ? "" : ` by ${loop.step}`}`;
  const lines = [`${count} in registers while ${loop.variable} runs from ${range}${lanes}`];
  const tile = tileOf(around, sums.length * (wide && !inLanes ? 4 : 1));
  if (tile) {
    const [rows, columns] = tile;
    lines.unshift(
      `a tile of ${rows} rows × ${columns} columns: what is loaded of a row serves ${columns} sums, of a column ${rows}`,
    );
  }
  return lines;
}

/** Rows and columns of so many results; a loop over either tells how many of its kind there are. */
function tileOf(around: readonly Loop[], results: number): readonly [rows: number, columns: number] | undefined {
  const rows = around.find(({ role }) => role === "m")?.step;
  const columns = around.find(({ role }) => role === "n")?.step;
  if (rows !== undefined && rows < results && results % rows === 0) return [rows, results / rows];
  if (columns !== undefined && columns < results && results % columns === 0) return [results / columns, columns];
  return undefined;
}

/** The registers that a loop carries from one iteration to the next. */
function sumsOf({ body }: Loop): Map<string, Expr> {
  const own = new Set(body.flatMap((s) => (s.kind === "var" || s.kind === "let" ? [s.name] : [])));
  const sums = new Map<string, Expr>();
  // Addresses are carried as well, but are no sums.
  for (const s of body)
    if (s.kind === "assign" && !own.has(s.name) && s.value.type !== "index") sums.set(s.name, s.value);
  return sums;
}

/** The loops that stand outside, as far as their iterations are independent. */
function explainLoops({ body }: Kernel): string[] {
  const lines = body.flatMap((s) => {
    if (s.kind !== "for") return [];
    const names: string[] = [];
    for (let at: Stmt | undefined = s; at?.kind === "for" && at.mode === "parallel"; ) {
      names.push(
        `${at.variable} (${printExpr(at.from)} to ${printExpr(at.to)}${at.step === 1 ? "" : ` by ${at.step}`})`,
      );
      const inner: readonly Stmt[] = at.body.filter(isLoop);
      at = inner.length === 1 ? inner[0] : undefined;
    }
    return names.length === 0 ? [] : [`independent: ${names.join(", ")}`];
  });
  return [...new Set(lines)];
}

const isLoop = (s: Stmt): boolean => s.kind === "for";

const bodiesOf = (s: Stmt): readonly (readonly Stmt[])[] => {
  switch (s.kind) {
    case "for":
    case "block":
      return [s.body];
    case "if":
      return [s.then, s.otherwise];
    default:
      return [];
  }
};

const statementsIn = (body: readonly Stmt[]): Stmt[] =>
  body.flatMap((s) => [s, ...bodiesOf(s).flatMap((inner) => statementsIn(inner))]);

const storesVectors = ({ body }: Kernel): boolean =>
  statementsIn(body).some((s) => s.kind === "store" && isVector(s.value.type));

/** Whether lanes of a vector are brought together. */
const hasReduction = (body: readonly Stmt[]): boolean =>
  statementsIn(body).some(
    (s) => (s.kind === "let" || s.kind === "var" || s.kind === "assign" || s.kind === "store") && reduces(s.value),
  );

function reduces(expr: Expr): boolean {
  switch (expr.kind) {
    case "reduce_lanes":
      return true;
    case "unary":
    case "convert":
    case "splat":
    case "lane":
      return reduces(expr.x);
    case "binary":
    case "compare":
      return reduces(expr.a) || reduces(expr.b);
    case "select":
    case "fma":
      return [expr.a, expr.b, expr.kind === "fma" ? expr.c : expr.condition].some(reduces);
    case "vector":
      return expr.lanes.some(reduces);
    case "constant":
    case "variable":
    case "load":
    case "threefry":
      return false;
  }
}
