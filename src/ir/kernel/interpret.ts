// Says what a kernel means, by running it, plainly. Every load and store is checked against the bounds of its buffer: this is
// the tool that finds mistakes of lowerings and schedules. Arithmetic is that of `arithmetic.ts`.

import { fromHalf, roundToHalf, toHalf } from "../../util/half.ts";
import { evaluateDim, type Sizes } from "../dim.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { threefry2x32 } from "../threefry.ts";
import { applyBinary, applyCompare, applyConvert, applyUnary } from "./arithmetic.ts";
import { formatPlace, printExpr } from "./print.ts";
import { type Expr, isVector, type Kernel, type Stmt, scalarOf } from "./types.ts";

/** An access out of bounds, or a name without a value. Names the kernel, the buffer and the index. */
export class KernelRunError extends Error {
  override readonly name = "KernelRunError";
}

interface Storage {
  readonly dtype: DType;
  readonly data: TypedArray | Float64Array;
  readonly offset: number;
  readonly length: number;
  /** Made by the kernel itself. */
  readonly allocated?: true;
}

interface Machine {
  readonly kernel: Kernel;
  readonly storage: Map<string, Storage>;
  /** A number, or one for each lane. */
  readonly values: Map<string, number | readonly number[]>;
  /** What a register makes of the result of an operation on floats. */
  readonly round: (value: number) => number;
}

export interface InterpretOptions {
  /** Registers hold float64 (the default), or float32 as on targets without wide accumulators: each operation rounds. */
  readonly registers?: "f64" | "f32";
}

/**
 * Runs a kernel. `buffers` holds the elements by name (f16 as bits, bool as bytes; floats may also be held in float64, f32 unrounded); `offsets` says where in each array the
 * buffer begins, in elements, 0 by default. Throws a KernelRunError for an access out of bounds.
 */
export function interpretKernel(
  kernel: Kernel,
  buffers: Readonly<Record<string, TypedArray | Float64Array>>,
  sizes: Sizes = {},
  offsets: Readonly<Record<string, number>> = {},
  options: InterpretOptions = {},
): void {
  const round = options.registers === "f32" ? Math.fround : (value: number): number => value;
  const machine: Machine = { kernel, storage: new Map(), values: new Map(), round };
  for (const name of kernel.sizes) {
    const value = sizes[name];
    if (value === undefined) throw new KernelRunError(`${kernel.name}: the size ${name} is not given`);
    machine.values.set(name, value);
  }
  for (const { name, dtype, length } of kernel.buffers) {
    const data = buffers[name];
    if (!data) throw new KernelRunError(`${kernel.name}: the buffer ${name} is not given`);
    const [offset, elements] = [offsets[name] ?? 0, evaluateDim(length, sizes)];
    if (offset + elements > data.length) {
      throw new KernelRunError(
        `${kernel.name}: ${name} needs ${elements} elements from ${offset} on, of ${data.length}`,
      );
    }
    machine.storage.set(name, { dtype, data, offset, length: elements });
  }
  runBody(kernel.body, machine);
}

function runBody(body: readonly Stmt[], machine: Machine): void {
  for (const statement of body) runStatement(statement, machine);
}

function runStatement(s: Stmt, machine: Machine): void {
  switch (s.kind) {
    case "for": {
      if (s.mode === "thread") {
        runThreads(s, machine);
        return;
      }
      const to = evaluate(s.to, machine);
      for (let i = evaluate(s.from, machine); i < to; i += s.step) {
        for (let lane = 0; lane < (s.lanes ?? 1); lane++) {
          machine.values.set(s.variable, i + lane);
          runBody(s.body, machine);
        }
      }
      machine.values.delete(s.variable);
      return;
    }
    case "let":
    case "var":
    case "assign":
      machine.values.set(s.name, isVector(s.value.type) ? lanesOf(s.value, machine) : evaluate(s.value, machine));
      return;
    case "store": {
      const values = isVector(s.value.type) ? lanesOf(s.value, machine) : [evaluate(s.value, machine)];
      values.forEach((value, lane) => {
        const { dtype, data, offset, allocated } = access(s.buffer, s.index, machine, lane);
        // Typed arrays round to float32 and wrap integers; scratch arrays of floats are as wide as registers.
        if (dtype !== "f16" || allocated) data[offset] = value;
        else data[offset] = data instanceof Float64Array ? roundToHalf(value) : toHalf(value);
      });
      return;
    }
    case "if":
      runBody(evaluate(s.condition, machine) !== 0 ? s.then : s.otherwise, machine);
      return;
    case "alloc":
      machine.storage.set(s.name, {
        dtype: s.dtype,
        data: scratch(s.dtype, s.length),
        offset: 0,
        length: s.length,
        allocated: true,
      });
      return;
    case "barrier":
      throw new KernelRunError(`${machine.kernel.name}: a barrier that is not directly in a thread loop`);
    case "block":
      runBody(s.body, machine);
      return;
  }
}

/**
 * The threads of a group, one after the other from barrier to barrier; each has names, and scratch arrays that are not shared, of its
 * own.
 */
function runThreads(s: Extract<Stmt, { kind: "for" }>, machine: Machine): void {
  const [from, to] = [evaluate(s.from, machine), evaluate(s.to, machine)];
  const threads: Machine[] = [];
  for (let i = from; i < to; i += s.step) {
    const values = new Map(machine.values).set(s.variable, i);
    threads.push({ ...machine, values, storage: new Map(machine.storage) });
  }
  runTogether(s.body, threads);
}

/** Statements that all threads come to: where they wait for each other, and serial loops in which they do, are gone through together. */
function runTogether(body: readonly Stmt[], threads: readonly Machine[]): void {
  let start = 0;
  const runTo = (end: number): void => {
    for (const thread of threads) runBody(body.slice(start, end), thread);
    start = end + 1;
  };
  for (const [at, s] of body.entries()) {
    const [first] = threads;
    if (s.kind === "barrier") runTo(at);
    else if (first && s.kind === "for" && s.body.some(({ kind }) => kind === "barrier")) {
      runTo(at);
      const to = evaluate(s.to, first);
      for (let i = evaluate(s.from, first); i < to; i += s.step) {
        for (const { values } of threads) values.set(s.variable, i);
        runTogether(s.body, threads);
      }
    }
  }
  runTo(body.length);
}

function scratch(dtype: DType, length: number): TypedArray | Float64Array {
  switch (dtype) {
    case "f32":
    case "f16":
      return new Float64Array(length).fill(Number.NaN);
    case "i32":
      return new Int32Array(length);
    case "i8":
      return new Int8Array(length);
    case "u8":
    case "bool":
      return new Uint8Array(length);
  }
}

/** The array behind a buffer and the position of the element in it, `lane` elements behind the index. */
function access(buffer: string, index: Expr, machine: Machine, lane: number): Storage {
  const storage = machine.storage.get(buffer);
  if (!storage) throw new KernelRunError(`${machine.kernel.name}: ${buffer} is no buffer`);
  const at = evaluate(index, machine) + lane;
  if (!(at >= 0 && at < storage.length)) {
    const { name, location } = machine.kernel;
    const place = location ? ` (${formatPlace(location)})` : "";
    const expression = `${buffer}[${printExpr(index)}]`;
    throw new KernelRunError(`${name}${place}: ${expression} is element ${at} of ${storage.length}`);
  }
  return { ...storage, offset: storage.offset + at };
}

const lanesOf = (expr: Expr, machine: Machine): readonly number[] =>
  [0, 1, 2, 3].map((lane) => evaluate(expr, machine, lane));

/** The value of a scalar, or of one lane of a vector, as a register holds it. */
function evaluate(expr: Expr, machine: Machine, lane = 0): number {
  const result = compute(expr, machine, lane);
  const type = scalarOf(expr.type);
  return type === "f32" || type === "f16" ? machine.round(result) : result;
}

function compute(expr: Expr, machine: Machine, lane: number): number {
  const value = (x: Expr): number => evaluate(x, machine, lane);
  const type = scalarOf(expr.type);
  switch (expr.kind) {
    case "constant":
      return expr.value;
    case "variable": {
      const known = machine.values.get(expr.name);
      if (known === undefined) throw new KernelRunError(`${machine.kernel.name}: ${expr.name} has no value`);
      return typeof known === "number" ? known : known[lane]!;
    }
    case "load": {
      const { dtype, data, offset } = access(expr.buffer, expr.index, machine, isVector(expr.type) ? lane : 0);
      const element = data[offset]!;
      return dtype === "f16" && !(data instanceof Float64Array) ? fromHalf(element) : element;
    }
    case "unary":
      return applyUnary(expr.op, scalarOf(expr.x.type), value(expr.x));
    case "binary":
      return applyBinary(expr.op, type, value(expr.a), value(expr.b));
    case "fma":
      return machine.round(value(expr.a) * value(expr.b)) + value(expr.c);
    case "compare":
      return applyCompare(expr.op, value(expr.a), value(expr.b)) ? 1 : 0;
    case "select":
      return value(value(expr.condition) !== 0 ? expr.a : expr.b);
    case "convert":
      return applyConvert(scalarOf(expr.x.type), type, value(expr.x));
    case "threefry": {
      const [key0, key1, counter0, counter1] = [...expr.key, ...expr.counter].map(value);
      return threefry2x32([key0!, key1!], [counter0!, counter1!])[0];
    }
    case "splat":
      return value(expr.x);
    case "vector":
      return value(expr.lanes[lane]!);
    case "lane":
      return evaluate(expr.x, machine, expr.lane);
    case "reduce_lanes": {
      const [x0, x1, x2, x3] = lanesOf(expr.x, machine);
      const round = type === "f32" ? machine.round : (value: number): number => value;
      const join = (a: number, b: number): number => round(applyBinary(expr.op, type, a, b));
      return join(join(x0!, x2!), join(x1!, x3!));
    }
  }
}
