// The text form of kernels: pseudo-code for readers, exact enough that `parse.ts` reads it back to the same bytes.

import { formatDim } from "../dim.ts";
import type { Location } from "../location.ts";
import {
  type BinaryOp,
  type CompareOp,
  type Expr,
  isVector,
  type Kernel,
  type ScalarType,
  type Stmt,
} from "./types.ts";

/** Operators between their operands; all others are written as functions. Higher binds tighter, all from the left. */
export const infix: Readonly<Partial<Record<BinaryOp | CompareOp, readonly [symbol: string, precedence: number]>>> = {
  or: ["|", 1],
  xor: ["^", 2],
  and: ["&", 3],
  eq: ["==", 4],
  ne: ["!=", 4],
  lt: ["<", 4],
  le: ["<=", 4],
  gt: [">", 4],
  ge: [">=", 4],
  shift_left: ["<<", 5],
  shift_right_logical: [">>>", 5],
  add: ["+", 6],
  subtract: ["-", 6],
  multiply: ["*", 7],
  divide: ["/", 7],
  remainder: ["%", 7],
  floordiv: ["//", 7],
};
const unaryPrecedence = 8;

/** A kernel as text, with a final newline. */
export function printKernel(kernel: Kernel): string {
  const lines: string[] = [];
  for (const line of kernel.doc === "" ? [] : kernel.doc.split("\n")) lines.push(line === "" ? "///" : `/// ${line}`);
  if (kernel.location) lines.push(`/// at ${formatPlace(kernel.location)}`);
  const buffers = kernel.buffers.map((b) => `${b.access} ${b.name}: ${b.dtype}[${formatDim(b.length)}]`);
  const cost = `cost ${formatDim(kernel.cost.flops)} flops, ${formatDim(kernel.cost.bytes)} bytes`;
  lines.push(`kernel ${kernel.name}(${[...kernel.sizes, ...buffers].join(", ")}) ${cost} {`);
  printBody(kernel.body, "  ", lines);
  lines.push("}", "");
  return lines.join("\n");
}

/** `mlp.dlm:6:22 in encoder/dense for gradient of dot` */
export function formatPlace(location: Location): string {
  const scope = location.scope === "" ? "" : ` in ${location.scope}`;
  const note = location.note === undefined ? "" : ` for ${location.note}`;
  return `${location.file}:${location.line}:${location.column}${scope}${note}`;
}

function printBody(body: readonly Stmt[], indent: string, lines: string[]): void {
  for (const statement of body) printStatement(statement, indent, lines);
}

function printStatement(s: Stmt, indent: string, lines: string[]): void {
  const inner = `${indent}  `;
  switch (s.kind) {
    case "for": {
      const step = s.step === 1 ? "" : ` step ${s.step}`;
      const mode = s.mode === "serial" ? "" : ` ${s.mode}`;
      const lanes = s.lanes === undefined ? "" : ` lanes ${s.lanes}`;
      lines.push(
        `${indent}for ${s.variable} in ${printExpr(s.from)}..${printExpr(s.to)}${step}${mode}${lanes} over ${s.role} {`,
      );
      printBody(s.body, inner, lines);
      lines.push(`${indent}}`);
      return;
    }
    case "let":
    case "var":
      lines.push(`${indent}${s.kind} ${s.name} = ${printExpr(s.value)}`);
      return;
    case "assign":
      lines.push(`${indent}${s.name} = ${printExpr(s.value)}`);
      return;
    case "store":
      lines.push(`${indent}${s.buffer}[${printExpr(s.index)}] = ${printExpr(s.value)}`);
      return;
    case "if":
      lines.push(`${indent}if ${printExpr(s.condition)} {`);
      printBody(s.then, inner, lines);
      if (s.otherwise.length > 0) {
        lines.push(`${indent}} else {`);
        printBody(s.otherwise, inner, lines);
      }
      lines.push(`${indent}}`);
      return;
    case "alloc":
      lines.push(`${indent}alloc${s.shared ? " shared" : ""} ${s.name}: ${s.dtype}[${s.length}]`);
      return;
    case "barrier":
      lines.push(`${indent}barrier`);
      return;
    case "block":
      lines.push(`${indent}block ${JSON.stringify(s.label)} {`);
      printBody(s.body, inner, lines);
      lines.push(`${indent}}`);
      return;
  }
}

/** An expression as text: `x[i * 784 + k] * w[k]`. */
export function printExpr(expr: Expr, outer = 0): string {
  switch (expr.kind) {
    case "constant":
      return printConstant(expr.value, expr.type);
    case "variable":
      return expr.name;
    case "load": {
      const element = `${expr.buffer}[${printExpr(expr.index)}]`;
      return isVector(expr.type) ? `load4(${element})` : element;
    }
    case "unary": {
      if (expr.op !== "negate") return `${expr.op}(${printExpr(expr.x)})`;
      // A constant in parentheses: -(3) is the negation of 3, and -3 a constant.
      const x = expr.x.kind === "constant" ? `(${printExpr(expr.x)})` : printExpr(expr.x, unaryPrecedence);
      return outer > unaryPrecedence - 1 ? `(-${x})` : `-${x}`;
    }
    case "binary":
    case "compare": {
      const form = infix[expr.op];
      if (!form) return `${expr.op}(${printExpr(expr.a)}, ${printExpr(expr.b)})`;
      const [symbol, precedence] = form;
      // Comparisons do not chain.
      const left = expr.kind === "compare" ? precedence + 1 : precedence;
      const text = `${printExpr(expr.a, left)} ${symbol} ${printExpr(expr.b, precedence + 1)}`;
      return outer > precedence ? `(${text})` : text;
    }
    case "select":
      return `select(${printExpr(expr.condition)}, ${printExpr(expr.a)}, ${printExpr(expr.b)})`;
    case "convert":
      return `${expr.type}(${printExpr(expr.x)})`;
    case "threefry":
      return call("threefry", [...expr.key, ...expr.counter]);
    case "fma":
      return call("fma", [expr.a, expr.b, expr.c]);
    case "splat":
      return call("splat", [expr.x]);
    case "vector":
      return call("vector", expr.lanes);
    case "lane":
      return `lane(${printExpr(expr.x)}, ${expr.lane})`;
    case "reduce_lanes":
      return call(`reduce_${expr.op}`, [expr.x]);
  }
}

const call = (name: string, args: readonly Expr[]): string => `${name}(${args.map((x) => printExpr(x)).join(", ")})`;

/** `3` is an index, `3.0` an f32, `true` a bool; the others carry their type: `3i32`, `0.5f16`. */
function printConstant(value: number, type: ScalarType): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const magnitude = Math.abs(value);
  switch (type) {
    case "bool":
      return value === 0 ? "false" : "true";
    case "index":
      return `${sign}${magnitude}`;
    case "f32":
    case "f16": {
      const suffix = type === "f32" ? "" : type;
      if (Number.isNaN(value)) return `nan${suffix}`;
      if (magnitude === Number.POSITIVE_INFINITY) return `${sign}infinity${suffix}`;
      const digits = String(magnitude);
      return `${sign}${/[.e]/.test(digits) ? digits : `${digits}.0`}${suffix}`;
    }
    default:
      return `${sign}${magnitude}${type}`;
  }
}
