// Common subexpressions within one point of a kernel: what several results share is computed once, under a name. Arms of
// selections that keep an index in bounds are entered only where their condition holds.

import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";

export type Fresh = (stem: string) => string;

export interface Bound {
  readonly statements: readonly Stmt[];
  /** The roots, over the names that the statements introduce. */
  readonly values: readonly Expr[];
}

/** Statements that name what is used more than once in `roots`, and the roots in terms of those names. */
export function bind(roots: readonly Expr[], fresh: Fresh): Bound {
  const pool = new Pool();
  const statements: Stmt[] = [];
  const values = bindIn(
    roots.map((root) => pool.intern(root)),
    pool,
    new Map(),
    statements,
    fresh,
  );
  return { statements, values };
}

/** Makes equal expressions identical, by numbers instead of texts: the text of a shared expression may be exponentially long. */
class Pool {
  private readonly ids = new Map<Expr, number>();
  private readonly byKey = new Map<string, Expr>();
  private readonly interned = new Map<Expr, Expr>();

  intern(expr: Expr): Expr {
    const known = this.interned.get(expr);
    if (known) return known;
    const children = childrenOf(expr);
    const parts = children.map((child) => this.intern(child));
    const key = `${headOf(expr)} ${parts.map((part) => this.ids.get(part)).join()}`;
    const same = this.byKey.get(key);
    const result = same ?? (parts.every((part, i) => part === children[i]) ? expr : withChildren(expr, parts));
    if (!same) {
      this.byKey.set(key, result);
      this.ids.set(result, this.ids.size);
    }
    this.interned.set(expr, result);
    return result;
  }
}

function bindIn(
  roots: readonly Expr[],
  pool: Pool,
  outer: ReadonlyMap<Expr, Expr>,
  statements: Stmt[],
  fresh: Fresh,
): Expr[] {
  const names = new Map(outer);
  const uses = new Map<Expr, number>();
  const count = (expr: Expr): void => {
    const before = uses.get(expr) ?? 0;
    uses.set(expr, before + 1);
    if (before > 0 || names.has(expr)) return;
    if (isGuard(expr)) count(expr.condition);
    else childrenOf(expr).forEach(count);
  };
  roots.forEach(count);

  const done = new Map<Expr, Expr>();
  const rewrite = (expr: Expr): Expr => {
    const known = names.get(expr) ?? done.get(expr);
    if (known) return known;
    const made = make(expr);
    const result =
      isWorthAName(expr) && (uses.get(expr) ?? 0) > 1 && made.kind !== "variable" ? name(expr, made) : made;
    done.set(expr, result);
    return result;
  };
  const name = (expr: Expr, value: Expr): Expr => {
    const variable = k.variable(fresh(stemOf(expr)), expr.type);
    if (variable.kind === "variable") statements.push(k.let(variable.name, value));
    names.set(expr, variable);
    return variable;
  };
  const make = (expr: Expr): Expr => {
    if (isGuard(expr)) return guarded(expr);
    const children = childrenOf(expr);
    const parts = children.map(rewrite);
    return parts.every((part, i) => part === children[i]) ? expr : withChildren(expr, parts);
  };
  const guarded = (expr: Select): Expr => {
    const condition = rewrite(expr.condition);
    const arms = [expr.a, expr.b].map((arm) => {
      const inside: Stmt[] = [];
      const [value] = bindIn([arm], pool, names, inside, fresh);
      return { inside, value: value! };
    });
    const [a, b] = [arms[0]!, arms[1]!];
    if (a.inside.length + b.inside.length === 0) return k.select(condition, a.value, b.value);
    const variable = fresh("part");
    statements.push(
      k.var(variable, k.constant(0, expr.type)),
      k.if(condition, [...a.inside, k.assign(variable, a.value)], [...b.inside, k.assign(variable, b.value)]),
    );
    return k.variable(variable, expr.type);
  };
  return roots.map(rewrite);
}

type Select = Extract<Expr, { kind: "select" }>;

/** A selection by position alone: it decides what exists, and loads in its arms may not be moved out of them. */
const isGuard = (expr: Expr): expr is Select => expr.kind === "select" && isPositional(expr.condition);

function isPositional(condition: Expr): boolean {
  switch (condition.kind) {
    case "compare":
      return condition.a.type === "index";
    case "binary":
      return condition.type === "bool" && isPositional(condition.a) && isPositional(condition.b);
    case "unary":
      return isPositional(condition.x);
    default:
      return false;
  }
}

/** Index arithmetic is left to `hoist`, but for divisions. */
function isWorthAName(expr: Expr): boolean {
  if (expr.kind === "constant" || expr.kind === "variable") return false;
  return expr.type !== "index" || (expr.kind === "binary" && (expr.op === "floordiv" || expr.op === "remainder"));
}

const stemOf = (expr: Expr): string => {
  switch (expr.kind) {
    case "load":
      return `${expr.buffer}_at`;
    case "unary":
      return expr.op;
    default:
      return "t";
  }
};

/** What an expression is, apart from its operands. */
function headOf(expr: Expr): string {
  switch (expr.kind) {
    case "constant":
      return `${Object.is(expr.value, -0) ? "-0" : expr.value}:${expr.type}`;
    case "variable":
      return `$${expr.name}:${expr.type}`;
    case "load":
      return `load ${expr.buffer} ${expr.type}`;
    case "unary":
    case "binary":
    case "compare":
      return `${expr.kind} ${expr.op} ${expr.type}`;
    case "convert":
      return `convert ${expr.type}`;
    case "lane":
      return `lane ${expr.lane}`;
    case "reduce_lanes":
      return `reduce_lanes ${expr.op}`;
    case "select":
    case "threefry":
    case "fma":
    case "splat":
    case "vector":
      return expr.kind;
  }
}

/** The same expression over other operands. */
export function withChildren(expr: Expr, parts: readonly Expr[]): Expr {
  const [x, y, z, w] = parts;
  switch (expr.kind) {
    case "constant":
    case "variable":
      return expr;
    case "load":
      return k.load(expr.buffer, x!, expr.type);
    case "unary":
      return { ...expr, x: x! };
    case "convert":
      return k.convert(x!, expr.type);
    case "binary":
      return expr.type === "index" ? k.binary(expr.op, x!, y!) : { ...expr, a: x!, b: y! };
    case "compare":
      return k.compare(expr.op, x!, y!);
    case "select":
      return k.select(x!, y!, z!);
    case "threefry":
      return k.threefry([x!, y!], [z!, w!]);
    case "fma":
      return k.fma(x!, y!, z!);
    case "splat":
      return k.splat(x!);
    case "vector":
      return k.vector([x!, y!, z!, w!]);
    case "lane":
      return k.lane(x!, expr.lane);
    case "reduce_lanes":
      return k.reduceLanes(expr.op, x!);
  }
}
