// Renders one kernel as a WebAssembly function. Its parameters are the free sizes, for each buffer the byte address of its first
// element, and, where it has scratch arrays, the address of the memory for them: `dense_relu(N, x, kernel, y)`.

import { formatDim } from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import { formatPlace, printExpr } from "../../ir/kernel/print.ts";
import { isNatural } from "../../ir/kernel/query.ts";
import type { Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { scratchIn } from "../../ir/kernel/visit.ts";
import { lowerAddresses } from "../addresses.ts";
import type { ExpressionContext } from "./context.ts";
import { plus, registerOf, render, store } from "./expression.ts";
import type { Library } from "./functions/library.ts";
import { inlined } from "./inline.ts";
import { naturalVariables } from "./natural.ts";
import {
  call,
  comment,
  get,
  i32,
  type Label,
  type Local,
  op,
  set,
  type Tree,
  treesIn,
  type WasmFunction,
} from "./tree.ts";

export interface RenderedKernel {
  readonly target: WasmFunction;
  /** Bytes of its scratch arrays; 0 if it has none, and then it has no parameter for them. */
  readonly scratchBytes: number;
}

/** The most instructions that calls in one kernel are replaced by: larger functions are compiled slowly, and worse. */
const mostInlined = 2000;

const vectorAlignment = 16;
const align = (bytes: number): number => Math.ceil(bytes / vectorAlignment) * vectorAlignment;

export function renderKernel(kernel: Kernel, name: string, library: Library): RenderedKernel {
  const body = lowerAddresses(kernel, (dtype) => bytesOf[dtype]);
  const scratch = scratchIn(kernel.body);
  const dtypes = new Map([...kernel.buffers, ...scratch].map((buffer) => [buffer.name, buffer.dtype]));
  const natural = naturalVariables(body, [...kernel.sizes, ...dtypes.keys()]);
  const parameters = [...kernel.sizes, ...kernel.buffers.map((buffer) => buffer.name)].map(
    (parameter): Local => ({ name: parameter, type: "i32" }),
  );
  const constants = new Map<string, { readonly local: Local; readonly value: Tree }>();

  let inlinedTrees = 0;
  const constant = (vector: Tree & { readonly kind: "vector" }): Tree => {
    const key = `${vector.shape} ${vector.lanes.map((lane) => (Object.is(lane, -0) ? "-0" : lane)).join(" ")}`;
    const known = constants.get(key) ?? { local: { name: `c${constants.size}`, type: "v128" as const }, value: vector };
    constants.set(key, known);
    return get(known.local);
  };

  const contextOf = (scope: ReadonlyMap<string, Local>): ExpressionContext => ({
    library,
    local: (variable) => {
      const local = scope.get(variable);
      if (!local) throw new TypeError(`kernel ${kernel.name}: ${variable} is not defined`);
      return local;
    },
    isNatural: (expr) => isNatural(expr, natural),
    name: (value, type) => {
      const local: Local = { name: "t", type };
      return { first: { kind: "tee", local, value }, again: get(local) };
    },
    constantVector: (shape, value) => constant({ kind: "vector", shape, lanes: [value, value, value, value] }),
    call: (target, ...operands) => {
      const size = treesIn(target);
      if (target.result !== "v128" || inlinedTrees + size > mostInlined) return call(target, ...operands);
      inlinedTrees += size;
      return inlined(target, operands, constant);
    },
  });

  const renderBody = (statements: readonly Stmt[], outer: ReadonlyMap<string, Local>): Tree[] => {
    const scope = new Map(outer);
    const define = (variable: string, type: Expr["type"]): Local => {
      const local: Local = { name: variable, type: registerOf(type) };
      scope.set(variable, local);
      return local;
    };
    return statements.flatMap((s): Tree[] => {
      const c = contextOf(scope);
      switch (s.kind) {
        case "for":
          return renderLoop(s, scope, c);
        case "let":
        case "var": {
          const value = render(s.value, c);
          return [set(define(s.name, s.value.type), value)];
        }
        case "assign":
          return [set(c.local(s.name), render(s.value, c))];
        case "store":
          return [store(dtypes.get(s.buffer)!, s.index, s.value, c)];
        case "if": {
          const then = renderBody(s.then, scope);
          return [{ kind: "if", condition: render(s.condition, c), then, otherwise: renderBody(s.otherwise, scope) }];
        }
        case "barrier":
          throw new TypeError(`${kernel.name} has a barrier: it is bound to thread groups, which WebAssembly lacks`);
        case "alloc":
          // Its address is set when the kernel begins.
          return [];
        case "block":
          return [comment(s.label), ...renderBody(s.body, scope)];
      }
    });
  };

  const renderLoop = (
    s: Stmt & { readonly kind: "for" },
    scope: ReadonlyMap<string, Local>,
    c: ExpressionContext,
  ): Tree[] => {
    if (s.lanes !== undefined) throw new TypeError(`kernel ${kernel.name}: the lanes of ${s.variable} are not lifted`);
    const variable: Local = { name: s.variable, type: "i32" };
    const label: Label = { name: s.variable };
    const simple = s.to.kind === "constant" || s.to.kind === "variable";
    const end: Local = { name: `${s.variable}_end`, type: "i32" };
    const to = simple ? render(s.to, c) : get(end);
    const below = op("i32.lt_s", get(variable), to);
    const start = [
      comment(`${s.variable} in ${printExpr(s.from)}..${printExpr(s.to)}${s.step === 1 ? "" : ` step ${s.step}`}`),
      set(variable, render(s.from, c)),
      ...(simple ? [] : [set(end, render(s.to, c))]),
    ];
    const loop: Tree = {
      kind: "loop",
      label,
      body: [
        ...renderBody(s.body, new Map([...scope, [s.variable, variable]])),
        set(variable, op("i32.add", get(variable), i32(s.step))),
        { kind: "branch", label, condition: below },
      ],
    };
    const runs = s.from.kind === "constant" && s.to.kind === "constant" && s.from.value < s.to.value;
    return [...start, runs ? loop : { kind: "if", condition: below, then: [loop], otherwise: [] }];
  };

  const scope = new Map(parameters.map((local) => [local.name, local]));
  const scratchBase: Local = { name: "scratch", type: "i32" };
  let scratchBytes = 0;
  const addresses = scratch.map(({ name: array, dtype, length }) => {
    const local: Local = { name: array, type: "i32" };
    scope.set(array, local);
    const address = plus(get(scratchBase), scratchBytes);
    scratchBytes += align(length * bytesOf[dtype]);
    return set(local, address);
  });
  const statements = renderBody(body, scope);
  const target: WasmFunction = {
    name,
    comments: describe(kernel),
    parameters: scratch.length === 0 ? parameters : [...parameters, scratchBase],
    body: [...[...constants.values()].map(({ local, value }) => set(local, value)), ...addresses, ...statements],
  };
  return { target, scratchBytes };
}

/** The comment above a function: what is fused, where it comes from, and its buffers. */
function describe(kernel: Kernel): string[] {
  const lines = kernel.doc === "" ? [] : kernel.doc.split("\n");
  if (kernel.location) lines.push(`from ${formatPlace(kernel.location)}`);
  const buffers = kernel.buffers.map(({ name, dtype, length, access }) => {
    const role = access === "read" ? "" : access === "write" ? " (result)" : " (read and written)";
    return `${name}: ${dtype}[${formatDim(length)}]${role}`;
  });
  return buffers.length === 0 ? lines : [...lines, buffers.join(", ")];
}
