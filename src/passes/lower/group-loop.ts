// Loops whose steps are small, on machines with groups of threads: where one group can do all of every kernel in a loop, it takes the
// whole loop, and its threads wait for each other between the kernels. A recurrent network over a single sequence is then one dispatch,
// not one or more a step.

import { addDims, type Dim, multiplyDims, symbolsOf } from "../../ir/dim.ts";
import type { DType } from "../../ir/dtype.ts";
import { k } from "../../ir/kernel/build.ts";
import type { KernelCall, Loop } from "../../ir/kernel/program.ts";
import type { BufferParameter, Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { definedIn, eachStatement, mapParts, rebuild } from "../../ir/kernel/visit.ts";
import type { Place } from "../../ir/memory-plan.ts";
import { renumber, substitute, substituteIn } from "../kernel/rewrite.ts";
import { createFresh } from "./names.ts";

type For = Extract<Stmt, { kind: "for" }>;

/** A stretch of memory as a buffer of the kernel: what one step writes there, another may read. */
interface Stretch {
  readonly place: Place;
  readonly buffer: BufferParameter;
}

/**
 * The loop as one call of a kernel for one group; undefined where a step takes more than that. `lengthOf` says how many elements of a
 * type the arena buffer, input or global has that a place lies in; `freshKernel` makes names of kernels.
 */
export function loopInGroup(
  loop: Loop,
  lengthOf: (place: Place, dtype: DType) => Dim,
  freshKernel: (stem: string) => string,
): KernelCall | undefined {
  const calls = loop.steps.flatMap((step) => (step.kind === "call" ? [step] : []));
  const loops = calls.flatMap(({ kernel }) => loopsOf(kernel) ?? []);
  const [first] = calls;
  if (!first || calls.length < loop.steps.length || loops.length < calls.length) return undefined;
  const fresh = createFresh(
    new Set([loop.index, ...calls.flatMap(({ kernel }) => [...kernel.sizes, ...definedIn(kernel.body)])]),
  );
  const stretches = stretchesOf(calls, lengthOf, fresh);
  if (!stretches) return undefined;

  const thread = fresh("thread");
  // Kernels that do not know of the step may have its name for something else.
  const step = fresh(loop.index);
  const steps = calls.flatMap((call, i) => {
    const { grid, threads } = loops[i]!;
    const names = new Map([
      [grid.variable, k.index(0)],
      [threads.variable, k.variable(thread, "index")],
      ...(call.kernel.sizes.includes(loop.index) ? [[loop.index, k.variable(step, "index")] as const] : []),
    ]);
    const own = substituteIn(threads.body, names);
    const offset = (dim: Dim): Expr => substitute(k.fromDim(dim), new Map([[loop.index, k.variable(step, "index")]]));
    return [k.block(call.kernel.name, inStretches(own, call, stretches, offset)), k.barrier];
  });
  const round = loop.reversed ? fresh("round") : step;
  const back = k.subtract(k.subtract(k.fromDim(loop.extent), 1), k.variable(round, "index"));
  const all = k.loop(round, k.fromDim(loop.extent), loop.reversed ? [k.let(step, back), ...steps] : steps);
  const sizes = new Set(calls.flatMap(({ kernel, places }) => [...kernel.sizes, ...places.flatMap(symbolsAt)]));
  for (const dim of [loop.extent, ...[...stretches.values()].map(({ buffer }) => buffer.length)])
    for (const size of symbolsOf(dim)) sizes.add(size);
  sizes.delete(loop.index);
  const total = (cost: keyof Kernel["cost"]): Dim =>
    multiplyDims(loop.extent, calls.map(({ kernel }) => kernel.cost[cost]).reduce<Dim>(addDims, 0));
  const kernel: Kernel = {
    name: freshKernel(`${first.kernel.name}_steps`),
    doc: ["all steps of a loop", ...new Set(calls.map((call) => call.kernel.doc))].join("\n"),
    location: first.kernel.location,
    buffers: [...stretches.values()].map(({ buffer }) => buffer),
    sizes: [...sizes],
    body: [k.loop(fresh("group"), 1, [{ ...loops[0]!.threads, variable: thread, body: [all] }], { mode: "grid" })],
    cost: { flops: total("flops"), bytes: total("bytes") },
    schedule: ["all steps in one group of threads, which wait for each other behind each"],
  };
  return { kind: "call", kernel: renumber(kernel), places: [...stretches.values()].map(({ place }) => place) };
}

const symbolsAt = ({ offset }: Place): readonly string[] => symbolsOf(offset);

/** The loops over groups and threads of a kernel that is one group whose threads need not wait for each other. */
function loopsOf({ body }: Kernel): { readonly grid: For; readonly threads: For } | undefined {
  const [grid, ...more] = body;
  if (grid?.kind !== "for" || grid.mode !== "grid" || more.length > 0) return undefined;
  const [threads, ...others] = grid.body;
  if (threads?.kind !== "for" || threads.mode !== "thread" || others.length > 0) return undefined;
  if (grid.to.kind !== "constant" || grid.to.value !== 1) return undefined;
  let meet = false;
  eachStatement(threads.body, ({ kind }) => {
    meet ||= kind === "barrier";
  });
  return meet ? undefined : { grid, threads };
}

const rootOf = (place: Place): string =>
  place.kind === "arena" ? `arena ${place.buffer}` : `${place.kind} ${place.name}`;

/** Undefined where one stretch holds elements of two types. */
function stretchesOf(
  calls: readonly KernelCall[],
  lengthOf: (place: Place, dtype: DType) => Dim,
  fresh: (stem: string) => string,
): ReadonlyMap<string, Stretch> | undefined {
  const stretches = new Map<string, Stretch>();
  for (const { kernel, places } of calls) {
    for (const [i, { name, dtype, access }] of kernel.buffers.entries()) {
      const place: Place = { ...places[i]!, offset: 0 };
      const root = rootOf(place);
      const known = stretches.get(root)?.buffer;
      if (known && known.dtype !== dtype) return undefined;
      const buffer = known ?? { name: fresh(name), dtype, length: lengthOf(place, dtype), access };
      stretches.set(root, { place, buffer: { ...buffer, access: buffer.access === access ? access : "read_write" } });
    }
  }
  return stretches;
}

/** The statements of a call with its buffers as parts of the stretches that they lie in, at the place of the step. */
function inStretches(
  body: readonly Stmt[],
  { kernel, places }: KernelCall,
  stretches: ReadonlyMap<string, Stretch>,
  offset: (dim: Dim) => Expr,
): readonly Stmt[] {
  const placeOf = new Map(kernel.buffers.map(({ name }, i) => [name, places[i]!]));
  const at = (buffer: string, index: Expr): { readonly buffer: string; readonly index: Expr } => {
    const place = placeOf.get(buffer);
    if (!place) return { buffer, index };
    return { buffer: stretches.get(rootOf(place))!.buffer.name, index: k.add(offset(place.offset), index) };
  };
  const inExpr = (expr: Expr): Expr =>
    mapParts(expr, (part) => (part.kind === "load" ? { ...part, ...at(part.buffer, part.index) } : part));
  const inBody = (statements: readonly Stmt[]): readonly Stmt[] =>
    statements.map((s) => {
      const changed = rebuild(s, inExpr, inBody);
      return changed.kind === "store" ? { ...changed, ...at(changed.buffer, changed.index) } : changed;
    });
  return inBody(body);
}
