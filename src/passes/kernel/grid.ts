// Binds kernels to groups of threads: the parallel loops of a kernel become a grid, one thread an iteration. Loops side by side share
// a grid where none reads what another writes; else they become kernels of their own, that run one after the other.

import {
  addDims,
  type Dim,
  evaluateDim,
  floorDivideDim,
  multiplyDims,
  productOf,
  subtractDims,
  symbolsOf,
} from "../../ir/dim.ts";
import { bytesOf } from "../../ir/dtype.ts";
import { k } from "../../ir/kernel/build.ts";
import { toDim } from "../../ir/kernel/query.ts";
import type { BufferParameter, Expr, Kernel, Stmt } from "../../ir/kernel/types.ts";
import { eachPartIn, eachStatement } from "../../ir/kernel/visit.ts";
import type { GroupLimits } from "../../ir/target.ts";
import { freshNames, renumber } from "./rewrite.ts";
import { type Sharing, together } from "./together.ts";

type Loop = Extract<Stmt, { kind: "for" }>;

/** A parallel loop, and how often it runs. */
interface Axis {
  readonly loop: Loop;
  readonly count: Dim;
}

/** Parallel loops, outermost first, and what is done at each point; only where all conditions hold. */
interface Nest {
  readonly axes: readonly Axis[];
  readonly conditions: readonly Expr[];
  readonly body: readonly Stmt[];
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** The kernel as kernels over a grid, in the order in which they run; none where nothing is to be done. */
export function bindToGrid(
  kernel: Kernel,
  groups: GroupLimits,
  freshKernel: (stem: string) => string,
): readonly Kernel[] {
  const fresh = freshNames(kernel);
  const scope = { sizes: kernel.sizes, scratch: scratchOf(kernel), groups, fresh };
  const steps = stagesOf(collect(kernel.body, [], [], scope)).map(partsOf);
  const stages = steps.flat();
  // What kernels are known by: the first part of the last step, which has the most to do.
  const main = steps
    .flatMap((parts, step) => parts.map((_, part) => step === steps.length - 1 && part === 0))
    .indexOf(true);
  /** Whether the nests are one, and not what others leave: few points in that say nothing about the whole. */
  const isWhole = (nests: readonly Nest[]): boolean =>
    nests.length === 1 && steps.some((parts) => parts.length === 1 && parts[0] === nests);
  return stages.map((nests, i): Kernel => {
    const buffers = buffersOf(kernel, nests);
    const bytes = buffers.map((b) => multiplyDims(bytesOf[b.dtype], b.length)).reduce<Dim>(addDims, 0);
    return renumber({
      ...kernel,
      name: i === main ? kernel.name : freshKernel(`${kernel.name}_${i < main ? "start" : "rest"}`),
      buffers,
      body: (isWhole(nests) && bindTogether(nests[0]!, scope)) || bindPoints(nests, groups, fresh),
      cost: { flops: i === main ? kernel.cost.flops : 0, bytes: stages.length === 1 ? kernel.cost.bytes : bytes },
    });
  });
}

/** A thread for each point of each nest, one nest behind the other. */
function bindPoints(nests: readonly Nest[], { threads }: GroupLimits, fresh: Fresh): readonly Stmt[] {
  const [group, thread, at] = [fresh("group"), fresh("thread"), fresh("at")];
  const counts = nests.map(countOf);
  const total = counts.reduce<Dim>(addDims, 0);
  const position = k.add(k.multiply(k.variable(group, "index"), threads), k.variable(thread, "index"));
  /** Nest `i` and those behind it, each of which has the threads from where the one before it ends. */
  const pointsFrom = (i: number, start: Dim): readonly Stmt[] => {
    const nest = nests[i];
    if (!nest) return [];
    const end = addDims(start, counts[i]!);
    const own = start === 0 ? at : fresh("at");
    // Never negative where it counts, and known not to be.
    const shifted = k.maximum(k.subtract(k.variable(at, "index"), k.fromDim(start)), 0);
    const body = [
      ...(start === 0 ? [] : [k.let(own, shifted)]),
      ...positionsOf(nest.axes, k.variable(own, "index")),
      ...nest.body,
    ];
    const here = nest.conditions.length === 0 ? body : [k.if(nest.conditions.reduce(k.and), body)];
    if (i === nests.length - 1 && isMultiple(total, threads)) return here;
    return [k.if(k.lt(k.variable(at, "index"), k.fromDim(end)), here, pointsFrom(i + 1, end))];
  };
  const points = pointsFrom(0, 0);
  const groups = floorDivideDim(addDims(total, threads - 1), threads);
  return [
    k.loop(group, k.fromDim(groups), [k.loop(thread, threads, [k.let(at, position), ...points], { mode: "thread" })], {
      mode: "grid",
    }),
  ];
}

const isMultiple = (total: Dim, threads: number): boolean => typeof total === "number" && total % threads === 0;

/** A group for each point, where there are few points and much to add up at each. */
function bindTogether(nest: Nest, scope: Scope): readonly Stmt[] | undefined {
  const { axes, conditions, body, reads, writes } = nest;
  const points = productOf(axes.map(({ count }) => count));
  if (usually(points) > fewPoints || meet(reads, writes)) return undefined;
  const shared = together(body, sharingIn(scope));
  if (!shared) return undefined;
  const group = scope.fresh("group");
  const inside = [...positionsOf(axes, k.variable(group, "index")), ...shared];
  const within = conditions.length === 0 ? inside : [k.if(conditions.reduce(k.and), inside)];
  return [k.loop(group, k.fromDim(points), within, { mode: "grid" })];
}

/** The loop variables at a position of the row-major order of all iterations. */
function positionsOf(axes: readonly Axis[], at: Expr): readonly Stmt[] {
  return axes.map(({ loop: { variable, from, step }, count }, i) => {
    const inner = productOf(axes.slice(i + 1).map((axis) => axis.count));
    const above = k.floordiv(at, k.fromDim(inner));
    const number = count === 1 ? k.index(0) : i === 0 ? above : k.remainder(above, k.fromDim(count));
    return k.let(variable, k.add(from, k.multiply(number, step)));
  });
}

/** A loop as a part of a grid, if it can be one: it is parallel, and its ends depend on sizes alone. */
function axisOf(loop: Loop, { sizes }: Scope): Axis | undefined {
  const [from, to] = [toDim(loop.from, sizes), toDim(loop.to, sizes)];
  if (loop.mode !== "parallel" || from === undefined || to === undefined) return undefined;
  return { loop, count: floorDivideDim(addDims(subtractDims(to, from), loop.step - 1), loop.step) };
}

type Fresh = (stem: string) => string;

interface Scope {
  readonly sizes: readonly string[];
  readonly scratch: ReadonlyMap<string, Stmt>;
  readonly groups: GroupLimits;
  readonly fresh: Fresh;
}

const scratchOf = (kernel: Kernel): Scope["scratch"] =>
  new Map(kernel.body.flatMap((s) => (s.kind === "alloc" ? [[s.name, s] as const] : [])));

/**
 * The nests of a body in order. A loop over several nests becomes several loops: its iterations are independent, and so are loops side
 * by side unless one reads what the other writes, which `stagesOf` looks at.
 */
function collect(
  body: readonly Stmt[],
  axes: readonly Axis[],
  conditions: readonly Expr[],
  scope: Scope,
): readonly Nest[] {
  const statements = body.filter((s) => s.kind !== "alloc" || !scope.scratch.has(s.name));
  if (statements.length > 0 && statements.every((s) => isStructure(s, scope))) {
    return statements.flatMap((s): readonly Nest[] => {
      switch (s.kind) {
        case "for": {
          const axis = axisOf(s, scope)!;
          return axis.count === 0 ? [] : collect(s.body, [...axes, axis], conditions, scope);
        }
        case "if":
          return collect(s.then, axes, [...conditions, s.condition], scope);
        case "block":
          return collect(s.body, axes, conditions, scope);
        default:
          return [];
      }
    });
  }
  if (statements.length === 0) return [];
  const touched = { reads: new Set<string>(), writes: new Set<string>() };
  note(statements, touched);
  const own = [...scope.scratch].flatMap(([name, alloc]) =>
    touched.reads.has(name) || touched.writes.has(name) ? [alloc] : [],
  );
  return [{ axes, conditions, body: [...own, ...statements], ...touched }];
}

/** Where there are so many points, threads have enough to do with one each. */
const fewPoints = 256;

/** A dimension with usual values of the free sizes. */
const usually = (dim: Dim): number => evaluateDim(dim, Object.fromEntries(symbolsOf(dim).map((name) => [name, 32])));

function sharingIn(scope: Scope): Sharing {
  const { threads, sharedBytes } = scope.groups;
  /** Loops directly in each other, as far as sizes decide how often they run. */
  const chainOf = (loop: Loop): readonly Axis[] => {
    const axis = axisOf({ ...loop, mode: "parallel" }, scope);
    const [inner, ...more] = loop.body;
    if (!axis) return [];
    return inner?.kind === "for" && more.length === 0 ? [{ ...axis, loop }, ...chainOf(inner)] : [{ ...axis, loop }];
  };
  const terms = (loop: Loop): number => {
    const axis = axisOf({ ...loop, mode: "parallel" }, scope);
    const inside = loop.body.reduce((sum, s) => sum + (s.kind === "for" ? terms(s) : 0), 0);
    return axis ? usually(axis.count) * loop.step * Math.max(1, inside) : 0;
  };
  return {
    threads,
    sharedBytes,
    fresh: scope.fresh,
    terms,
    deal(loop, thread) {
      const chain = chainOf(loop);
      // As many of the outer loops as it takes to give each thread something to do.
      let taken = 0;
      for (let rounds = 1; taken < chain.length && rounds < 2 * threads; taken++)
        rounds *= usually(chain[taken]!.count);
      const axes = chain.slice(0, taken);
      if (axes.length <= 1)
        return { ...loop, from: k.add(loop.from, k.multiply(thread, loop.step)), step: loop.step * threads };
      const at = scope.fresh("at");
      const body = [...positionsOf(axes, k.variable(at, "index")), ...axes.at(-1)!.loop.body];
      const to = k.fromDim(productOf(axes.map(({ count }) => count)));
      return { ...loop, variable: at, from: thread, to, step: threads, body };
    },
  };
}

/** A statement that only arranges loops; conditions are of sizes alone. */
function isStructure(s: Stmt, scope: Scope): boolean {
  switch (s.kind) {
    case "for":
      return axisOf(s, scope) !== undefined;
    case "if":
      return (
        s.otherwise.length === 0 &&
        s.then.every((inner) => isStructure(inner, scope)) &&
        dependsOnSizes(s.condition, scope)
      );
    case "block":
      return s.body.every((inner) => isStructure(inner, scope));
    default:
      return false;
  }
}

const dependsOnSizes = (condition: Expr, { sizes }: Scope): boolean =>
  condition.kind === "compare" && [condition.a, condition.b].every((x) => toDim(x, sizes) !== undefined);

/** Nests that may run side by side. Several that write to one buffer write to different elements of it. */
function stagesOf(nests: readonly Nest[]): readonly (readonly Nest[])[] {
  const stages: Nest[][] = [];
  for (const nest of nests) {
    const stage = stages.at(-1);
    const apart = stage?.every((other) => !meet(other.writes, nest.reads) && !meet(other.reads, nest.writes));
    if (stage && apart) stage.push(nest);
    else stages.push([nest]);
  }
  return stages;
}

/**
 * Nests of a stage as kernels: where quotients of free sizes decide how many points there are, as in what whole tiles leave of a batch,
 * there may be none, and a kernel without points is not run. Threads of others would carry its code. Nests of which all or none have
 * points stay together.
 */
function partsOf(nests: readonly Nest[]): readonly (readonly Nest[])[] {
  const parts = new Map<string, Nest[]>();
  for (const nest of nests) {
    const count = countOf(nest);
    const key = hasQuotient(count) ? proportionOf(count) : "always";
    parts.set(key, [...(parts.get(key) ?? []), nest]);
  }
  return [...parts.values()];
}

/** What a dimension has in common with its multiples. */
function proportionOf(dim: Dim): string {
  if (typeof dim === "number") return "number";
  const [first] = dim.terms;
  return JSON.stringify(dim.terms.map(({ coefficient, factors }) => [coefficient / first!.coefficient, factors]));
}

const countOf = ({ axes }: Nest): Dim => productOf(axes.map(({ count }) => count));

const hasQuotient = (dim: Dim): boolean =>
  typeof dim !== "number" && dim.terms.some(({ factors }) => factors.some((factor) => typeof factor !== "string"));

const meet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].some((name) => b.has(name));

function buffersOf(kernel: Kernel, nests: readonly Nest[]): readonly BufferParameter[] {
  return kernel.buffers.flatMap((buffer): readonly BufferParameter[] => {
    const read = nests.some(({ reads }) => reads.has(buffer.name));
    const written = nests.some(({ writes }) => writes.has(buffer.name));
    if (!read && !written) return [];
    return [{ ...buffer, access: !written ? "read" : read ? "read_write" : "write" }];
  });
}

interface Touched {
  readonly reads: Set<string>;
  readonly writes: Set<string>;
}

function note(body: readonly Stmt[], touched: Touched): void {
  eachPartIn(body, (part) => {
    if (part.kind === "load") touched.reads.add(part.buffer);
  });
  eachStatement(body, (s) => {
    if (s.kind === "store") touched.writes.add(s.buffer);
  });
}
