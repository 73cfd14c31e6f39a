// Random kernels for the tests of everything that takes kernels: well formed, with indices in bounds.

import fc from "fast-check";
import { type DType, dtypes } from "../../../src/ir/dtype.ts";
import { k } from "../../../src/ir/kernel/build.ts";
import {
  type BinaryOp,
  binaryOps,
  compareOps,
  type Expr,
  type Kernel,
  type ScalarType,
  type Stmt,
  unaryOps,
} from "../../../src/ir/kernel/types.ts";

/** Elements of every buffer. Loops run below 6, so that `i * 3 + j + 2` stays within. */
const bufferLength = 24;

/** Numbers that show mistakes: signed zeros, infinities, NaN, ties, ends of ranges. */
const specialFloats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1e-8,
  -1e-8,
  65504,
  65520,
  1e30,
  -1e30,
  3.4e38,
  3,
  -7,
  0.1,
  2147483648,
  -2147483649,
  255.5,
  256,
  -129,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];
const specialIntegers: Readonly<Record<"i32" | "u8" | "i8", readonly number[]>> = {
  i32: [0, 1, -1, 2, 3, 7, -8, 31, 100, 65537, -65537, 2147483647, -2147483648, 16777217],
  u8: [0, 1, 2, 3, 127, 128, 200, 255],
  i8: [0, 1, -1, 2, -3, 100, 127, -127, -128],
};

const isFloatType = (type: ScalarType): boolean => type === "f32" || type === "f16";

/** Operations that a type has. */
export function unariesOf(type: ScalarType): (typeof unaryOps)[number][] {
  if (isFloatType(type)) return unaryOps.filter((op) => op !== "not");
  if (type === "bool") return ["not"];
  return ["negate", "not", "abs", "sign", "floor", "ceil", "round", "is_finite"];
}
export function binariesOf(type: ScalarType): BinaryOp[] {
  if (isFloatType(type)) {
    return ["add", "subtract", "multiply", "divide", "remainder", "power", "minimum", "maximum", "atan2"];
  }
  if (type === "bool") return ["and", "or", "xor", "minimum", "maximum", "add", "multiply"];
  return binaryOps.filter((op) => op !== "atan2" && op !== "floordiv");
}

export function constantsOf(type: DType): readonly number[] {
  if (type === "f32" || type === "f16") return specialFloats;
  return type === "bool" ? [0, 1] : specialIntegers[type];
}

interface Variable {
  readonly name: string;
  readonly type: DType;
  readonly assignable: boolean;
}
interface Scope {
  readonly loops: readonly string[];
  readonly variables: readonly Variable[];
}

const at = (scope: Scope): fc.Arbitrary<Expr> =>
  fc.tuple(fc.nat(8), fc.nat({ max: Math.max(scope.loops.length - 1, 0) }), fc.boolean()).map(([constant, i, wide]) => {
    const loop = scope.loops[i];
    if (loop === undefined) return k.index(constant);
    return k.add(k.multiply(k.variable(loop, "index"), wide ? 3 : 1), Math.min(constant, wide ? 8 : 18));
  });

function expression(type: DType, scope: Scope, depth: number): fc.Arbitrary<Expr> {
  const leaves: fc.Arbitrary<Expr>[] = [
    fc.constantFrom(...constantsOf(type)).map((value) => k.constant(value, type)),
    at(scope).map((index) => k.load(`in_${type}`, index, type)),
    at(scope).map((index) => k.load(`out_${type}`, index, type)),
  ];
  const known = scope.variables.filter((variable) => variable.type === type);
  if (known.length > 0) leaves.push(fc.constantFrom(...known).map(({ name }) => k.variable(name, type)));
  if (depth === 0) return fc.oneof(...leaves);
  const sub = (t: DType): fc.Arbitrary<Expr> => fc.constant(null).chain(() => expression(t, scope, depth - 1));
  const inner: fc.Arbitrary<Expr>[] = [
    fc
      .constantFrom(...unariesOf(type).filter((op) => op !== "is_finite"))
      .chain((op) => sub(type).map((x) => k.unary(op, x))),
    fc
      .constantFrom(...binariesOf(type))
      .chain((op) => fc.tuple(sub(type), sub(type)).map(([a, b]) => k.binary(op, a, b))),
    fc.tuple(sub("bool"), sub(type), sub(type)).map(([c, a, b]) => k.select(c, a, b)),
    fc.constantFrom(...dtypes).chain((from) => sub(from).map((x) => k.convert(x, type))),
  ];
  if (scope.loops.length > 0 && type !== "bool") {
    inner.push(fc.constantFrom(...scope.loops).map((name) => k.convert(k.variable(name, "index"), type)));
  }
  if (type === "bool") {
    inner.push(
      fc
        .tuple(fc.constantFrom(...dtypes), fc.constantFrom(...compareOps))
        .chain(([t, op]) => fc.tuple(sub(t), sub(t)).map(([a, b]) => k.compare(op, a, b))),
      fc.constantFrom<DType>("f32", "i32").chain((t) => sub(t).map((x) => k.unary("is_finite", x))),
      fc.tuple(fc.constantFrom(...compareOps), at(scope), at(scope)).map(([op, a, b]) => k.compare(op, a, b)),
    );
  }
  if (type === "i32") {
    const words = fc.tuple(sub("i32"), sub("i32"), sub("i32"), sub("i32"));
    inner.push(words.map(([a, b, c, d]) => k.threefry([a, b], [c, d])));
  }
  return fc.oneof(...leaves, ...inner, ...inner);
}

const anyType = fc.constantFrom(...dtypes);
let counter = 0;
const fresh = (stem: string): string => `${stem}${counter++ % 100000}`;

/** Statements, and the scope after them. */
function statements(scope: Scope, depth: number, count: number): fc.Arbitrary<readonly Stmt[]> {
  if (count === 0) return fc.constant([]);
  return statement(scope, depth).chain(([first, after]) =>
    statements(after, depth, count - 1).map((rest) => [first, ...rest]),
  );
}

function statement(scope: Scope, depth: number): fc.Arbitrary<readonly [Stmt, Scope]> {
  const same = (stmt: fc.Arbitrary<Stmt>): fc.Arbitrary<readonly [Stmt, Scope]> =>
    stmt.map((s): readonly [Stmt, Scope] => [s, scope]);
  const options: fc.Arbitrary<readonly [Stmt, Scope]>[] = [
    same(
      anyType.chain((type) =>
        fc.tuple(at(scope), expression(type, scope, 2)).map(([i, value]) => k.store(`out_${type}`, i, value)),
      ),
    ),
    fc.tuple(anyType, fc.boolean()).chain(([type, assignable]) =>
      expression(type, scope, 2).map((value): readonly [Stmt, Scope] => {
        const name = fresh("v");
        const variables = [...scope.variables, { name, type, assignable }];
        return [assignable ? k.var(name, value) : k.let(name, value), { ...scope, variables }];
      }),
    ),
  ];
  const assignable = scope.variables.filter((variable) => variable.assignable);
  if (assignable.length > 0) {
    options.push(
      same(
        fc
          .constantFrom(...assignable)
          .chain(({ name, type }) => expression(type, scope, 2).map((value) => k.assign(name, value))),
      ),
    );
  }
  if (depth > 0) {
    options.push(
      same(
        fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(6)).chain(([step, end]) => {
          const name = fresh("i");
          const inside = { ...scope, loops: [...scope.loops, name] };
          return statements(inside, depth - 1, 2).map((body) => k.loop(name, Math.min(end, 5), body, { step }));
        }),
      ),
      same(
        expression("bool", scope, 1).chain((condition) =>
          fc
            .tuple(statements(scope, depth - 1, 1), statements(scope, depth - 1, 1))
            .map(([yes, no]) => k.if(condition, yes, no)),
        ),
      ),
      same(statements(scope, depth - 1, 2).map((body) => k.block("part", body))),
    );
  }
  return fc.oneof(...options);
}

/** A kernel that reads `in_f32`, … and writes `out_f32`, …, with elements for its buffers. */
export const randomKernel: fc.Arbitrary<{
  readonly kernel: Kernel;
  readonly elements: Readonly<Record<string, readonly number[]>>;
}> = statements({ loops: [], variables: [] }, 2, 3).chain((body) => {
  const kernel: Kernel = {
    name: "random",
    doc: "",
    location: undefined,
    sizes: [],
    buffers: dtypes.flatMap((dtype) => [
      { name: `in_${dtype}`, dtype, length: bufferLength, access: "read" as const },
      { name: `out_${dtype}`, dtype, length: bufferLength, access: "read_write" as const },
    ]),
    body,
    cost: { flops: 0, bytes: 0 },
  };
  const fill = (type: DType): fc.Arbitrary<readonly number[]> =>
    fc.array(fc.constantFrom(...constantsOf(type)), { minLength: bufferLength, maxLength: bufferLength });
  return fc
    .record(Object.fromEntries(kernel.buffers.map(({ name, dtype }) => [name, fill(dtype)])))
    .map((elements) => ({ kernel, elements }));
});
