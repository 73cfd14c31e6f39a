// What the description of the language says, statement by statement: small programs and what they give.

import { describe, expect, it } from "vitest";
import { compileSource } from "../../src/dsl/compile-source.ts";
import { renderDiagnostics } from "../../src/dsl/diagnostics.ts";
import { floats, initialOf, messagesOf, moduleOf, numbers, runGraph } from "./elaborated.ts";

const x23 = floats([2, 3], [1, 2, 3, 4, 5, 6]);

/** The output `y` of a model of `x: f32[N, 3]` around a body. */
function outputOf(body: string, type: string, before = ""): { readonly shape: readonly number[]; values: number[] } {
  const module = moduleOf(`${before}\nmodel M(x: f32[N, 3]) -> (y: ${type}) {\n${body}\n}`);
  const { y } = runGraph(module, "infer", { x: x23 }, initialOf(module)).outputs;
  return { shape: y!.shape, values: numbers(y!) };
}

const valuesOf = (body: string, type = "f32[N, 3]", before = ""): number[] => outputOf(body, type, before).values;

/** The names of what a model of `x: f32[N, 3]` trains. */
const namesOf = (body: string, before = ""): string[] => [
  ...moduleOf(`${before}\nmodel M(x: f32[N, 3]) -> (y: f32[N, 2]) {\n${body}\n}`).globals.keys(),
];

describe("statements", () => {
  it("continues on lines that begin with an operator or lie in brackets", () => {
    expect(valuesOf("y = x\n    + 1\n    * 2\n  y = maximum(\n    y,\n    5\n  )\n    |> square")).toEqual([
      25, 25, 25, 36, 49, 64,
    ]);
  });

  it("rebinds outer names in if, for and repeat", () => {
    const body =
      "y = x\nfor i in 0..3 { y = y + i }\nif 1 < 2 { y = y * 10 } else { y = y * 100 }\nrepeat 2 { y = y + 1 }";
    expect(valuesOf(body)).toEqual([42, 52, 62, 72, 82, 92]);
  });

  it("keeps new names in their braces", () => {
    for (const head of ["if true", "for i in 0..2", "repeat 2"]) {
      const text = `model M(x: f32[N, 3]) -> (y: f32[N, 3]) {\n${head} { z = x }\ny = z\n}`;
      expect(messagesOf(text)).toEqual(["there is no z"]);
    }
  });

  it("makes tuples and takes them apart", () => {
    const two = "block two(x: f32[...S]) { (x + 1, x * 2) }";
    expect(valuesOf("a, b = two(x)\nt = (b, a)\np, q = t\ny = p - q", "f32[N, 3]", two)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("names a value within a pipe", () => {
    expect(valuesOf("z = x |> square as squares |> sqrt\ny = squares - z")).toEqual([0, 2, 6, 12, 20, 30]);
  });
});

describe("numbers", () => {
  it("10% is 0.1, and division of integers is exact", () => {
    expect(valuesOf("y = x * 50% + 7 / 2")).toEqual([4, 4.5, 5, 5.5, 6, 6.5]);
  });

  it("takes powers before signs", () => {
    expect(valuesOf("y = -x ** 2")).toEqual([-1, -4, -9, -16, -25, -36]);
  });
});

describe("names of what is trained", () => {
  it("follow the path of blocks, and `as`", () => {
    const encoder = "block encoder(x: f32[N, D]) = x |> dense(4, bias: false) |> relu |> dense(2, bias: false)";
    const body = "y = x |> encoder |> encoder |> dense(8, bias: false) as head |> dense(2, bias: false)";
    expect(namesOf(body, encoder)).toEqual([
      "encoder.dense.kernel",
      "encoder.dense_1.kernel",
      "encoder_1.dense.kernel",
      "encoder_1.dense_1.kernel",
      "head.kernel",
      "dense.kernel",
    ]);
  });

  it("are numbered in loops", () => {
    const body = "for i in 0..3 { x = x |> dense(3, bias: false) as layer }\ny = x[:, :2]";
    expect(namesOf(body)).toEqual(["layer.kernel", "layer_1.kernel", "layer_2.kernel"]);
  });

  it("are shared by the calls of one model", () => {
    const model = "model E(x: f32[N, 3]) -> (c: f32[N, 2]) { c = dense(x, 2, bias: false) }";
    expect(namesOf("y = E(x) + E(2 * x)", model)).toEqual(["E.dense.kernel"]);
  });
});

describe("slices", () => {
  it.each([
    ["x[:, -1]", "f32[N]", [3, 6]],
    ["x[..., 0:2]", "f32[N, 2]", [1, 2, 4, 5]],
    ["x[:, ::2]", "f32[N, 2]", [1, 3, 4, 6]],
    ["x[:, ::-1]", "f32[N, 3]", [3, 2, 1, 6, 5, 4]],
    ["x[:, 2:0:-1]", "f32[N, 2]", [3, 2, 6, 5]],
    ["x[:, -2:]", "f32[N, 2]", [2, 3, 5, 6]],
    ["x[:, :-1]", "f32[N, 2]", [1, 2, 4, 5]],
    ["x[:, 1:100]", "f32[N, 2]", [2, 3, 5, 6]],
    ["x[0]", "f32[3]", [1, 2, 3]],
    ["x[-1, 2]", "f32[]", [6]],
    ["x[1:]", "f32[N - 1, 3]", [4, 5, 6]],
  ])("%s", (slice, type, values) => {
    expect(valuesOf(`y = ${slice}`, type)).toEqual(values);
  });

  it("rearrange moves axes by their names", () => {
    const body = 'z = rearrange(x[:, :2], "n (a b) -> b n a", a: 2)\ny = rearrange(z, "b n a -> n (b a)")';
    expect(outputOf(body, "f32[N, 2]")).toEqual({ shape: [2, 2], values: [1, 2, 4, 5] });
    expect(valuesOf('y = rearrange(x, "n d -> d n")', "f32[3, N]")).toEqual([1, 4, 2, 5, 3, 6]);
  });
});

describe("sizes", () => {
  it("solves arithmetic in types, in both directions", () => {
    const blocks = `block widen(x: f32[N, D]) -> f32[N, 2 * D] = concatenate([x, x], axis: 1)
block halve(x: f32[N, 2 * H]) -> f32[N, H] = x[:, 0:H]
block differences(x: f32[N, T], less: f32[N, T - 1]) -> f32[N, T - 1] = x[:, 1:] - less`;
    expect(valuesOf("y = x |> widen |> halve", "f32[N, 3]", blocks)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(valuesOf("y = differences(x, x[:, :-1])", "f32[N, 2]", blocks)).toEqual([1, 1, 1, 1]);
  });

  it("no size is negative", () => {
    const text = `block longer(x: f32[N, T + 5]) = x[:, 0:T]
model M(x: f32[N, 3]) -> (y: f32[N, 1]) { y = longer(x) }`;
    expect(messagesOf(text)).toEqual([
      "longer expects x: f32[N, T + 5], and axis 1 of x is 3, and no whole T makes it T + 5",
    ]);
  });

  it("spreads ...B over any number of axes", () => {
    const block = "block total(x: f32[...B, D]) -> f32[...B] = sum(x, axis: -1)";
    expect(valuesOf("y = total(total(x))", "f32[]", block)).toEqual([21]);
  });

  it("a division that does not come out even is an error", () => {
    const text = (body: string): string =>
      `block part(x: f32[N, D], heads: int) ${body}\nmodel M(x: f32[N, 3]) -> (y: f32[N, 1]) { y = part(x, 2) }`;
    for (const body of ["-> f32[N, D / heads] = x[:, 0:1]", "{\nparam w: f32[D / heads] ~ zeros\nx + w[0]\n}"])
      expect(messagesOf(text(body)).join(), body).toMatch(/3 \/ 2, which is not whole|no whole size/);
  });
});

describe("values of compile time", () => {
  it("one number stands for a pair", () => {
    const block = "block affine(x: f32[...S], k: int[2]) = x * k[0] + k[1]";
    expect(valuesOf("y = affine(x, 3) - affine(x, [3, 2])", "f32[N, 3]", block)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("blocks are values", () => {
    const block = "block twice(x: f32[...S], activation: fn = square) = activation(activation(x))";
    expect(valuesOf("y = twice(x) - twice(x, activation: abs)", "f32[N, 3]", block)).toEqual([
      0, 14, 78, 252, 620, 1290,
    ]);
  });

  it("lists are indexed and looped over", () => {
    const body = "y = x\nfor w in widths { y = y + w }\ny = y * widths[-1] + len(widths)";
    expect(valuesOf(body, "f32[N, 3]", "const widths = [1, 2]")).toEqual([10, 12, 14, 16, 18, 20]);
  });

  it("element types convert by cast alone, and literals take the type of their partner", () => {
    expect(valuesOf("y = cast(x, i32) * 2 + 1", "i32[N, 3]")).toEqual([3, 5, 7, 9, 11, 13]);
    expect(messagesOf("model M(x: f32[N], i: i32[N]) -> (y: f32[N]) { y = x + i }")).toEqual([
      "+ takes elements of one type, not f32 and i32",
    ]);
  });

  it("initializers of the program's own", () => {
    const own = "initializer ramp(shape: int[], by: float = 1) = by * cast(reshape(arange(prod(shape)), shape), f32)";
    expect(valuesOf("param w: f32[3] ~ ramp(by: 2)\ny = x + w", "f32[N, 3]", own)).toEqual([1, 4, 7, 4, 7, 10]);
  });

  it("training is false where a model is used", () => {
    expect(valuesOf("y = dropout(x, 0.5)\nif training { y = 0 * y }")).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("gradients", () => {
  it("nest", () => {
    const body = "first = grad(sum(x ** 3), x)\nsecond = grad(sum(first), x)\ny = grad(sum(second), x)";
    expect(valuesOf(body)).toEqual([6, 6, 6, 6, 6, 6]);
  });

  it("of several things come as a tuple, and are 0 where nothing depends on a thing", () => {
    const body = "param w: f32[3] ~ ones\nparam v: f32[3] ~ ones\na, b = grad(sum(x * w), [w, v])\ny = a + b";
    expect(valuesOf(body, "f32[3]")).toEqual([5, 7, 9]);
  });
});

it("columns of data are renamed by their names", () => {
  const text = `model M(pixels: f32[N, 28, 28, 1]) -> (y: f32[N]) {
  param w: f32[] ~ ones
  y = w * sum(pixels, axis: [1, 2, 3])
}
train M {
  data: idx("images.gz") |> rename(pixels: image)
  loss: mean(y)
  optimizer: sgd
}`;
  const { plan, diagnostics } = compileSource({ name: "test.dlm", text }, () => undefined);
  expect(diagnostics).toEqual([]);
  expect(plan?.data.at(1)).toMatchObject({ name: "rename", named: { pixels: "image" } });
});

it("an image that meets a dense layer is shown where it does, with the mend", () => {
  const text = `model Mlp(image: f32[N, 28, 28, 1]) -> (logits: f32[N, 10]) {
  logits = image |> dense(128) |> relu |> dense(10)
}
`;
  const { diagnostics } = compileSource({ name: "mlp.dlm", text }, () => undefined);
  expect(renderDiagnostics(diagnostics).trimEnd()).toBe(
    `error[shape]: Mlp declares logits: f32[N, 10], and logits has 4 axes, and should have 2 axes
  --> mlp.dlm:1:41
   |
 1 | model Mlp(image: f32[N, 28, 28, 1]) -> (logits: f32[N, 10]) {
   |                                         ^^^^^^^^^^^^^^^^^^ logits: f32[N, 28, 28, 10]
  ::: mlp.dlm:2:21
   |
 2 |   logits = image |> dense(128) |> relu |> dense(10)
   |                     ---------- image: f32[N, 28, 28, 1], whose last axis is 1
   |
   = help: put \`flatten\` before \`dense\`: f32[N, 784]`,
  );
});
