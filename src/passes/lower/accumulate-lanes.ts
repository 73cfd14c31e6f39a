// Sums along memory: the innermost loop of a reduction in vectors, with a partial result in each lane and, where few results leave
// registers free, in several vectors. At the end the vectors are joined, always in the same order, and what is left over is added.

import { k } from "../../ir/kernel/build.ts";
import type { Expr, LaneReduction, LoopRole, Stmt } from "../../ir/kernel/types.ts";
import { vectorOf } from "../../ir/kernel/types.ts";
import { lift } from "../kernel/lift.ts";
import { substitute, substituteIn } from "../kernel/rewrite.ts";
import { narrowed } from "./accumulate.ts";
import { type Advance, advance } from "./advance.ts";
import { type Draft, type LoopAxis, nest } from "./draft.ts";
import { type Accumulators, combination, limitsOf, nameOf, type Reduction } from "./registers.ts";

/**
 * Like `accumulate`; undefined where the step cannot be lifted. `isGuarded` where conditions depend on the
 * innermost loop: then they must bound it.
 */
export function accumulateLanes(
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
  role: LoopRole,
  isGuarded = false,
): readonly Stmt[] | undefined {
  const { lanes, partial } = draft.tiles;
  const { rule, context } = reductions[0]!;
  const domain = rule.domain(context);
  const size = domain.at(-1)!;
  const results = points.length * reductions.length;
  // Where other loops are around it, what is joined at the end counts less.
  const rounds = domain.length > 1 ? 2 : 4;
  const wide = typeof size === "number" ? size >= rounds * lanes * partial : true;
  const width = wide ? Math.max(1, Math.floor(partial / results)) : 1;
  const accumulators = Array.from({ length: width }, () => fresh(draft, reductions, points));
  const first = accumulators[0]!;

  const variables = domain.map((dim) => (dim === 1 ? k.index(0) : k.variable(draft.fresh("k"), "index")));
  const narrowing = narrowed(reductions, points, variables);
  const simplify = narrowing ? narrowing.simplify : (expr: Expr): Expr => expr;
  const limits = limitsOf(reductions[0]!).map((all, i) => narrowing?.bounds.get(i) ?? all);
  const outer = domain.slice(0, -1).map((dim, i): LoopAxis => {
    const bounds = limits[i]!;
    const name = nameIn(variables[i]!);
    return { stem: "k", size: dim, width: 1, role, mode: "serial", ...(name ? { narrowed: { name, bounds } } : {}) };
  });
  const along = limits.at(-1)!;
  // What is known of the innermost loop are its limits, or there is a condition left in each step.
  if (along.step !== 1 || (isGuarded && !narrowing?.bounds.has(outer.length))) return undefined;
  const length = k.subtract(along.to, along.from);
  const upTo = (by: number): Expr => k.add(along.from, k.multiply(k.floordiv(length, by), by));
  const [whole, vectors] = [upTo(width * lanes), upTo(lanes)];
  const over = (from: Expr, to: Expr, step: number, body: (place: readonly Expr[]) => readonly Stmt[]) =>
    nest(outer, draft.fresh, (positions) => {
      const before = positions.map((list) => list[0]!);
      if (isNumber(k.subtract(to, from), step)) return body([...before, from]);
      return [k.loop(draft.fresh("k"), to, (at) => body([...before, at]), { from, step, role })];
    });

  /** One more term at a place. What limits of loops say holds of their variables, so these are replaced after that. */
  const at = (list: readonly Accumulators[], place: readonly Expr[]): Advance => {
    const last = variables.at(-1)!;
    const known = new Map([[nameIn(last), place.at(-1)!]]);
    const values = list.map(({ reduction, point, names }) =>
      reduction.rule
        .step(reduction.context, point, place.with(-1, last), names)
        .map((step) => substitute(simplify(step), known)),
    );
    return { accumulators: list, places: [place], values };
  };

  let liftable = true;
  const inVectors = (count: number) => (place: readonly Expr[]) => {
    const lane = draft.fresh("lane");
    const work = accumulators
      .slice(0, count)
      .map((list, i) => at(list, place.with(-1, k.add(k.add(place.at(-1)!, i * lanes), k.variable(lane, "index")))));
    const names = new Set(accumulators.flat().flatMap((entry) => entry.names.map(nameIn)));
    const body = lift(advance(draft, work, simplify), { variable: lane, vectors: names, fresh: draft.fresh });
    if (!body) liftable = false;
    return substituteIn(body ?? [], new Map([[lane, k.index(0)]]));
  };
  const main = over(along.from, whole, width * lanes, inVectors(width));
  const rest = isNumber(k.subtract(vectors, whole), 0) ? [] : over(whole, vectors, lanes, inVectors(1));
  if (!liftable) return undefined;

  const statements: Stmt[] = [...accumulators.flat().flatMap(zero), ...main, ...rest];
  for (const other of accumulators.slice(1)) statements.push(...joinInto(first, other));
  const scalars = first.map((entry): Accumulators => {
    const name = draft.fresh(nameOf(entry.reduction));
    const x = vectorVariable(entry.names[0]!);
    statements.push(k.var(name, k.reduceLanes(operationOf(entry.reduction), x)));
    return { ...entry, names: [k.variable(name, entry.names[0]!.type)] };
  });
  if (!isNumber(k.subtract(along.to, vectors), 0)) {
    statements.push(...over(vectors, along.to, 1, (place) => advance(draft, [at(scalars, place)], simplify)));
  }
  for (const { reduction, point, names } of scalars) {
    const finish = reduction.rule.finish;
    const value = finish ? finish(reduction.context, names) : names[0]!;
    draft.elements.define(reduction.node.results[0]!, point, value);
  }
  return statements;
}

const fresh = (
  draft: Draft,
  reductions: readonly Reduction[],
  points: readonly (readonly Expr[])[],
): readonly Accumulators[] =>
  reductions.flatMap((reduction) =>
    points.map((point) => {
      const initial = reduction.rule.accumulators(reduction.context);
      const names = initial.map((value) => k.variable(draft.fresh(nameOf(reduction)), value.type));
      return { reduction, point, names };
    }),
  );

/** What changes nothing, in every lane: the initial value of a result that can be combined from parts is that. */
const zero = ({ reduction, names }: Accumulators): Stmt[] =>
  reduction.rule.accumulators(reduction.context).map((value, i) => {
    const constant = value.kind === "constant" ? k.constant(value.value, typeOf(value)) : k.splat(value);
    return k.var(nameIn(names[i]!), constant);
  });

function joinInto(into: readonly Accumulators[], from: readonly Accumulators[]): Stmt[] {
  return into.map((entry, i) => {
    const [a, b] = [vectorVariable(entry.names[0]!), vectorVariable(from[i]!.names[0]!)];
    return k.assign(nameIn(a), k.binary(operationOf(entry.reduction), a, b));
  });
}

const typeOf = ({ type }: Expr) => {
  const vector = vectorOf(type);
  if (!vector) throw new TypeError(`there are no vectors of ${type}`);
  return vector;
};

const isNumber = (expr: Expr, value: number): boolean => expr.kind === "constant" && expr.value === value;

const nameIn = (variable: Expr): string => (variable.kind === "variable" ? variable.name : "");

const vectorVariable = (variable: Expr): Expr => k.variable(nameIn(variable), typeOf(variable));

const operations: Readonly<Record<string, LaneReduction>> = {
  sum: "add",
  product: "multiply",
  max: "maximum",
  min: "minimum",
};

/** How the lanes of a reduction are joined: `combination` says of which it is possible. */
function operationOf(reduction: Reduction): LaneReduction {
  const kind = reduction.rule.contraction ? "sum" : reduction.node.attributes.kind;
  const operation = typeof kind === "string" ? operations[kind] : undefined;
  if (!operation || !combination(reduction)) throw new TypeError(`${reduction.node.op} has no partial results`);
  return operation;
}
