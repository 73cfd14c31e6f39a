// Smart constructors of the kernel IR. Index arithmetic is kept in an affine normal form; of floating-point arithmetic only
// identities that hold for NaN, infinities and -0 are used, so that every back-end computes what was written.

import type { Dim, Factor } from "../dim.ts";
import type { DType } from "../dtype.ts";
import {
  type Affine,
  type AffineTerm,
  addAffine,
  constantAffine,
  constantOf,
  fromAffine,
  multiplyAffine,
  scaleAffine,
  toAffine,
} from "./affine.ts";
import {
  type BinaryOp,
  type CompareOp,
  type Expr,
  isVector,
  type LaneReduction,
  type LoopMode,
  type LoopRole,
  type Stmt,
  scalarOf,
  type UnaryOp,
  type ValueType,
  type VectorType,
  vectorOf,
} from "./types.ts";

/** A number stands for a constant of the type of the other operand. */
export type Operand = Expr | number;

/** A constant of any type: of a vector type in all lanes. */
function constant(value: number, type: ValueType): Expr {
  return isVector(type) ? splat(constant(value, scalarOf(type))) : { kind: "constant", type, value };
}
const index = (value: number): Expr => constant(value, "index");
const bool = (value: boolean): Expr => constant(value ? 1 : 0, "bool");
const variable = (name: string, type: ValueType): Expr => ({ kind: "variable", type, name });

const isConstant = (expr: Expr, value: number): boolean => expr.kind === "constant" && Object.is(expr.value, value);

function pair(x: Operand, y: Operand, what: string): readonly [Expr, Expr] {
  const type = typeof x !== "number" ? x.type : typeof y !== "number" ? y.type : "index";
  const [a, b] = [x, y].map((operand) => (typeof operand === "number" ? constant(operand, type) : operand));
  if (a!.type !== b!.type) throw new TypeError(`${what} of ${a!.type} and ${b!.type}`);
  return [a!, b!];
}

function binary(op: BinaryOp, x: Operand, y: Operand): Expr {
  const [a, b] = pair(x, y, op);
  if (a.type === "index") return indexBinary(op, a, b);
  if (a.type === "bool") {
    if (op === "and" && isConstant(a, 1)) return b;
    if (op === "and" && isConstant(b, 1)) return a;
    if (op === "or" && isConstant(a, 0)) return b;
    if (op === "or" && isConstant(b, 0)) return a;
    if (op === "and" && (isConstant(a, 0) || isConstant(b, 0))) return bool(false);
    if (op === "or" && (isConstant(a, 1) || isConstant(b, 1))) return bool(true);
  }
  // x + 0 is not x for x = -0, but x - 0 and x + -0 are.
  const isFloat = a.type === "f32" || a.type === "f16";
  if (op === "add" && isConstant(b, isFloat ? -0 : 0)) return a;
  if (op === "add" && isConstant(a, isFloat ? -0 : 0)) return b;
  if (op === "subtract" && isConstant(b, 0)) return a;
  if ((op === "multiply" || op === "divide") && isConstant(b, 1)) return a;
  if (op === "multiply" && isConstant(a, 1)) return b;
  return { kind: "binary", type: a.type, op, a, b };
}

function indexBinary(op: BinaryOp, a: Expr, b: Expr): Expr {
  const [p, q] = [toAffine(a), toAffine(b)];
  switch (op) {
    case "add":
      return fromAffine(addAffine(p, q));
    case "subtract":
      return fromAffine(addAffine(p, scaleAffine(q, -1)));
    case "multiply":
      return fromAffine(multiplyAffine(p, q));
    case "floordiv":
      return floorDivide(a, b);
    case "remainder":
      return indexRemainder(a, b);
    case "minimum":
    case "maximum": {
      const difference = constantOf(addAffine(p, scaleAffine(q, -1)));
      if (difference !== undefined) return difference <= 0 === (op === "minimum") ? a : b;
      break;
    }
  }
  return { kind: "binary", type: "index", op, a, b };
}

/** floor((c·q + r) / c) = q + floor(r / c), for c a constant or a product of sizes. */
function floorDivide(a: Expr, b: Expr): Expr {
  const divisor = toAffine(b);
  const split = splitBy(toAffine(a), divisor);
  const [x, y] = [constantOf(split.rest), constantOf(divisor)];
  if (x === 0) return fromAffine(split.quotient);
  if (x !== undefined && y !== undefined && y > 0) {
    return fromAffine(addAffine(split.quotient, constantAffine(Math.floor(x / y))));
  }
  const rest: Expr = { kind: "binary", type: "index", op: "floordiv", a: fromAffine(split.rest), b };
  return fromAffine(addAffine(split.quotient, toAffine(rest)));
}

/** The remainder has the sign of the dividend, so that multiples of the divisor may not be dropped unless nothing else is left. */
function indexRemainder(a: Expr, b: Expr): Expr {
  const [p, q] = [toAffine(a), toAffine(b)];
  if (constantOf(splitBy(p, q).rest) === 0) return index(0);
  const [x, y] = [constantOf(p), constantOf(q)];
  if (x !== undefined && y !== undefined && y !== 0) return index((x % y) | 0);
  return { kind: "binary", type: "index", op: "remainder", a, b };
}

/** a = quotient · divisor + rest, where the quotient takes all terms that the divisor (a constant or one term) divides. */
function splitBy(a: Affine, divisor: Affine): { readonly quotient: Affine; readonly rest: Affine } {
  const none = { quotient: constantAffine(0), rest: a };
  const [only] = divisor.terms;
  if (divisor.terms.length > 1 || (only && divisor.constant !== 0)) return none;
  const by = only?.coefficient ?? divisor.constant;
  if (by === 0) return none;
  const atoms = only?.atoms ?? [];
  let quotient = constantAffine(0);
  const rest: AffineTerm[] = [];
  for (const term of a.terms) {
    const left = [...term.atoms];
    const divides =
      term.coefficient % by === 0 &&
      atoms.every((atom) => {
        const at = left.findIndex((other) => sameAtom(other, atom));
        if (at >= 0) left.splice(at, 1);
        return at >= 0;
      });
    if (!divides) rest.push(term);
    else {
      const coefficient = term.coefficient / by;
      const part =
        left.length === 0 ? constantAffine(coefficient) : { terms: [{ coefficient, atoms: left }], constant: 0 };
      quotient = addAffine(quotient, part);
    }
  }
  const even = atoms.length === 0 && a.constant % by === 0;
  if (even) quotient = addAffine(quotient, constantAffine(a.constant / by));
  return { quotient, rest: { terms: rest, constant: even ? 0 : a.constant } };
}

const sameAtom = (a: Expr, b: Expr): boolean =>
  a === b || constantOf(addAffine(toAffine(a), scaleAffine(toAffine(b), -1))) === 0;

function unary(op: UnaryOp, x: Expr): Expr {
  if (x.type === "index" && op === "negate") return fromAffine(scaleAffine(toAffine(x), -1));
  if (op === "not" && x.kind === "constant" && x.type === "bool") return bool(x.value === 0);
  if (op === "not" && x.kind === "unary" && x.op === "not") return x.x;
  return { kind: "unary", type: op === "is_finite" ? truthOf(x.type) : x.type, op, x };
}

/** The type of a comparison of values of such a type. */
const truthOf = (type: ValueType): "bool" | "boolx4" => (isVector(type) ? "boolx4" : "bool");

/** a · b + c; fused where the target has it. */
function fma(a: Expr, b: Expr, c: Expr): Expr {
  if (a.type !== b.type || a.type !== c.type) throw new TypeError(`fma of ${a.type}, ${b.type} and ${c.type}`);
  return { kind: "fma", type: a.type, a, b, c };
}

function splat(x: Expr): Expr {
  const type = vectorOf(x.type);
  if (!type || isVector(x.type)) throw new TypeError(`splat of ${x.type}`);
  return { kind: "splat", type, x };
}

function vector(lanes: readonly [Expr, Expr, Expr, Expr]): Expr {
  const type = vectorOf(lanes[0].type);
  if (!type || lanes.some((x) => x.type !== scalarOf(type))) {
    throw new TypeError(`a vector of ${lanes.map((x) => x.type).join(", ")}`);
  }
  return { kind: "vector", type, lanes };
}

function lane(x: Expr, at: number): Expr {
  if (!isVector(x.type)) throw new TypeError(`a lane of ${x.type}`);
  if (x.kind === "splat") return x.x;
  if (x.kind === "vector") return x.lanes[at]!;
  return { kind: "lane", type: scalarOf(x.type), x, lane: at };
}

function reduceLanes(op: LaneReduction, x: Expr): Expr {
  if (!isVector(x.type)) throw new TypeError(`reduce_lanes of ${x.type}`);
  return { kind: "reduce_lanes", type: scalarOf(x.type), op, x };
}

const comparisons: Readonly<Record<CompareOp, (difference: number) => boolean>> = {
  eq: (d) => d === 0,
  ne: (d) => d !== 0,
  lt: (d) => d < 0,
  le: (d) => d <= 0,
  gt: (d) => d > 0,
  ge: (d) => d >= 0,
};

function compare(op: CompareOp, x: Operand, y: Operand): Expr {
  const [a, b] = pair(x, y, op);
  if (a.type === "index") {
    const difference = constantOf(addAffine(toAffine(a), scaleAffine(toAffine(b), -1)));
    if (difference !== undefined) return bool(comparisons[op](difference));
  }
  return { kind: "compare", type: truthOf(a.type), op, a, b };
}

/** `a` where the condition holds, else `b`. Of scalars only the arm that is chosen is evaluated, of vectors both are. */
function select(condition: Expr, x: Operand, y: Operand): Expr {
  const [a, b] = pair(x, y, "select");
  if (condition.type !== truthOf(a.type)) throw new TypeError(`select of ${a.type} by ${condition.type}`);
  if (condition.kind === "constant") return condition.value !== 0 ? a : b;
  return { kind: "select", type: a.type, condition, a, b };
}

function convert(x: Expr, type: ValueType): Expr {
  if (x.type === type) return x;
  if (isVector(x.type) !== isVector(type)) throw new TypeError(`conversion of ${x.type} to ${type}`);
  if (x.type === "index" && x.kind === "constant" && (type === "f32" || type === "i32")) return constant(x.value, type);
  return { kind: "convert", type, x };
}

/** A dimension as an index; free sizes are variables. */
function fromDim(dim: Dim): Expr {
  if (typeof dim === "number") return index(dim);
  const factor = (f: Factor): Expr =>
    typeof f === "string" ? variable(f, "index") : binary("floordiv", fromDim(f.numerator), index(f.divisor));
  return dim.terms
    .map((term) => term.factors.map(factor).reduce((a, b) => binary("multiply", a, b), index(term.coefficient)))
    .reduce((a, b) => binary("add", a, b), index(0));
}

export interface LoopOptions {
  readonly from?: Operand;
  readonly step?: number;
  readonly mode?: LoopMode;
  readonly role?: LoopRole;
  readonly lanes?: 4;
}

/** `for name in from..to`; the body may be made from the loop variable. */
function loop(
  name: string,
  to: Operand,
  body: readonly Stmt[] | ((variable: Expr) => readonly Stmt[]),
  options: LoopOptions = {},
): Stmt {
  const asIndex = (x: Operand): Expr => (typeof x === "number" ? index(x) : x);
  return {
    kind: "for",
    variable: name,
    from: asIndex(options.from ?? 0),
    to: asIndex(to),
    step: options.step ?? 1,
    mode: options.mode ?? "serial",
    role: options.role ?? "element",
    ...(options.lanes === undefined ? {} : { lanes: options.lanes }),
    body: typeof body === "function" ? body(variable(name, "index")) : body,
  };
}

const operation =
  (op: BinaryOp) =>
  (a: Operand, b: Operand): Expr =>
    binary(op, a, b);
const comparison =
  (op: CompareOp) =>
  (a: Operand, b: Operand): Expr =>
    compare(op, a, b);

/** The constructors, under one name: `k.add(k.load("x", i, "f32"), 1)`. */
export const k = {
  index,
  bool,
  constant,
  variable,
  fromDim,
  binary,
  unary,
  compare,
  select,
  convert,
  add: operation("add"),
  subtract: operation("subtract"),
  multiply: operation("multiply"),
  divide: operation("divide"),
  remainder: operation("remainder"),
  /** Rounded down; for type index alone. */
  floordiv: operation("floordiv"),
  power: operation("power"),
  minimum: operation("minimum"),
  maximum: operation("maximum"),
  atan2: operation("atan2"),
  and: operation("and"),
  or: operation("or"),
  xor: operation("xor"),
  eq: comparison("eq"),
  ne: comparison("ne"),
  lt: comparison("lt"),
  le: comparison("le"),
  gt: comparison("gt"),
  ge: comparison("ge"),
  not: (x: Expr): Expr => unary("not", x),
  negate: (x: Expr): Expr => unary("negate", x),
  fma,
  splat,
  vector,
  lane,
  reduceLanes,
  /** An element, or, of a vector type, the four from `at` on. */
  load: (buffer: string, at: Operand, type: DType | VectorType): Expr => ({
    kind: "load",
    type,
    buffer,
    index: typeof at === "number" ? index(at) : at,
  }),
  /** Word 0 of Threefry-2x32-20; all four operands are i32 (or i32x4), the result is too. */
  threefry: (key: readonly [Expr, Expr], counter: readonly [Expr, Expr]): Expr => ({
    kind: "threefry",
    type: isVector(key[0].type) ? "i32x4" : "i32",
    key,
    counter,
  }),
  loop,
  store: (buffer: string, at: Operand, value: Expr): Stmt => ({
    kind: "store",
    buffer,
    index: typeof at === "number" ? index(at) : at,
    value,
  }),
  let: (name: string, value: Expr): Stmt => ({ kind: "let", name, value }),
  var: (name: string, value: Expr): Stmt => ({ kind: "var", name, value }),
  assign: (name: string, value: Expr): Stmt => ({ kind: "assign", name, value }),
  if: (condition: Expr, then: readonly Stmt[], otherwise: readonly Stmt[] = []): Stmt => ({
    kind: "if",
    condition,
    then,
    otherwise,
  }),
  alloc: (name: string, dtype: DType, length: number): Stmt => ({ kind: "alloc", name, dtype, length }),
  /** A scratch array that the threads of a group have together. */
  shared: (name: string, dtype: DType, length: number): Stmt => ({ kind: "alloc", name, dtype, length, shared: true }),
  barrier: { kind: "barrier" } satisfies Stmt,
  block: (label: string, body: readonly Stmt[]): Stmt => ({ kind: "block", label, body }),
} as const;
