// The operators: numbers, sizes and conditions are worked out at compile time, tensors become nodes.

import {
  addDims,
  type Dim,
  divideExactly,
  equalDims,
  floorDivideDim,
  formatDim,
  multiplyDims,
  subtractDims,
} from "../ir/dim.ts";
import { isFloat } from "../ir/dtype.ts";
import { literal, type Value } from "../ir/graph.ts";
import type { BinaryOperator, UnaryOperator } from "./ast.ts";
import { atMost, below, both, type Clauses, different, either, equal, mostClauses, opposite } from "./conditions.ts";
import { type Context, type Mistake, make, mistake } from "./context.ts";
import { matmul } from "./functions/contract.ts";
import { mostItems } from "./functions/meta.ts";
import { alike, isNumeric } from "./tensors.ts";
import {
  bool,
  type CompileValue,
  calleeName,
  describe,
  equalValues,
  float,
  int,
  kindOf,
  list,
  tensor,
} from "./values.ts";

type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";
const directions = { "==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge" } as const;
const operations = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "%": "remainder",
  "**": "power",
} as const;

export function unary(c: Context, operator: UnaryOperator, value: CompileValue): CompileValue {
  if (operator === "!") {
    if (value.kind === "bool") return bool(!value.value);
    if (value.kind === "undecided") return undecided(c, `!(${value.text})`, opposite(value.clauses));
    if (value.kind === "tensor" && value.value.type.dtype === "bool") return tensor(make(c, "not", [value.value]));
    throw mistake(c, "type", `! takes a truth value, not ${kindOf(value)}`);
  }
  if (value.kind === "int") return int(multiplyDims(-1, value.value));
  if (value.kind === "float") return float(-value.value);
  if (value.kind === "tensor") return tensor(make(c, "negate", [value.value]));
  throw mistake(c, "type", `- takes a number or a tensor, not ${kindOf(value)}`);
}

export function binary(c: Context, operator: BinaryOperator, left: CompileValue, right: CompileValue): CompileValue {
  switch (operator) {
    case "&&":
    case "||":
      return logical(c, operator, left, right);
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compare(c, operator, left, right);
    case "@":
      if (left.kind !== "tensor" || right.kind !== "tensor")
        throw mistake(c, "type", `@ multiplies tensors, not ${kindOf(left.kind === "tensor" ? right : left)}`);
      return tensor(matmul(c, left.value, right.value));
    default:
      return arithmetic(c, operator, left, right);
  }
}

function logical(c: Context, operator: "&&" | "||", left: CompileValue, right: CompileValue): CompileValue {
  const name = operator === "&&" ? "and" : "or";
  if (left.kind === "tensor" || right.kind === "tensor") {
    for (const side of [left, right]) {
      if (side.kind === "bool" || (side.kind === "tensor" && side.value.type.dtype === "bool")) continue;
      throw mistake(c, "type", `${operator} takes truth values, not ${kindOf(side)}`);
    }
    return tensor(make(c, name, alike(c, [left, right], operator)));
  }
  const decisive = operator === "||";
  for (const side of [left, right]) {
    if (side.kind !== "bool" && side.kind !== "undecided")
      throw mistake(c, "type", `${operator} takes truth values, not ${kindOf(side)}`);
  }
  if ([left, right].some((side) => side.kind === "bool" && side.value === decisive)) return bool(decisive);
  // What is decided is not decisive: the other side is the condition.
  if (left.kind !== "undecided") return right;
  if (right.kind !== "undecided") return left;
  const text = `${left.text} ${operator} ${right.text}`;
  return undecided(c, text, (operator === "&&" ? both : either)(left.clauses, right.clauses));
}

function compare(c: Context, operator: Comparison, left: CompileValue, right: CompileValue): CompileValue {
  if (left.kind === "tensor" || right.kind === "tensor") {
    const text = left.kind === "tensor" ? right : left;
    if (!isNumeric(text)) {
      // `ignore != none` is asked of arguments that may be tensors.
      if (text.kind === "none" && (operator === "==" || operator === "!=")) return bool(operator === "!=");
      throw mistake(c, "type", `${operator} compares numbers and tensors, not ${kindOf(text)}`);
    }
    return tensor(make(c, "compare", alike(c, [left, right], operator), { direction: directions[operator] }));
  }
  const pending = (clauses: Clauses): CompileValue =>
    undecided(c, `${describe(left)} ${operator} ${describe(right)}`, clauses);
  if (operator === "==" || operator === "!=") return equality(c, operator === "==", left, right, pending);
  const [a, b] = [left, right].map((side) => {
    if (side.kind === "int" || side.kind === "float") return side.value;
    throw mistake(c, "type", `${operator} compares numbers, not ${kindOf(side)}`);
  });
  return inOrder(operator, a!, b!, pending);
}

/** A condition that is not known yet. Undefined clauses are too many. */
function undecided(c: Context, text: string, clauses: Clauses | undefined): CompileValue {
  if (!clauses || clauses.length > mostClauses)
    throw mistake(c, "limit", "this condition on free sizes has too many parts to be checked at run time");
  return { kind: "undecided", text, clauses };
}

type Pending = (clauses: Clauses) => CompileValue;

/** Sizes are equal, differ by a constant, or nobody knows until run time. */
function equality(
  c: Context,
  wanted: boolean,
  left: CompileValue,
  right: CompileValue,
  pending: Pending,
): CompileValue {
  const open: (readonly [Dim, Dim])[] = [];
  const equals = equalValues(left, right, (a, b) => {
    const difference = subtractDims(a, b);
    if (typeof difference === "number") return difference === 0;
    open.push([a, b]);
    return undefined;
  });
  if (equals !== undefined) return bool(equals === wanted);
  if ([left, right].some(holdsTensor))
    throw mistake(c, "type", "lists of tensors cannot be compared", { help: "compare their items, one by one" });
  if (wanted) return pending(open.flatMap(([a, b]) => equal(a, b)));
  return pending([open.flatMap(([a, b]) => different(a, b).flat())]);
}

const holdsTensor = (value: CompileValue): boolean =>
  value.kind === "tensor" || (value.kind === "list" && value.items.some(holdsTensor));

/** Numbers in order, or sizes of which nobody knows until run time. */
function inOrder(operator: "<" | "<=" | ">" | ">=", a: Dim, b: Dim, pending: Pending): CompileValue {
  const exclusive = operator === "<" || operator === ">";
  const [less, more] = operator === "<" || operator === "<=" ? [a, b] : [b, a];
  if (typeof less === "number" && typeof more === "number") return bool(exclusive ? less < more : less <= more);
  if (less === Number.NEGATIVE_INFINITY || more === Number.POSITIVE_INFINITY) return bool(true);
  if ([less, more].some((side) => typeof side === "number" && !Number.isFinite(side))) return bool(false);
  // A size is a whole number: it is below 2.5 where it is at most 2.
  const rounded = (value: Dim, round: (x: number) => number): Dim => (typeof value === "number" ? round(value) : value);
  const [low, high] = exclusive
    ? [rounded(less, Math.floor), rounded(more, Math.ceil)]
    : [rounded(less, Math.ceil), rounded(more, Math.floor)];
  const difference = subtractDims(high, low);
  if (typeof difference === "number") return bool(exclusive ? difference > 0 : difference >= 0);
  return pending(exclusive ? below(low, high) : atMost(low, high));
}

type Arithmetic = keyof typeof operations;

function arithmetic(c: Context, operator: Arithmetic, left: CompileValue, right: CompileValue): CompileValue {
  if (left.kind === "tensor" || right.kind === "tensor") {
    for (const side of [left, right]) if (!isNumeric(side)) throw unfit(c, operator, side);
    const operands = alike(c, [left, right], operator);
    const dtype = operands[0]!.type.dtype;
    if (dtype === "bool")
      throw mistake(c, "type", `${operator} calculates, and these elements are bool`, {
        help: "cast(…, f32) makes 0 and 1",
      });
    if (operator === "/" && !isFloat(dtype))
      throw mistake(c, "type", `/ divides floats, and these elements are ${dtype}`, {
        help: "cast(…, f32) first, or floor_divide(a, b)",
      });
    if (operator === "%") return tensor(modulo(c, operands));
    return tensor(make(c, operations[operator], operands));
  }
  if (operator === "+" && left.kind === "list" && right.kind === "list") {
    bounded(c, "a list", left.items.length + right.items.length);
    return list([...left.items, ...right.items]);
  }
  if (operator === "+" && left.kind === "string" && right.kind === "string") {
    bounded(c, "a string", left.value.length + right.value.length);
    return { kind: "string", value: left.value + right.value };
  }
  const [a, b] = [left, right].map((side) => {
    if (side.kind === "int" || side.kind === "float") return side;
    throw unfit(c, operator, side);
  });
  if (a!.kind === "int" && b!.kind === "int") return reasonable(c, sizes(c, operator, a!.value, b!.value));
  const [x, y] = [a!.value, b!.value];
  // A size that is not known yet is a tensor from here on.
  if (typeof x !== "number" || typeof y !== "number")
    return arithmetic(c, operator, float32(c)(left), float32(c)(right));
  return float(calculate(operator, x, y));
}

/** x - y·⌊x / y⌋, which has the sign of y, as in NumPy and Python; the operation `remainder` has the sign of x. */
function modulo(c: Context, [x, y]: readonly Value[]): Value {
  const rest = make(c, "remainder", [x!, y!]);
  const zero = literal(0, x!.type.dtype);
  const [below, above] = [rest, y!].map((value) => make(c, "compare", [value, zero], { direction: "lt" }));
  const some = make(c, "compare", [rest, zero], { direction: "ne" });
  const opposed = make(c, "and", [some, make(c, "xor", [below!, above!])]);
  return make(c, "select", [opposed, make(c, "add", [rest, y!]), rest]);
}

function unfit(c: Context, operator: Arithmetic, side: CompileValue): Mistake {
  return mistake(c, "type", `${operator} takes numbers and tensors, not ${kindOf(side)}`, {
    help: side.kind === "function" ? `did you mean to call it: ${calleeName(side.callee)}(…)?` : undefined,
  });
}

/** Lists and strings that grow in loops may not grow for ever. */
function bounded(c: Context, what: string, length: number): void {
  if (length > mostItems) throw mistake(c, "limit", `${what} of length ${length} is too long`);
}

const float32 =
  (c: Context) =>
  (value: CompileValue): CompileValue =>
    value.kind === "int" && typeof value.value !== "number"
      ? tensor(make(c, "convert", [make(c, "size_of", [], { dim: [value.value] })], { dtype: "f32" }))
      : value;

/** Polynomials in free sizes with at most this many terms, of at most this degree. */
const mostTerms = 64;
const mostFactors = 16;

/** Refuses sizes that grow beyond all use, in loops above all. */
function reasonable(c: Context, value: CompileValue): CompileValue {
  if (value.kind !== "int") return value;
  const { value: dim } = value;
  if (typeof dim === "number") {
    if (!Number.isSafeInteger(dim)) throw mistake(c, "limit", `the integer ${dim} is too large to be exact`);
    return value;
  }
  if (dim.terms.length > mostTerms || dim.terms.some((term) => term.factors.length > mostFactors))
    throw mistake(c, "limit", "this size has become too large an expression");
  return value;
}

function sizes(c: Context, operator: Arithmetic, x: Dim, y: Dim): CompileValue {
  switch (operator) {
    case "+":
      return int(addDims(x, y));
    case "-":
      return int(subtractDims(x, y));
    case "*":
      return int(multiplyDims(x, y));
    case "/": {
      if (equalDims(y, 0)) throw mistake(c, "type", `${formatDim(x)} is divided by 0`);
      const exact = divideExactly(x, y);
      if (exact !== undefined) return int(exact);
      if (typeof x === "number" && typeof y === "number") return float(x / y);
      throw mistake(c, "shape", `${formatDim(x)} / ${formatDim(y)} need not come out even`);
    }
    case "%": {
      if (equalDims(y, 0)) throw mistake(c, "type", `${formatDim(x)} is divided by 0`);
      if (typeof x === "number" && typeof y === "number") return int(((x % y) + y) % y);
      if (divideExactly(x, y) !== undefined) return int(0);
      if (typeof y === "number" && Number.isInteger(y) && y > 0)
        return int(subtractDims(x, multiplyDims(y, floorDivideDim(x, y))));
      throw mistake(c, "shape", `${formatDim(x)} % ${formatDim(y)} is not known before run time`);
    }
    case "**":
      if (typeof x === "number" && typeof y === "number") {
        const power = x ** y;
        return y >= 0 && Number.isSafeInteger(power) ? int(power) : float(power);
      }
      if (typeof y === "number" && Number.isInteger(y) && y >= 0 && y <= 8) {
        let power: Dim = 1;
        for (let i = 0; i < y; i++) power = multiplyDims(power, x);
        return int(power);
      }
      throw mistake(c, "shape", `${formatDim(x)} ** ${formatDim(y)} is not known before run time`);
  }
}

function calculate(operator: Arithmetic, x: number, y: number): number {
  switch (operator) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      return x / y;
    case "%":
      return x - y * Math.floor(x / y);
    case "**":
      return x ** y;
  }
}
