// Renders expressions of the kernel IR as trees of WebAssembly. Indices of loads are byte addresses by now.

import { constantOf, fromAffine, toAffine } from "../../ir/kernel/affine.ts";
import { k } from "../../ir/kernel/build.ts";
import { childrenOf } from "../../ir/kernel/query.ts";
import { type Expr, isVector, type ScalarType, scalarOf } from "../../ir/kernel/types.ts";
import type { ExpressionContext } from "./context.ts";
import type { MemoryOp } from "./opcodes.ts";
import { scalarBinary, scalarCompare, scalarConvert, scalarUnary } from "./scalar.ts";
import { add, call, f32, get, i32, op, type Tree, type WasmType } from "./tree.ts";
import {
  extracted,
  gathered,
  reduced,
  splat,
  vectorBinary,
  vectorCompare,
  vectorConvert,
  vectorFma,
  vectorLimit,
  vectorUnary,
} from "./vector.ts";

/** The type of the register that holds a value. */
export function registerOf(type: Expr["type"]): WasmType {
  if (isVector(type)) return "v128";
  return type === "f32" || type === "f16" ? "f32" : "i32";
}

export function render(expr: Expr, c: ExpressionContext): Tree {
  switch (expr.kind) {
    case "constant":
      return registerOf(expr.type) === "f32" ? f32(expr.value) : i32(expr.value);
    case "variable":
      return get(c.local(expr.name));
    case "load":
      return load(expr, c);
    case "unary": {
      const [x, type] = [render(expr.x, c), expr.x.type];
      return isVector(type) ? vectorUnary(expr.op, type, x, c) : scalarUnary(expr.op, type, x, c);
    }
    case "binary":
      return binary(expr, c);
    case "fma": {
      const [x, y, z] = [expr.a, expr.b, expr.c].map((operand) => render(operand, c));
      return isVector(expr.type) ? vectorFma(x!, y!, z!, c) : op("f32.add", op("f32.mul", x!, y!), z!);
    }
    case "compare": {
      const [a, b, type] = [render(expr.a, c), render(expr.b, c), expr.a.type];
      return isVector(type) ? vectorCompare(expr.op, type, a, b) : scalarCompare(expr.op, type, a, b);
    }
    case "select":
      return select(expr, c);
    case "convert": {
      const [x, from, to] = [render(expr.x, c), expr.x.type, expr.type];
      if (isVector(from) && isVector(to)) return vectorConvert(from, to, x, c);
      return scalarConvert(scalarOf(from), scalarOf(to), x, c);
    }
    case "threefry": {
      const target = c.library.threefry(isVector(expr.type) ? "i32x4" : "i32");
      return call(target, ...[...expr.key, ...expr.counter].map((x) => render(x, c)));
    }
    case "splat":
      return splat(expr.type, render(expr.x, c), c);
    case "vector":
      return (
        deinterleaved(expr, c) ??
        gathered(
          expr.type,
          expr.lanes.map((lane) => render(lane, c)),
        )
      );
    case "lane":
      if (!isVector(expr.x.type)) throw new TypeError(`a lane of ${expr.x.type}`);
      return extracted(expr.x.type, render(expr.x, c), expr.lane);
    case "reduce_lanes":
      if (!isVector(expr.x.type)) throw new TypeError(`lanes of ${expr.x.type}`);
      return reduced(expr.op, expr.x.type, render(expr.x, c), c);
  }
}

function binary(expr: Expr & { readonly kind: "binary" }, c: ExpressionContext): Tree {
  const [a, b] = [render(expr.a, c), render(expr.b, c)];
  if (expr.type === "f32x4" && (expr.op === "maximum" || expr.op === "minimum")) {
    const [low, high] = [numberOf(expr.a), numberOf(expr.b)];
    if (high !== undefined) return vectorLimit(expr.op, a, high, c);
    if (low !== undefined) return vectorLimit(expr.op, b, low, c);
  }
  if (isVector(expr.type)) return vectorBinary(expr.op, expr.type, a, b, c);
  const divides = expr.op === "floordiv" || expr.op === "remainder";
  // Of numbers that are never negative, rounding down is rounding towards zero, and unsigned division the fastest.
  if (expr.type === "index" && divides && c.isNatural(expr.a) && (constantOf(toAffine(expr.b)) ?? 0) > 0) {
    return op(expr.op === "floordiv" ? "i32.div_u" : "i32.rem_u", a, b);
  }
  // A shift rounds down, whatever the sign.
  const power = expr.op === "floordiv" && b.kind === "constant" ? Math.log2(b.value) : Number.NaN;
  if (Number.isInteger(power)) return op("i32.shr_s", a, i32(power));
  return scalarBinary(expr.op, expr.type, a, b, c);
}

/** The number that all lanes hold, where that is known and a number. */
function numberOf(expr: Expr): number | undefined {
  if (expr.kind !== "splat" || expr.x.kind !== "constant" || Number.isNaN(expr.x.value)) return undefined;
  return expr.x.value;
}

/** An address as a tree and the immediate that is added to it. */
function address(index: Expr, c: ExpressionContext): { readonly base: Tree; readonly offset: number } {
  const form = toAffine(index);
  const rest = fromAffine({ terms: form.terms, constant: 0 });
  // The sum with an immediate does not wrap: the base itself must be an address.
  if (form.constant > 0 && c.isNatural(rest)) return { base: render(rest, c), offset: form.constant };
  return { base: render(index, c), offset: 0 };
}

const loads: Readonly<Record<Exclude<ScalarType, "index">, MemoryOp>> = {
  f32: "f32.load",
  f16: "i32.load16_u",
  i32: "i32.load",
  u8: "i32.load8_u",
  i8: "i32.load8_s",
  bool: "i32.load8_u",
};
const stores: Readonly<Record<Exclude<ScalarType, "index">, MemoryOp>> = {
  f32: "f32.store",
  f16: "i32.store16",
  i32: "i32.store",
  u8: "i32.store8",
  i8: "i32.store8",
  bool: "i32.store8",
};

function load(expr: Expr & { readonly kind: "load" }, c: ExpressionContext): Tree {
  const { base, offset } = address(expr.index, c);
  const access = (name: MemoryOp): Tree => ({ kind: "memory", op: name, offset, operands: [base] });
  switch (expr.type) {
    case "f32x4":
    case "i32x4":
      return access("v128.load");
    case "boolx4": {
      const words = op("i32x4.extend_low_i16x8_u", op("i16x8.extend_low_i8x16_u", access("v128.load32_zero")));
      return op("i32x4.ne", words, c.constantVector("i32x4", 0));
    }
    case "f16":
      return call(c.library.scalar("from_half"), access(loads.f16));
    default:
      return access(loads[expr.type]);
  }
}

/**
 * Four elements two or three apart, such as one channel of neighbouring pixels, out of two vectors that hold them and nothing beyond
 * the last: undefined where lanes are anything else.
 */
function deinterleaved({ lanes }: Expr & { readonly kind: "vector" }, c: ExpressionContext): Tree | undefined {
  const [first, second, third, last] = lanes;
  const bytes = distance(first, second);
  if (bytes === undefined || distance(second, third) !== bytes || distance(third, last) !== bytes) return undefined;
  if ((bytes !== 8 && bytes !== 12) || first.kind !== "load" || last.kind !== "load") return undefined;
  const type = first.type === "f32" ? "f32x4" : "i32x4";
  const low = load({ ...first, type }, c);
  const high = load({ ...last, type, index: k.subtract(last.index, 12) }, c);
  const lane = (at: number): number[] => [0, 1, 2, 3].map((byte) => 4 * at + byte);
  const order = [0, bytes / 4, 4 + (12 - bytes) / 4, 7].flatMap(lane);
  return { kind: "shuffle", bytes: order, operands: [low, high] };
}

/** How many bytes behind the first element the second lies. */
function distance(a: Expr, b: Expr): number | undefined {
  if (a.kind !== "load" || b.kind !== "load" || a.buffer !== b.buffer) return undefined;
  if (a.type !== b.type || (a.type !== "f32" && a.type !== "i32")) return undefined;
  return constantOf(toAffine(k.subtract(b.index, a.index)));
}

/** `buffer[index] = value`, where the index is a byte address. */
export function store(dtype: Exclude<ScalarType, "index">, index: Expr, value: Expr, c: ExpressionContext): Tree {
  const { base, offset } = address(index, c);
  const x = render(value, c);
  const access = (name: MemoryOp, stored: Tree): Tree => ({
    kind: "memory",
    op: name,
    offset,
    operands: [base, stored],
  });
  if (value.type === "boolx4") {
    // The lowest byte of each lane, as 0 or 1, in the lowest lane.
    const bits = op("v128.and", x, c.constantVector("i32x4", 1));
    const { first, again } = c.name(bits, "v128");
    const bytes = [0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const packed: Tree = { kind: "shuffle", bytes, operands: [first, again] };
    return access("i32.store", { kind: "lane", op: "i32x4.extract_lane", lane: 0, operands: [packed] });
  }
  if (isVector(value.type)) return access("v128.store", x);
  return access(stores[dtype], dtype === "f16" ? call(c.library.scalar("to_half"), x) : x);
}

function select(expr: Expr & { readonly kind: "select" }, c: ExpressionContext): Tree {
  const [condition, a, b] = [expr.condition, expr.a, expr.b].map((x) => render(x, c));
  if (isVector(expr.type)) return op("v128.bitselect", a!, b!, condition!);
  const cheap = [expr.a, expr.b].every(isCheap);
  // Conditions on data are mispredicted; those on indices guard what exists, and an address out of the memory traps.
  if (cheap && (isData(expr.condition) || ![expr.a, expr.b].some(reads))) {
    return op("select", a!, b!, condition!);
  }
  return { kind: "if", condition: condition!, result: registerOf(expr.type), then: [a!], otherwise: [b!] };
}

const reads = (expr: Expr): boolean => expr.kind === "load" || childrenOf(expr).some(reads);

function dependsOnData(expr: Expr): boolean {
  if (expr.kind === "variable") return expr.type !== "index";
  return expr.kind === "load" || expr.kind === "threefry" || childrenOf(expr).some(dependsOnData);
}

/** Whether only elements decide it: no index, and no name of a truth that an index may have decided. */
function isData(expr: Expr): boolean {
  if (expr.type === "index" || (expr.kind === "variable" && expr.type === "bool")) return false;
  return expr.kind === "load" || childrenOf(expr).every(isData);
}

/** Whether evaluating it for nothing is safe (no address is data) and costs less than a branch. */
function isCheap(expr: Expr): boolean {
  switch (expr.kind) {
    case "load":
      return !dependsOnData(expr.index);
    case "unary":
      return ["negate", "not", "abs", "floor", "ceil", "round", "sqrt", "sign"].includes(expr.op) && isCheap(expr.x);
    case "binary":
      return (
        !["power", "atan2", "remainder", "floordiv", "divide"].includes(expr.op) && childrenOf(expr).every(isCheap)
      );
    case "select":
    case "threefry":
      return false;
    default:
      return childrenOf(expr).every(isCheap);
  }
}

/** The sum of an address and a constant number of bytes. */
export const plus = (base: Tree, bytes: number): Tree => add(base, i32(bytes));
