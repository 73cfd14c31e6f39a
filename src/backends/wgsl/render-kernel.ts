// Renders one kernel, bound to a grid, as a compute shader. Which buffers share a binding, and from which element on, says `bindings.ts`.

import { formatDim, symbol } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import { k } from "../../ir/kernel/build.ts";
import { formatPlace } from "../../ir/kernel/print.ts";
import { isNatural, toDim } from "../../ir/kernel/query.ts";
import { type Expr, isVector, type Kernel, type Stmt } from "../../ir/kernel/types.ts";
import { hoistAddresses } from "../addresses.ts";
import { createNames } from "../names.ts";
import { define, innerScope, type Scope } from "../scope.ts";
import type { Bindings } from "./bindings.ts";
import { type ExpressionContext, laneNames, registerOf, renderValue, vectorNameOf } from "./expression.ts";
import { type AnyFunction, functionNames, functionTexts } from "./functions.ts";
import { wgsl } from "./names.ts";
import type { GpuNumber } from "./runtime/plan.ts";
import { vectorBindings } from "./whole-vectors.ts";

export interface RenderedKernel {
  /** The entry point. */
  readonly name: string;
  readonly code: string;
  /** What the uniform binding holds, in order. */
  readonly uniforms: readonly GpuNumber[];
  readonly barriers: number;
}

/** Dispatches have at most so many groups along one dimension; more of them go along the second. */
const mostGroups = 65535;

/** What a storage buffer holds for elements of such a type. */
const storageOf = (dtype: DType): string => (dtype === "f32" ? "f32" : dtype === "f16" ? "u32" : "i32");

export function renderKernel(kernel: Kernel, bindings: Bindings): RenderedKernel {
  const functions = new Set<AnyFunction>();
  const uniforms = new Map<string, Uniform>();
  const shared: string[] = [];
  const lines: string[] = [];
  let barriers = 0;
  let threads = "1";
  const names = createNames(functionNames, wgsl);
  const entry = names.make(kernel.name);
  const parameters = new Map(kernel.buffers.map((buffer) => [buffer.name, buffer.dtype]));
  const scratch = new Map<string, DType>();
  const variables = new Map(bindings.storage.map(({ root, name }) => [root, names.make(name)]));
  /** Whether threads may read from a buffer what others wrote. */
  const exchanges = kernel.buffers.some(({ access }) => access === "read_write");
  const body = hoistAddresses(kernel);
  const vectors = vectorBindings(body, bindings, parameters);
  const memberNames = createNames([], wgsl);
  const uniform = (meaning: string, name: string, number: GpuNumber): string => {
    const known = uniforms.get(meaning);
    const member = known?.member ?? memberNames.make(name);
    if (!known) uniforms.set(meaning, { member, number });
    return `sizes.${member}`;
  };
  /** A free size, or the first element of a buffer as `bindings.ts` names it. */
  const given = (name: string): string => uniform(name, name, bindings.starts.get(name) ?? { dim: symbol(name) });
  const size = (expr: Expr): string | undefined => {
    const dim = toDim(expr, kernel.sizes);
    return dim === undefined || typeof dim === "number" ? undefined : uniform(formatDim(dim), "size", { dim });
  };

  const context = (scope: Scope): ExpressionContext => ({
    name: (variable) =>
      kernel.sizes.includes(variable) ? given(variable) : (scope.identifiers.get(variable) ?? variable),
    element: (buffer, index, vector) => {
      if (!vector) return loaded(buffer, elementOf(buffer, index, scope));
      if (isOfVectors(buffer)) return vectorOf(buffer, index, scope);
      const lanes = laneNames.map((_, lane) => loaded(buffer, elementOf(buffer, k.add(index, lane), scope)));
      return `${vectorNameOf(dtypeOf(buffer))}(${lanes.join(", ")})`;
    },
    size,
    isNatural: (expr) => isNatural(expr, scope.natural),
    use,
  });
  const use = <T extends AnyFunction>(name: T): T => {
    functions.add(name);
    return name;
  };
  const dtypeOf = (buffer: string): DType => parameters.get(buffer) ?? scratch.get(buffer) ?? "f32";
  /** What lies in memory, as a register holds it. */
  const loaded = (buffer: string, element: string): string => {
    const dtype = parameters.get(buffer);
    if (!dtype) return element;
    const cast = heldAs(buffer) === storageOf(dtype) ? element : `bitcast<${storageOf(dtype)}>(${element})`;
    if (dtype === "f16") return `${use("from_half")}(${cast})`;
    return dtype === "bool" ? `(${cast} != 0)` : cast;
  };
  const elementOf = (buffer: string, index: Expr, scope: Scope): string => {
    const variable = variables.get(bindings.buffers.get(buffer)?.root ?? "");
    return `${variable ?? scope.identifiers.get(buffer) ?? buffer}[${positionOf(buffer, index, scope)}]`;
  };
  /** The place in its binding. */
  const positionOf = (buffer: string, index: Expr, scope: Scope): string => {
    const at = renderValue(index, context(scope));
    const bound = bindings.buffers.get(buffer);
    if (!bound) return at;
    const from = typeof bound.from === "number" ? String(bound.from) : given(bound.from);
    return from === "0" ? at : at === "0" ? from : `${from} + ${at}`;
  };
  const isOfVectors = (buffer: string): boolean => vectors.has(bindings.buffers.get(buffer)?.root ?? "");
  const vectorOf = (buffer: string, index: Expr, scope: Scope): string => {
    const position = positionOf(buffer, index, scope);
    const isName = /^[a-z]\w*$/.test(position);
    const place = /^\d+$/.test(position) ? Number(position) / 4 : `${isName ? position : `(${position})`} >> 2u`;
    return `${variables.get(bindings.buffers.get(buffer)?.root ?? "")}[${place}]`;
  };
  /** What the binding of a buffer holds: of one that serves several, what the first of them does. */
  const heldAs = (buffer: string): string => {
    const root = bindings.buffers.get(buffer)?.root;
    return storageOf(bindings.storage.find((binding) => binding.root === root)!.dtype);
  };
  const renderBody = (body: readonly Stmt[], scope: Scope, indent: string): void => {
    for (const statement of body) renderStatement(statement, scope, indent);
  };

  const renderStatement = (s: Stmt, scope: Scope, indent: string): void => {
    const c = context(scope);
    switch (s.kind) {
      case "for": {
        if (s.mode === "grid" || s.mode === "thread") {
          const i = define(s.variable, scope);
          scope.natural.add(s.variable);
          if (s.mode === "thread") {
            threads = renderValue(s.to, c);
            lines.push(`${indent}let ${i} = i32(thread_id);`);
          } else renderGroup(i, s.to, c, indent);
          renderBody(s.body, scope, indent);
          return;
        }
        const [from, to] = [renderValue(s.from, c), renderValue(s.to, c)];
        const inside = innerScope(scope);
        const i = define(s.variable, inside);
        inside.natural.delete(s.variable);
        if (isNatural(s.from, scope.natural)) inside.natural.add(s.variable);
        const simple = s.to.kind === "constant" || s.to.kind === "variable";
        const end = simple ? to : scope.names.make(`${i}_end`);
        if (!simple) lines.push(`${indent}let ${end} = ${to};`);
        const next = s.step === 1 ? `${i}++` : `${i} += ${s.step}`;
        lines.push(`${indent}for (var ${i} = ${from}; ${i} < ${end}; ${next}) {`);
        renderBody(s.body, inside, `${indent}  `);
        lines.push(`${indent}}`);
        return;
      }
      case "let":
      case "var": {
        const value = renderValue(s.value, c);
        if (s.value.type === "index" && s.kind === "let" && isNatural(s.value, scope.natural))
          scope.natural.add(s.name);
        else scope.natural.delete(s.name);
        lines.push(`${indent}${s.kind} ${define(s.name, scope)} = ${value};`);
        return;
      }
      case "assign":
        lines.push(`${indent}${scope.identifiers.get(s.name) ?? s.name} = ${renderValue(s.value, c)};`);
        return;
      case "store": {
        const value = renderValue(s.value, c);
        if (!isVector(s.value.type)) {
          lines.push(`${indent}${elementOf(s.buffer, s.index, scope)} = ${stored(s.buffer, value)};`);
          return;
        }
        if (isOfVectors(s.buffer)) {
          lines.push(`${indent}${vectorOf(s.buffer, s.index, scope)} = ${value};`);
          return;
        }
        const whole = s.value.kind === "variable" ? value : scope.names.make("lanes");
        if (whole !== value) lines.push(`${indent}let ${whole} = ${value};`);
        for (const [lane, name] of laneNames.entries()) {
          const element = elementOf(s.buffer, k.add(s.index, lane), scope);
          lines.push(`${indent}${element} = ${stored(s.buffer, `${whole}.${name}`)};`);
        }
        return;
      }
      case "if":
        lines.push(`${indent}if (${renderValue(s.condition, c)}) {`);
        renderBody(s.then, innerScope(scope), `${indent}  `);
        if (s.otherwise.length > 0) {
          lines.push(`${indent}} else {`);
          renderBody(s.otherwise, innerScope(scope), `${indent}  `);
        }
        lines.push(`${indent}}`);
        return;
      case "alloc": {
        const name = s.shared ? names.make(s.name) : define(s.name, scope);
        scope.identifiers.set(s.name, name);
        scratch.set(s.name, s.dtype);
        const type = `array<${registerOf(s.dtype)}, ${s.length}>`;
        if (s.shared) shared.push(`var<workgroup> ${name}: ${type};`);
        else lines.push(`${indent}var ${name}: ${type};`);
        return;
      }
      case "barrier":
        barriers++;
        if (shared.length > 0) lines.push(`${indent}workgroupBarrier();`);
        if (exchanges) lines.push(`${indent}storageBarrier();`);
        return;
      case "block":
        lines.push(`${indent}// ${s.label}`);
        renderBody(s.body, scope, indent);
        return;
    }
  };
  const renderGroup = (name: string, to: Expr, c: ExpressionContext, indent: string): void => {
    if (to.kind === "constant" && to.value <= mostGroups) {
      lines.push(`${indent}let ${name} = i32(group_id.x);`);
      return;
    }
    lines.push(`${indent}let ${name} = i32(group_id.x + group_id.y * group_count.x);`);
    lines.push(`${indent}if (${name} >= ${renderValue(to, c)}) { return; }`);
  };
  const stored = (buffer: string, value: string): string => {
    const dtype = parameters.get(buffer);
    if (!dtype) return value;
    const text = dtype === "f16" ? `${use("to_half")}(${value})` : dtype === "bool" ? `i32(${value})` : value;
    return heldAs(buffer) === storageOf(dtype) ? text : `bitcast<${heldAs(buffer)}>(${text})`;
  };

  renderBody(body, { identifiers: new Map(), natural: new Set(kernel.sizes), names: names.inner() }, "  ");

  const place = kernel.location ? [`// at ${formatPlace(kernel.location)}`] : [];
  const struct = ["struct Sizes {", ...[...uniforms].map(([meaning, { member }]) => lineOf(member, meaning)), "}"];
  const first = uniforms.size > 0 ? 1 : 0;
  const storage = bindings.storage.map(({ root, access, dtype }, i) => {
    const mode = access === "read" ? "read" : "read_write";
    const type = vectors.has(root) ? vectorNameOf(dtype) : storageOf(dtype);
    return `@group(0) @binding(${i + first}) var<storage, ${mode}> ${variables.get(root)}: array<${type}>;`;
  });
  const builtins = [
    ["group_id", "workgroup_id", "vec3u"],
    ["group_count", "num_workgroups", "vec3u"],
    ["thread_id", "local_invocation_index", "u32"],
  ].filter(([name]) => lines.some((line) => line.includes(name!)));
  const taken = builtins.map(([name, builtin, type]) => `@builtin(${builtin}) ${name}: ${type}`);
  const head = [
    ...(kernel.doc === "" ? [] : kernel.doc.split("\n").map((line) => `// ${line}`)),
    ...place,
    ...(uniforms.size > 0 ? [...struct, "@group(0) @binding(0) var<uniform> sizes: Sizes;"] : []),
    ...storage,
    ...shared,
  ].join("\n");
  const main = [`@compute @workgroup_size(${threads})`, `fn ${entry}(${taken.join(", ")}) {`, ...lines, "}"].join("\n");
  const code = `${[head, ...functionTexts(functions), main].join("\n\n")}\n`;
  return { name: entry, code, uniforms: [...uniforms.values()].map(({ number }) => number), barriers };
}

interface Uniform {
  readonly member: string;
  readonly number: GpuNumber;
}

/** A member of the struct of sizes, with its meaning where its name does not say it. */
const lineOf = (member: string, meaning: string): string =>
  `  ${member}: i32,${member === meaning ? "" : ` // ${meaning}`}`;
