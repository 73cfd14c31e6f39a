// Renders one graph of a lowered module as a WebAssembly module: a function for each kernel, and one that calls them in order. It
// takes the free sizes, the byte addresses of the inputs, of a list of the addresses of the arena's buffers, and of scratch memory.

import type { Dim, Factor } from "../../ir/dim.ts";
import { formatDim } from "../../ir/dim.ts";
import { bytesOf, type DType } from "../../ir/dtype.ts";
import type { TensorType } from "../../ir/graph.ts";
import { kernelsIn, type Loop, type Program, type ProgramModule, type Step } from "../../ir/kernel/program.ts";
import type { Kernel } from "../../ir/kernel/types.ts";
import type { Place } from "../../ir/memory-plan.ts";
import { globalOffsets } from "../runtime/layout.ts";
import { plus } from "./expression.ts";
import { createLibrary, type Library } from "./functions/library.ts";
import { type RenderedKernel, renderKernel } from "./render-kernel.ts";
import {
  add,
  call,
  comment,
  get,
  i32,
  type Local,
  op,
  set,
  type Tree,
  type WasmFunction,
  withCallees,
} from "./tree.ts";

export interface RenderOptions {
  /** Whether relaxed SIMD's multiply-add may be used. */
  readonly fma: boolean;
}

export interface RenderedGraph {
  /** All functions, callees first; the last is the graph's, exported under its name. */
  readonly functions: readonly WasmFunction[];
  /** Bytes of scratch memory that a run needs. */
  readonly scratchBytes: number;
}

/** Throws a RangeError for a graph that the module does not have. */
export function renderGraph(module: ProgramModule, graph: string, options: RenderOptions): RenderedGraph {
  return renderGraphs(module, [graph], options);
}

/** The same for several graphs, whose functions come last, in this order. */
export function renderGraphs(module: ProgramModule, graphs: readonly string[], options: RenderOptions): RenderedGraph {
  const programs = graphs.map((graph) => {
    const program = module.programs.get(graph);
    if (!program) throw new RangeError(`${module.name} has no graph ${graph}`);
    return program;
  });
  const kernels = renderKernels(
    programs.flatMap(({ steps }) => kernelsIn(steps)),
    createLibrary(options.fma),
  );
  const copies = programs.map((program) => renderCopies(program, module));
  const entries = programs.map((program, i) => renderEntry(program, module, kernels, copies[i]!.make));
  const scratchBytes = Math.max(...[...copies, ...kernels.values()].map((part) => part.scratchBytes));
  return { functions: withCallees(entries), scratchBytes };
}

/** One function for kernels of one body. */
function renderKernels(kernels: readonly Kernel[], library: Library): ReadonlyMap<Kernel, RenderedKernel> {
  const rendered = new Map<Kernel, RenderedKernel>();
  const byBody = new Map<Kernel["body"], RenderedKernel>();
  for (const kernel of kernels) {
    const made = byBody.get(kernel.body) ?? renderKernel(kernel, kernel.name, library);
    byBody.set(kernel.body, made);
    rendered.set(kernel, made);
  }
  return rendered;
}

interface Entry {
  readonly size: (name: string) => Tree;
  /** The byte address of a place whose elements are of the type. */
  readonly address: (place: Place, dtype: DType) => Tree;
  readonly scratch: Local;
}

/** The function that calls all kernels and makes the copies. */
export function renderEntry(
  program: Program,
  module: ProgramModule,
  kernels: ReadonlyMap<Kernel, RenderedKernel>,
  copies: (entry: Entry) => readonly Tree[],
): WasmFunction {
  const locals = (names: readonly string[]): Map<string, Local> =>
    new Map(names.map((name) => [name, { name, type: "i32" }]));
  const sizes = locals(program.sizes);
  const inputs = locals(program.inputs.map((input) => input.name));
  const arena: Local = { name: "arena", type: "i32" };
  const scratch: Local = { name: "scratch", type: "i32" };
  const globals = globalOffsets(module).byName;
  const size = (name: string): Tree => get(sizes.get(name)!);
  const base = (place: Place): Tree => {
    switch (place.kind) {
      case "arena":
        return { kind: "memory", op: "i32.load", offset: 4 * place.buffer, operands: [get(arena)] };
      case "input":
        return get(inputs.get(place.name)!);
      case "global":
        return i32(globals.get(place.name)!);
    }
  };
  const address = (place: Place, dtype: DType): Tree =>
    typeof place.offset === "number"
      ? plus(base(place), place.offset * bytesOf[dtype])
      : add(base(place), renderDim(place.offset, size, bytesOf[dtype]));
  const renderStep = (step: Step): Tree => {
    if (step.kind === "loop") return renderLoop(step, size, sizes, renderStep);
    const { kernel, places } = step;
    const { target, scratchBytes } = kernels.get(kernel)!;
    const buffers = places.map((place, i) => address(place, kernel.buffers[i]!.dtype));
    return call(target, ...kernel.sizes.map(size), ...buffers, ...(scratchBytes > 0 ? [get(scratch)] : []));
  };
  const parameters = [...sizes.values(), ...inputs.values(), arena, scratch];
  const describe = (list: readonly { readonly name: string; readonly type: TensorType }[]): string =>
    list.map(({ name, type }) => `${name}: ${type.dtype}[${type.shape.map(formatDim).join(", ")}]`).join(", ");
  return {
    name: program.name,
    comments: [
      `${program.name}(${describe(program.inputs)}) -> (${describe(program.outputs)})`,
      "Addresses are in bytes; `arena` is that of the list of addresses of the arena's buffers.",
    ],
    parameters,
    body: [...program.steps.map(renderStep), ...copies({ size, address, scratch })],
    exported: true,
  };
}

/** A loop inside the module: a round costs no call from JavaScript. */
function renderLoop(
  { index, extent, reversed, steps }: Loop,
  size: (name: string) => Tree,
  sizes: Map<string, Local>,
  renderStep: (step: Step) => Tree,
): Tree {
  const at: Local = { name: index, type: "i32" };
  const rounds = renderDim(extent, size);
  const hidden = sizes.get(index);
  sizes.set(index, at);
  const calls = steps.map(renderStep);
  if (hidden) sizes.set(index, hidden);
  else sizes.delete(index);
  const [again, past] = [{ name: `next_${index}` }, { name: `past_${index}` }];
  const last = reversed ? op("i32.lt_s", get(at), i32(0)) : op("i32.ge_s", get(at), rounds);
  return {
    kind: "block",
    label: past,
    body: [
      set(at, reversed ? plus(rounds, -1) : i32(0)),
      {
        kind: "loop",
        label: again,
        body: [
          { kind: "branch", label: past, condition: last },
          ...calls,
          set(at, plus(get(at), reversed ? -1 : 1)),
          { kind: "branch", label: again },
        ],
      },
    ],
  };
}

/** Sources that are globals are set aside first, for another copy may change them. */
export function renderCopies(
  program: Program,
  module: ProgramModule,
): { readonly scratchBytes: number; readonly make: (entry: Entry) => readonly Tree[] } {
  let scratchBytes = 0;
  const asides = program.copies.map(({ source, length, target }) => {
    if (source.kind !== "global" || typeof length !== "number") return undefined;
    const offset = scratchBytes;
    scratchBytes += Math.ceil((length * bytesOf[module.globals.get(target)!.type.dtype]) / 16) * 16;
    return offset;
  });
  const make = ({ size, address, scratch }: Entry): readonly Tree[] => {
    const before: Tree[] = [];
    const after = program.copies.map(({ target, source, length }, i): Tree => {
      const { dtype } = module.globals.get(target)!.type;
      const bytes = renderDim(length, size, bytesOf[dtype]);
      const to = address({ kind: "global", name: target, offset: 0 }, dtype);
      const from = address(source, dtype);
      const aside = asides[i];
      if (aside === undefined) return { kind: "copy", operands: [to, from, bytes] };
      const kept = plus(get(scratch), aside);
      before.push({ kind: "copy", operands: [kept, from, bytes] });
      return { kind: "copy", operands: [to, kept, bytes] };
    });
    return after.length === 0 ? [] : [comment("updates that were not made in place"), ...before, ...after];
  };
  return { scratchBytes, make };
}

/** `dim` times `scale` as i32. */
function renderDim(dim: Dim, size: (name: string) => Tree, scale = 1): Tree {
  if (typeof dim === "number") return i32(dim * scale);
  const factorOf = (factor: Factor): Tree =>
    typeof factor === "string"
      ? size(factor)
      : // Sizes that make sense have no negative numerators.
        op("i32.div_s", renderDim(factor.numerator, size), i32(factor.divisor));
  return dim.terms
    .map(({ coefficient, factors }) => {
      const product = factors
        .map(factorOf)
        .reduce<Tree | undefined>((a, b) => (a ? op("i32.mul", a, b) : b), undefined);
      const by = coefficient * scale;
      if (!product) return i32(by);
      return by === 1 ? product : op("i32.mul", product, i32(by));
    })
    .reduce(add);
}
