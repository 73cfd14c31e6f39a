import { describe, expect, it } from "vitest";
import { k } from "../../../src/ir/kernel/build.ts";
import { interpretKernel, KernelRunError } from "../../../src/ir/kernel/interpret.ts";
import type { Expr, Kernel, Stmt } from "../../../src/ir/kernel/types.ts";
import { findProblems, KernelError, verifyKernel } from "../../../src/ir/kernel/verify.ts";

const kernelOf = (...body: readonly Stmt[]): Kernel => ({
  name: "test",
  doc: "",
  location: { file: "a.dlm", line: 3, column: 5, scope: "" },
  sizes: ["N"],
  buffers: [
    { name: "x", dtype: "f32", length: 4, access: "read" },
    { name: "y", dtype: "f32", length: 4, access: "write" },
    { name: "label", dtype: "i32", length: 4, access: "read" },
  ],
  body,
  cost: { flops: 0, bytes: 0 },
});
const f = (value: number): Expr => k.constant(value, "f32");
const i = k.variable("i", "index");

describe("verifyKernel", () => {
  it.each<[string, readonly Stmt[], string]>([
    ["an undefined name", [k.store("y", i, f(0))], "i is used, but not defined"],
    ["a name out of scope", [k.loop("i", 4, []), k.store("y", i, f(0))], "i is used, but not defined"],
    ["a store to an input", [k.store("x", 0, f(0))], "x is stored to, but only read"],
    ["a load from a result", [k.store("y", 0, k.load("y", 0, "f32"))], "y is read, but only written"],
    ["an unknown buffer", [k.store("z", 0, f(0))], "z is stored to, but is no buffer"],
    ["an assignment to a let", [k.let("a", f(0)), k.assign("a", f(1))], "a is assigned to, but is not a var"],
    [
      "an assignment of another type",
      [k.var("a", f(0)), k.assign("a", k.index(1))],
      "the new value of a is 1 of type index, not f32",
    ],
    ["a duplicate name", [k.let("x", f(0))], "x is defined twice"],
    ["a duplicate loop", [k.loop("i", 4, [k.loop("i", 4, [])])], "i is defined twice"],
    [
      "a store of another type",
      [k.store("y", 0, k.load("label", 0, "i32"))],
      "what is stored to y is label[0] of type i32, not f32",
    ],
    ["a load of another type", [k.store("y", 0, k.load("label", 0, "f32"))], "type f32 instead of i32 in label[0]"],
    [
      "operands of two types",
      [k.let("a", { kind: "binary", type: "f32", op: "add", a: f(1), b: k.index(2) })],
      "f32 and index meet in 1.0 + 2",
    ],
    [
      "an operation that the type lacks",
      [k.let("a", k.unary("exp", k.constant(3, "i32")))],
      "exp of type i32 in exp(3i32)",
    ],
    ["a condition that is a number", [k.if(f(1), [])], "a condition is 1.0 of type f32, not bool"],
    ["a barrier that no group comes to", [k.loop("i", 4, [k.barrier])], "a barrier is not directly in a thread loop"],
    [
      "a barrier that some threads miss",
      [k.loop("i", 4, [k.if(k.lt(i, 2), [k.barrier])], { mode: "thread" })],
      "a barrier is not directly in a thread loop",
    ],
    [
      "a barrier in a loop of each thread's own",
      [k.loop("i", 4, [k.loop("j", 2, [k.barrier], { mode: "parallel" })], { mode: "thread" })],
      "a barrier is not directly in a thread loop",
    ],
    ["an index that is a float", [k.store("y", f(0), f(0))], "the index into y is 0.0 of type f32, not index"],
  ])("finds %s", (_, body, problem) => {
    expect(findProblems(kernelOf(...body))).toContain(problem);
    expect(() => verifyKernel(kernelOf(...body))).toThrow(KernelError);
  });

  it("finds a size that is not declared", () => {
    const kernel = {
      ...kernelOf(),
      sizes: [],
      buffers: [{ name: "x", dtype: "f32", length: { terms: [{ coefficient: 1, factors: ["N"] }] }, access: "read" }],
    } as const;
    expect(findProblems(kernel)).toEqual(["the length of x needs the size N"]);
  });

  it("lets neighbours share names", () => {
    const loop = k.loop("i", 4, [k.let("a", f(0)), k.store("y", i, k.variable("a", "f32"))]);
    expect(findProblems(kernelOf(loop, loop))).toEqual([]);
  });
});

describe("interpretKernel", () => {
  const buffers = { x: new Float32Array(4), y: new Float32Array(4), label: new Int32Array(4) };

  it("names kernel, place, buffer and index of an access out of bounds", () => {
    const store = kernelOf(k.loop("i", 5, [k.store("y", i, f(0))]));
    expect(() => interpretKernel(store, buffers, { N: 1 })).toThrow("test (a.dlm:3:5): y[i] is element 4 of 4");
    expect(() => interpretKernel(store, buffers, { N: 1 })).toThrow(KernelRunError);
    const load = kernelOf(k.let("a", k.load("x", k.subtract(k.variable("N", "index"), 3), "f32")));
    expect(() => interpretKernel(load, buffers, { N: 2 })).toThrow("test (a.dlm:3:5): x[N - 3] is element -1 of 4");
  });

  it("evaluates only the arm that is chosen", () => {
    const guarded = k.select(k.lt(i, 4), k.load("x", i, "f32"), f(0));
    expect(() => interpretKernel(kernelOf(k.loop("i", 6, [k.let("a", guarded)])), buffers, { N: 1 })).not.toThrow();
  });

  it("lets threads meet in each round of a loop", () => {
    // Each thread takes over what its right neighbour had in the round before: four rounds are a full turn.
    const [own, right] = [i, k.remainder(k.add(i, 1), 4)];
    const turn = [k.let("next", k.load("y", right, "f32")), k.barrier, k.store("y", own, k.variable("next", "f32"))];
    const rounds = k.loop("round", k.variable("N", "index"), [...turn, k.barrier]);
    const kernel = {
      ...kernelOf(k.loop("i", 4, [rounds], { mode: "thread" })),
      buffers: [{ name: "y", dtype: "f32", length: 4, access: "read_write" }],
    } as const;
    verifyKernel(kernel);
    const y = Float32Array.of(1, 2, 3, 4);
    interpretKernel(kernel, { y }, { N: 3 });
    expect([...y]).toEqual([4, 1, 2, 3]);
    interpretKernel(kernel, { y }, { N: 1 });
    expect([...y]).toEqual([1, 2, 3, 4]);
  });

  it("shows what a scratch array holds before it is written", () => {
    const y = new Float32Array(4);
    interpretKernel(
      kernelOf(k.alloc("t", "f32", 2), k.store("y", 0, k.load("t", 1, "f32"))),
      { ...buffers, y },
      { N: 1 },
    );
    expect(y[0]).toBeNaN();
  });
});
