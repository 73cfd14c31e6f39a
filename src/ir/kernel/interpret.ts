// Says what a kernel means, by running it, plainly. Every load and store is checked against the bounds of its buffer: this is
// the tool that finds mistakes of lowerings and schedules. Arithmetic is that of `arithmetic.ts`.

import { evaluateDim, type Sizes } from "../dim.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { threefry2x32 } from "../threefry.ts";
import { applyBinary, applyCompare, applyConvert, applyUnary, fromHalf, toHalf } from "./arithmetic.ts";
import { formatPlace, printExpr } from "./print.ts";
import type { Expr, Kernel, Stmt } from "./types.ts";

/** An access out of bounds, or a name without a value. Names the kernel, the buffer and the index. */
export class KernelRunError extends Error {
  override readonly name = "KernelRunError";
}

interface Storage {
  readonly dtype: DType;
  readonly data: TypedArray | Float64Array;
  readonly offset: number;
  readonly length: number;
}

interface Machine {
  readonly kernel: Kernel;
  readonly storage: Map<string, Storage>;
  readonly values: Map<string, number>;
}

/**
 * Runs a kernel. `buffers` holds the elements by name (f16 as bits, bool as bytes; floats may also be held, unrounded, in float64); `offsets` says where in each array the
 * buffer begins, in elements, 0 by default. Throws a KernelRunError for an access out of bounds.
 */
export function interpretKernel(
  kernel: Kernel,
  buffers: Readonly<Record<string, TypedArray | Float64Array>>,
  sizes: Sizes = {},
  offsets: Readonly<Record<string, number>> = {},
): void {
  const machine: Machine = { kernel, storage: new Map(), values: new Map() };
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
      const to = evaluate(s.to, machine);
      for (let i = evaluate(s.from, machine); i < to; i += s.step) {
        machine.values.set(s.variable, i);
        runBody(s.body, machine);
      }
      machine.values.delete(s.variable);
      return;
    }
    case "let":
    case "var":
    case "assign":
      machine.values.set(s.name, evaluate(s.value, machine));
      return;
    case "store": {
      const value = evaluate(s.value, machine);
      const { dtype, data, offset } = access(s.buffer, s.index, machine);
      // Typed arrays round to float32 and wrap integers; scratch arrays of floats are as wide as registers.
      data[offset] = dtype === "f16" && !(data instanceof Float64Array) ? toHalf(value) : value;
      return;
    }
    case "if":
      runBody(evaluate(s.condition, machine) !== 0 ? s.then : s.otherwise, machine);
      return;
    case "alloc":
      machine.storage.set(s.name, { dtype: s.dtype, data: scratch(s.dtype, s.length), offset: 0, length: s.length });
      return;
    case "block":
      runBody(s.body, machine);
      return;
  }
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

/** The array behind a buffer and the position of the element in it. */
function access(buffer: string, index: Expr, machine: Machine): Storage {
  const storage = machine.storage.get(buffer);
  if (!storage) throw new KernelRunError(`${machine.kernel.name}: ${buffer} is no buffer`);
  const at = evaluate(index, machine);
  if (!(at >= 0 && at < storage.length)) {
    const { name, location } = machine.kernel;
    const place = location ? ` (${formatPlace(location)})` : "";
    const expression = `${buffer}[${printExpr(index)}]`;
    throw new KernelRunError(`${name}${place}: ${expression} is element ${at} of ${storage.length}`);
  }
  return { ...storage, offset: storage.offset + at };
}

function evaluate(expr: Expr, machine: Machine): number {
  switch (expr.kind) {
    case "constant":
      return expr.value;
    case "variable": {
      const value = machine.values.get(expr.name);
      if (value === undefined) throw new KernelRunError(`${machine.kernel.name}: ${expr.name} has no value`);
      return value;
    }
    case "load": {
      const { dtype, data, offset } = access(expr.buffer, expr.index, machine);
      const value = data[offset]!;
      return dtype === "f16" && !(data instanceof Float64Array) ? fromHalf(value) : value;
    }
    case "unary":
      return applyUnary(expr.op, expr.x.type, evaluate(expr.x, machine));
    case "binary":
      return applyBinary(expr.op, expr.type, evaluate(expr.a, machine), evaluate(expr.b, machine));
    case "compare":
      return applyCompare(expr.op, evaluate(expr.a, machine), evaluate(expr.b, machine)) ? 1 : 0;
    case "select":
      return evaluate(evaluate(expr.condition, machine) !== 0 ? expr.a : expr.b, machine);
    case "convert":
      return applyConvert(expr.x.type, expr.type, evaluate(expr.x, machine));
    case "threefry": {
      const [key0, key1, counter0, counter1] = [...expr.key, ...expr.counter].map((x) => evaluate(x, machine));
      return threefry2x32([key0!, key1!], [counter0!, counter1!])[0];
    }
  }
}
