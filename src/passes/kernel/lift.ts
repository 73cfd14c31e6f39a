// Lifting: a body written for lane 0 of a loop becomes one over vectors of four. What walks through memory by 1 is loaded and
// stored as a vector, what is the same for all lanes is splat, arithmetic goes lane by lane, and what is neither is put together
// from four scalars.

import { strideOf } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import { type Expr, type Stmt, type ValueType, vectorOf } from "../../ir/kernel/types.ts";
import { mapChildren, substitute } from "./rewrite.ts";
import { createDependence, findVarying, hasLoad } from "./vary.ts";

export interface Lifting {
  /** The variable whose values v, v + 1, v + 2, v + 3 are the lanes. */
  readonly variable: string;
  /** Registers outside the body that hold vectors already: accumulators with a partial result for each lane. */
  readonly vectors: ReadonlySet<string>;
  readonly fresh: (stem: string) => string;
}

/** The body over vectors; undefined where a loop or condition in it depends on the lane, or what varies has no vector type. */
export function lift(body: readonly Stmt[], lifting: Lifting): readonly Stmt[] | undefined {
  const varying = findVarying(body, lifting.variable, lifting.vectors);
  return varying && createLifter(lifting, varying).body(body);
}

function createLifter({ variable, fresh }: Lifting, varying: ReadonlySet<string>) {
  const depends = createDependence(variable, varying);
  /** Names of indices that differ from lane to lane: there are no vectors of them, so that their meaning takes their place. */
  const inlined = new Map<string, Expr>();
  const resolve = (expr: Expr): Expr => substitute(expr, inlined);

  const vectorType = (type: ValueType) => {
    const vector = vectorOf(type);
    if (!vector) throw new TypeError(`there are no vectors of ${type}`);
    return vector;
  };

  /** The scalar that lane `at` computes. */
  function inLane(expr: Expr, at: number): Expr {
    if (expr.kind === "variable") {
      if (expr.name === variable) return k.add(expr, at);
      return varying.has(expr.name) ? k.lane(k.variable(expr.name, vectorType(expr.type)), at) : expr;
    }
    return mapChildren(expr, (child) => inLane(child, at));
  }

  const byLanes = (expr: Expr): Expr => k.vector([inLane(expr, 0), inLane(expr, 1), inLane(expr, 2), inLane(expr, 3)]);

  /** Makes vectors of expressions; what has to be computed by statements goes to `before`. */
  function vectors(before: Stmt[]): (expr: Expr) => Expr {
    const known = new Map<Expr, Expr>();
    const vector = (expr: Expr): Expr => {
      const done = known.get(expr);
      if (done) return done;
      const made = make(expr);
      known.set(expr, made);
      return made;
    };
    const make = (expr: Expr): Expr => {
      const type = vectorType(expr.type);
      if (expr.kind === "constant") return k.constant(expr.value, type);
      if (!depends(expr)) return k.splat(expr);
      switch (expr.kind) {
        case "variable":
          return k.variable(expr.name, type);
        case "load": {
          const stride = strideOf(expr.index, variable)?.coefficient;
          const consecutive = stride?.kind === "constant" && stride.value === 1 && !dependsOnVectors(expr.index);
          return consecutive ? k.load(expr.buffer, expr.index, type) : byLanes(expr);
        }
        case "select":
          if (!depends(expr.condition)) return choose(expr);
          // Only the arm that is chosen may be read where a position decides.
          if (isPositional(expr.condition)) return hasLoad(expr.a) || hasLoad(expr.b) ? byLanes(expr) : over(expr);
          return over(expr);
        default:
          return over(expr);
      }
    };
    /** The same operation on vectors; of scalars where an operand has no vector type. */
    const over = (expr: Expr): Expr => {
      const children = childrenOf(expr);
      if (children.some((child) => !vectorOf(child.type))) return counted(expr) ?? byLanes(expr);
      const [a, b, c, d] = children.map(vector);
      switch (expr.kind) {
        case "unary":
          return k.unary(expr.op, a!);
        case "binary":
          return k.binary(expr.op, a!, b!);
        case "compare":
          return k.compare(expr.op, a!, b!);
        case "select":
          return k.select(a!, b!, c!);
        case "convert":
          return k.convert(a!, vectorType(expr.type));
        case "fma":
          return k.fma(a!, b!, c!);
        case "threefry":
          return k.threefry([a!, b!], [c!, d!]);
        default:
          throw new TypeError(`${expr.kind} is not for scalars`);
      }
    };
    /** A position as an integer counts up from lane to lane. */
    const counted = (expr: Expr): Expr | undefined => {
      if (expr.kind !== "convert" || expr.type !== "i32" || expr.x.type !== "index") return undefined;
      const stride = dependsOnVectors(expr.x) ? undefined : strideOf(expr.x, variable)?.coefficient;
      if (stride?.kind !== "constant") return undefined;
      const lane = (at: number): Expr => k.constant(at * stride.value, "i32");
      return k.add(k.splat(expr), k.vector([lane(0), lane(1), lane(2), lane(3)]));
    };
    /** One condition for all lanes: only the arm that it chooses is evaluated. */
    const choose = (expr: Select): Expr => {
      const type = vectorType(expr.type);
      if (!hasLoad(expr.a) && !hasLoad(expr.b)) {
        return k.select(k.splat(expr.condition), vector(expr.a), vector(expr.b));
      }
      const name = fresh("part");
      const arm = (value: Expr): Stmt[] => {
        const inside: Stmt[] = [];
        const result = vectors(inside)(value);
        return [...inside, k.assign(name, result)];
      };
      before.push(k.var(name, k.constant(0, type)), k.if(expr.condition, arm(expr.a), arm(expr.b)));
      return k.variable(name, type);
    };
    return vector;
  }

  const dependsOnVectors = createDependence(undefined, varying);

  function statement(s: Stmt): readonly Stmt[] {
    switch (s.kind) {
      case "for":
        return [{ ...s, from: resolve(s.from), to: resolve(s.to), body: body(s.body) }];
      case "if":
        return [{ ...s, condition: resolve(s.condition), then: body(s.then), otherwise: body(s.otherwise) }];
      case "block":
        return [{ ...s, body: body(s.body) }];
      case "alloc":
      case "barrier":
        return [s];
      case "let":
      case "var":
      case "assign": {
        const value = resolve(s.value);
        if (!varying.has(s.name)) return [{ ...s, value }];
        if (value.type === "index") {
          inlined.set(s.name, value);
          return [];
        }
        const before: Stmt[] = [];
        const lifted = vectors(before)(value);
        return [...before, { ...s, value: lifted }];
      }
      case "store":
        return store({ ...s, index: resolve(s.index), value: resolve(s.value) });
    }
  }

  function store(s: Extract<Stmt, { kind: "store" }>): readonly Stmt[] {
    const stride = dependsOnVectors(s.index) ? undefined : strideOf(s.index, variable)?.coefficient;
    const lanes = [0, 1, 2, 3];
    if (!vectorOf(s.value.type)) return lanes.map((at) => k.store(s.buffer, inLane(s.index, at), inLane(s.value, at)));
    const before: Stmt[] = [];
    const value = vectors(before)(s.value);
    if (stride?.kind === "constant" && stride.value === 1) return [...before, k.store(s.buffer, s.index, value)];
    const name = fresh("lanes");
    const whole = k.variable(name, value.type);
    return [
      ...before,
      k.let(name, value),
      ...lanes.map((at) => k.store(s.buffer, inLane(s.index, at), k.lane(whole, at))),
    ];
  }

  const body = (statements: readonly Stmt[]): readonly Stmt[] => statements.flatMap(statement);
  return { body };
}

type Select = Extract<Expr, { kind: "select" }>;

/** Whether an index decides: then an arm may not exist. What was stored decides nothing of that kind, wherever it lies. */
const isPositional = (condition: Expr): boolean =>
  condition.type === "index" || (condition.kind !== "load" && childrenOf(condition).some(isPositional));
