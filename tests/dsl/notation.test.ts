// Index notation: what it means, against sums written out; that sums of products become contractions; and its mistakes.

import { describe, expect, it } from "vitest";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { evaluated, messagesOf, moduleOf, numbers } from "./elaborated.ts";

/** Tensors with elements that are all different: a[i, j] = sin(7i + j) and so on. */
const before = `
  a = sin(reshape(arange(6), [2, 3]) + 0.5)
  b = cos(reshape(arange(12), [3, 4]) * 1.7)
  c = sin(reshape(arange(24), [2, 3, 4]) * 0.3)
  q = cos(reshape(arange(9), [3, 3]) + 2)
  labels = array([[1, 0, 2], [2, 2, 0]], dtype: i32)
`;
const a = (i: number, j: number): number => Math.sin(3 * i + j + 0.5);
const b = (i: number, j: number): number => Math.cos((4 * i + j) * 1.7);
const c = (i: number, j: number, l: number): number => Math.sin((12 * i + 4 * j + l) * 0.3);
const q = (i: number, j: number): number => Math.cos(3 * i + j + 2);
const labels = [
  [1, 0, 2],
  [2, 2, 0],
];

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sum = (n: number, f: (i: number) => number): number => range(n).reduce((total, i) => total + f(i), 0);
const table = (m: number, n: number, f: (i: number, j: number) => number): number[] =>
  range(m).flatMap((i) => range(n).map((j) => f(i, j)));

function check(statement: string, type: string, expected: readonly number[], more = ""): void {
  const values = numbers(evaluated("result", type, `${before}\n${more}\nresult${statement}`));
  expect(values.length).toBe(expected.length);
  values.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 6);
  });
}

describe("index notation", () => {
  it("sums products over the indices of a reduction", () => {
    check(
      "[n, k] = sum(e) a[n, e] * b[e, k]",
      "f32[2, 4]",
      table(2, 4, (n, k) => sum(3, (e) => a(n, e) * b(e, k))),
    );
    check(
      "[k, n] = sum(e) a[n, e] * b[e, k]",
      "f32[4, 2]",
      table(4, 2, (k, n) => sum(3, (e) => a(n, e) * b(e, k))),
    );
    check(
      "[n] = sum(i, j, l) c[n, i, l] * b[i, l] * q[i, j]",
      "f32[2]",
      range(2).map((n) => sum(3, (i) => sum(3, (j) => sum(4, (l) => c(n, i, l) * b(i, l) * q(i, j))))),
    );
    check(" = sum(i, j) a[i, j]", "f32[]", [sum(2, (i) => sum(3, (j) => a(i, j)))]);
    check(" = 1 + sum(i, j) a[0, i] * b[j, 1]", "f32[]", [1 + sum(3, (i) => a(0, i)) * sum(3, (j) => b(j, 1))]);
  });

  it("takes factors and divisors without the index out of the sum, and signs with them", () => {
    const expected = table(2, 4, (n, k) => (-b(0, k) * sum(3, (e) => a(n, e) * b(e, k))) / Math.sqrt(3) / a(n, 0));
    check("[n, k] = sum(e) (-a[n, e] * b[e, k] * b[0, k] / sqrt(3)) / a[n, 0]", "f32[2, 4]", expected);
    check(
      "[n] = mean(e) a[n, e] / q[e, e]",
      "f32[2]",
      range(2).map((n) => sum(3, (e) => a(n, e) / q(e, e)) / 3),
    );
  });

  it("combines elements, spread over the indices of the left side", () => {
    check(
      "[l, n] = exp(a[n, 1]) - b[2, l] * 2",
      "f32[4, 2]",
      table(4, 2, (l, n) => Math.exp(a(n, 1)) - b(2, l) * 2),
    );
    check(
      "[i] = a[0, i] |> relu",
      "f32[3]",
      range(3).map((i) => Math.max(0, a(0, i))),
    );
    check(
      "[i, j] = q[j, i] + q[i, j]",
      "f32[3, 3]",
      table(3, 3, (i, j) => q(j, i) + q(i, j)),
    );
    check(
      "[j] = q[j, -1]",
      "f32[3]",
      range(3).map((j) => q(j, 2)),
    );
  });

  it("knows an index as a number", () => {
    check(
      "[t, s] = where(s <= t, q[t, s], 0)",
      "f32[3, 3]",
      table(3, 3, (t, s) => (s <= t ? q(t, s) : 0)),
    );
    check(
      "[t] = cast(t, f32) * q[t, 0]",
      "f32[3]",
      range(3).map((t) => t * q(t, 0)),
    );
  });

  it("takes diagonals and looks elements up", () => {
    check(
      "[i] = q[i, i]",
      "f32[3]",
      range(3).map((i) => q(i, i)),
    );
    check(" = sum(i) q[i, i]", "f32[]", [sum(3, (i) => q(i, i))]);
    check(
      "[n, t, k] = b[labels[n, t], k]",
      "f32[2, 3, 4]",
      labels.flat().flatMap((l) => range(4).map((k) => b(l, k))),
    );
    check(
      "[n, t] = c[n, t, labels[n, t]]",
      "f32[2, 3]",
      table(2, 3, (n, t) => c(n, t, labels[n]![t]!)),
    );
    check(
      "[t, n] = c[n, labels[n, t], 1]",
      "f32[3, 2]",
      table(3, 2, (t, n) => c(n, labels[n]![t]!, 1)),
    );
  });

  it("reduces by every function that has an axis, and keeps the axes that it keeps", () => {
    const total = (n: number): number => sum(3, (s) => Math.exp(a(n, s)));
    check(
      "[s, n] = softmax(s) a[n, s]",
      "f32[3, 2]",
      table(3, 2, (s, n) => Math.exp(a(n, s)) / total(n)),
    );
    check(
      "[n] = max(s) a[n, s]",
      "f32[2]",
      range(2).map((n) => Math.max(...range(3).map((s) => a(n, s)))),
    );
    check(
      "[j] = prod(i) q[i, j]",
      "f32[3]",
      range(3).map((j) => q(0, j) * q(1, j) * q(2, j)),
    );
    check(
      "[n] = max(s) (softmax(s) a[n, s])",
      "f32[2]",
      range(2).map((n) => Math.max(...range(3).map((s) => Math.exp(a(n, s)))) / total(n)),
    );
    const text = `${before}\nbest[n] = argmax(s) a[n, s]\nresult = cast(best, f32)`;
    expect(numbers(evaluated("result", "f32[2]", text))).toEqual([1, 0]);
  });

  it("makes contractions of attention, without a transpose before the result", () => {
    const program = `model M(q: f32[N, T, H, E], k: f32[N, S, H, E]) -> (scores: f32[N, H, T, S]) {
  scores[n, h, t, s] = sum(e) q[n, t, h, e] * k[n, s, h, e] / sqrt(E)
}`;
    const ops = moduleOf(program)
      .graphs.get("infer")!
      .nodes.map((node) => node.op);
    expect(ops).toEqual(expect.arrayContaining(["dot", "divide"]));
    expect(ops).not.toContain("transpose");
    expect(ops).not.toContain("multiply");
  });
});

describe("mistakes in index notation", () => {
  const message = (statement: string): string | undefined =>
    messagesOf(`model M(x: f32[N, 3], y: f32[N, 4], w: f32[3, 4], k: i32[N]) -> (z: f32[N]) {
  z = x[:, 0]
  ${statement}
}`)[0];

  it.each([
    ["u[n] = sum(i) x[n, i] * y[n, i]", "the index i runs over two sizes"],
    ["u[n, i] = x[n, j]", "there is no index j"],
    ["u[n, i] = x[n, 0]", "the index i of the left side does not appear on the right"],
    ["u[n, n] = x[n, 0]", "the index n is named twice"],
    ["u[n] = x[n]", "x has 2 axes, and the bracket names 1"],
    ["u[n] = sum(n) x[n, 0]", "sum takes the index n away, which is needed around it"],
    ["u[n] = softmax(i) x[n, i]", "softmax keeps the index i, which is not among those of the left side"],
    ["u[n] = sum(j) x[n, 0]", "the index j does not appear behind sum(j)"],
    ["u[n, i] = softmax(x[n, i])", "softmax does not work element by element, and x[n, i] is one element"],
    ["u[n, i] = x[n, i] + w[:, 0]", "w[:, 0] is f32[3], and stands without indices among indexed tensors"],
    ["u[n, i] = x[n, i] @ w[i, 0]", "@ contracts whole axes, and in index notation axes have names"],
    ["u[n] = x[n, 1:2]", "there are no slices in index notation"],
    ["u[n, i] = x[n, i - 1] + x[n, i]", "an index stands by itself: there is no arithmetic with i in a bracket"],
    ["u[n] = summ(i) x[n, i]", "there is no summ"],
    ["u[n] = relu(i) x[n, i]", "relu is no reduction"],
    ["u[n] = x[n, y[n, 0]]", "a place is an integer, i32, and y[n, 0] is not"],
    ["u[n, i] = x[n, 7] + x[n, i]", "there is no index 7 along axis 1 of f32[N, 3]"],
    ["u[i] = i", "nothing tells how far the index i runs"],
    ["u = softmax(i) x[0, i]", "softmax keeps the index i, which is not among those of the left side"],
    ["u[n] = (x[n, 0] > 0) |> relu as v", "`as` names whole tensors, and this is one element"],
    ["u[n] = [x[n, 0]]", "index notation is made of operators, functions of elements, and reductions"],
    ["u[n] = sum(i) x[n, i] * k[n]", "* takes elements of one type, not f32 and i32"],
    ["u[n] = sum(i) x[n, i] * (x[n, i] > 0)", "a product takes elements of one type, not f32 and bool"],
  ])("%s", (statement, expected) => {
    expect(message(statement)).toBe(expected);
  });

  it("shows both sizes in the reader's own letters", () => {
    const text = `model M(q: f32[N, 3], k: f32[N, 4]) -> (s: f32[N, N]) {
  s[t, u] = sum(e) q[t, e] * k[u, e]
}`;
    const shown = renderDiagnostics(compileSource({ name: "test.dlm", text }, () => undefined).diagnostics);
    expect(shown).toContain("the index e runs over two sizes");
    expect(shown).toContain("4 in k[u, e]");
    expect(shown).toContain("3 in q[t, e]");
  });
});
