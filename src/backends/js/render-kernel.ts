// Renders one kernel as a JavaScript function. Its parameters are the free sizes and, for each buffer, the offset of its first
// element in the view of its element type: `function dense_relu(N, x, kernel, y)`.

import { formatDim } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import { formatPlace } from "../../ir/kernel/print.ts";
import { isNatural } from "../../ir/kernel/query.ts";
import type { Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { lowerAddresses } from "../addresses.ts";
import { createNames } from "../names.ts";
import { define, innerScope, type Scope } from "../scope.ts";
import { type ExpressionContext, renderCondition, renderValue } from "./expression.ts";
import { type HelperName, helperIdentifiers } from "./helpers.ts";
import { javascript } from "./names.ts";
import { findTiles, freeVariables } from "./tiles.ts";

/** The views of the memory, by element type. */
export const views: Readonly<Record<DType, { readonly name: string; readonly array: string }>> = {
  f32: { name: "f32", array: "Float32Array" },
  f16: { name: "f16", array: "Uint16Array" },
  i32: { name: "i32", array: "Int32Array" },
  u8: { name: "u8", array: "Uint8Array" },
  i8: { name: "i8", array: "Int8Array" },
  bool: { name: "u8", array: "Uint8Array" },
};

export interface RenderedKernel {
  /** The function, and before it the constants that hold its scratch arrays. */
  readonly text: string;
  readonly helpers: ReadonlySet<HelperName>;
  /** Element types of the views that it uses. */
  readonly views: ReadonlySet<DType>;
}

/** Scratch arrays of floats are as wide as registers: reading them converts nothing. */
const scratchArray = (dtype: DType): string =>
  dtype === "f32" || dtype === "f16" ? "Float64Array" : views[dtype].array;

/** Identifiers that every module may have: no local name hides them. */
export const sharedIdentifiers: readonly string[] = [
  ...Object.values(views).map((view) => view.name),
  ...helperIdentifiers,
];

/** `name` is the function's; `reserve` makes further names beside it, for scratch arrays and inner functions. */
export function renderKernel(
  kernel: Kernel,
  name: string,
  reserve: (wanted: string) => string = (wanted) => wanted,
): RenderedKernel {
  const helpers = new Set<HelperName>();
  const usedViews = new Set<DType>();
  const constants: string[] = [];
  const parameters = new Map(kernel.buffers.map((buffer) => [buffer.name, buffer.dtype]));
  const lines: string[] = [];

  const context = (scope: Scope): ExpressionContext => ({
    name: (variable) => scope.identifiers.get(variable) ?? variable,
    element: (buffer, index) => {
      const address = renderValue(index, context(scope));
      // `| 0` spares V8 the check that the sum fits 32 bits, a fifth of the time of an elementwise loop.
      return `${arrayOf(buffer, scope)}[${isSum(index) ? `${address} | 0` : address}]`;
    },
    holdsHalves: (buffer) => parameters.get(buffer) === "f16",
    isNatural: (expr) => isNatural(expr, scope.natural),
    use: (helper) => {
      helpers.add(helper);
      return helper;
    },
  });
  const arrayOf = (buffer: string, scope: Scope): string => {
    const dtype = parameters.get(buffer);
    if (!dtype) return scope.identifiers.get(buffer) ?? buffer;
    usedViews.add(dtype);
    return views[dtype].name;
  };

  const renderBody = (body: readonly Stmt[], scope: Scope, indent: string): void => {
    for (const statement of body) renderStatement(statement, scope, indent);
  };
  const renderStatement = (s: Stmt, scope: Scope, indent: string): void => {
    const c = context(scope);
    switch (s.kind) {
      case "for": {
        const from = renderValue(s.from, c);
        const to = renderValue(s.to, c);
        const inside = innerScope(scope);
        const i = define(s.variable, inside);
        inside.natural.delete(s.variable);
        if (isNatural(s.from, scope.natural)) inside.natural.add(s.variable);
        const simple = s.to.kind === "constant" || s.to.kind === "variable";
        const end = simple ? to : inside.names.make(`${i}_end`);
        const start = simple ? `${i} = ${from}` : `${i} = ${from}, ${end} = ${to}`;
        const next = s.step === 1 ? `${i}++` : `${i} += ${s.step}`;
        lines.push(`${indent}for (let ${start}; ${i} < ${end}; ${next}) {`);
        if (tiles.has(s)) renderTile(s.body, inside, `${indent}  `);
        else renderBody(s.body, inside, `${indent}  `);
        lines.push(`${indent}}`);
        return;
      }
      case "let":
      case "var": {
        const value = renderValue(s.value, c);
        scope.natural.delete(s.name);
        if (s.kind === "let" && s.value.type === "index" && c.isNatural(s.value)) scope.natural.add(s.name);
        lines.push(`${indent}${s.kind === "let" ? "const" : "let"} ${define(s.name, scope)} = ${value};`);
        return;
      }
      case "assign":
        lines.push(`${indent}${renderAssignment(c.name(s.name), renderValue(s.value, c))};`);
        return;
      case "store": {
        const value = renderValue(s.value, c);
        const stored = parameters.get(s.buffer) === "f16" ? `${c.use("to_half")}(${value})` : value;
        lines.push(`${indent}${c.element(s.buffer, s.index)} = ${stored};`);
        return;
      }
      case "if":
        lines.push(`${indent}if (${renderCondition(s.condition, c)}) {`);
        renderBody(s.then, innerScope(scope), `${indent}  `);
        if (s.otherwise.length > 0) {
          lines.push(`${indent}} else {`);
          renderBody(s.otherwise, innerScope(scope), `${indent}  `);
        }
        lines.push(`${indent}}`);
        return;
      case "barrier":
        throw new TypeError(`${kernel.name} has a barrier: it is bound to thread groups, which JavaScript lacks`);
      case "alloc": {
        const shared = reserve(`${name}_${define(s.name, scope)}`);
        scope.identifiers.set(s.name, shared);
        constants.push(`const ${shared} = new ${scratchArray(s.dtype)}(${s.length});`);
        return;
      }
      case "block": {
        lines.push(`${indent}// ${oneLine(s.label)}`);
        const ownNames = s.body.some((x) => x.kind === "let" || x.kind === "var" || x.kind === "alloc");
        if (ownNames) lines.push(`${indent}{`);
        renderBody(s.body, innerScope(scope), ownNames ? `${indent}  ` : indent);
        if (ownNames) lines.push(`${indent}}`);
        return;
      }
    }
  };

  /** The body of a loop as a function of its own, called with the values that it uses. */
  const renderTile = (body: readonly Stmt[], outer: Scope, indent: string): void => {
    tileCount++;
    const tile = reserve(tileCount === 1 ? `${name}_tile` : `${name}_tile_${tileCount}`);
    const parameters = freeVariables(body).map((variable) => outer.identifiers.get(variable) ?? variable);
    lines.push(`${indent}${tile}(${parameters.join(", ")});`);
    const caller = lines.splice(0);
    renderBody(body, innerScope(outer), "  ");
    tileFunctions.push([`function ${tile}(${parameters.join(", ")}) {`, ...lines, "}"].join("\n"));
    lines.splice(0, lines.length, ...caller);
  };

  const body = lowerAddresses(kernel);
  const tiles = findTiles(body);
  const tileFunctions: string[] = [];
  let tileCount = 0;
  const scope: Scope = {
    identifiers: new Map(),
    natural: new Set(),
    names: createNames([...sharedIdentifiers, name], javascript),
  };
  for (const parameter of [...kernel.sizes, ...parameters.keys()]) {
    define(parameter, scope);
    scope.natural.add(parameter);
  }
  const header = [...kernel.sizes, ...parameters.keys()].map((parameter) => scope.identifiers.get(parameter));
  renderBody(body, scope, "  ");
  const text = [
    ...constants,
    ...describe(kernel),
    `function ${name}(${header.join(", ")}) {`,
    ...lines,
    "}",
    ...tileFunctions,
  ];
  return { text: text.join("\n"), helpers, views: usedViews };
}

const isSum = (index: Expr): boolean => index.kind === "binary" && (index.op === "add" || index.op === "subtract");

const oneLine = (text: string): string => text.replaceAll(/[\r\n\u2028\u2029]+/g, " ");

/** `a = a + b` as `a += b`: the same, and easier to read. */
function renderAssignment(name: string, value: string): string {
  const same = [`${name} + `, `${name} - `, `${name} * `].find((start) => value.startsWith(start));
  const rest = same && value.slice(same.length);
  // Only where the rest is a product or an element: `a - b + c` is not `a -= b + c`.
  if (!same || !rest || !/^[\w$.]+(?:\[[^[\]]*\])?(?: \* [\w$.]+(?:\[[^[\]]*\])?)*$/.test(rest))
    return `${name} = ${value}`;
  if (same.endsWith("* ") && rest.includes(" * ")) return `${name} = ${value}`;
  return `${name} ${same.trim().at(-1)}= ${rest}`;
}

/** The comment above a function: what is fused, where it comes from, and its buffers. */
function describe(kernel: Kernel): string[] {
  const lines = kernel.doc === "" ? [] : kernel.doc.split("\n").map(oneLine);
  if (kernel.location) lines.push(`from ${oneLine(formatPlace(kernel.location))}`);
  const buffers = kernel.buffers.map(({ name, dtype, length, access }) => {
    const role = access === "read" ? "" : access === "write" ? " (result)" : " (read and written)";
    return `${name}: ${dtype}[${formatDim(length)}]${role}`;
  });
  if (buffers.length > 0) lines.push(buffers.join(", "));
  return lines.map((line) => `// ${line}`);
}
