// Tensors that do not fit: what was found and what was expected, in the names that the reader gave.

import { type BrokenProgram, body, training, usual } from "./case.ts";

const image = (line: string): string => `model Net(image: f32[N, 8, 8, 3]) -> (y: f32[N, 10]) {\n  y = ${line}\n}\n`;

export const shapes: readonly BrokenProgram[] = [
  {
    name: "an output of another shape than declared",
    program: "model Net(x: f32[N, 4]) -> («y: f32[N, 3]») {\n  y = x |> dense(5)\n}\n",
    code: "shape",
    says: "Net declares y: f32[N, 3], and axis 1 of y is 5, and should be 3",
    mend: "y: f32[N, 5]",
  },
  {
    name: "a dense layer on an axis of free size",
    program: "model Net(text: f32[N, T]) -> (y: f32[N, 3]) {\n  y = «dense(text, 3)»\n}\n",
    code: "shape",
    says: "dense.kernel would be f32[T, 3], and its size must be known at compile time",
    mend: "T is free until run time",
  },
  {
    name: "a matrix product of sizes that do not agree",
    program: body("param w: f32[5, 3] ~ zeros", "y = «x @ w»"),
    code: "shape",
    says: "@ contracts the last axis of the left side with axis 0 of the right, and they differ",
    mend: "f32[N, 4] @ f32[5, 3]: 4 and 5",
  },
  {
    name: "a matrix product with a scalar",
    program: body("param w: f32[] ~ zeros", "y = «x @ w»"),
    code: "shape",
    says: "@ takes tensors with axes, not f32[]",
    mend: "`*` multiplies by a scalar",
  },
  {
    name: "addition of shapes that do not broadcast",
    program: body("param b: f32[5] ~ zeros", "y = dense(«x + b», 3)"),
    code: "shape",
    says: "+ cannot combine the shapes [N, 4] and [5]",
    mend: "4 and 5",
  },
  {
    name: "addition of two sizes that are free",
    program: "model Net(a: f32[N], b: f32[M]) -> (y: f32[N]) {\n  y = «a + b»\n}\n",
    code: "shape",
    says: "+ cannot combine the shapes [N] and [M]",
  },
  {
    name: "a convolution on a vector",
    program: body("y = x |> «conv2d(3, kernel: 3)»"),
    code: "shape",
    says: "conv2d expects x: f32[N, H, W, C], and x has 2 axes, and should have 4",
    mend: "x: f32[N, 4]",
  },
  {
    name: "an image where vectors are expected",
    program: `block classify(x: f32[N, D]) = dense(x, 10)\n${image("«classify(image)»")}`,
    code: "shape",
    says: "classify expects x: f32[N, D], and image has 4 axes, and should have 2",
    mend: "put `flatten` before `classify`",
  },
  {
    name: "a window greater than the image",
    program: image("image |> «max_pool2d(9)» |> flatten |> dense(10)"),
    code: "shape",
    says: "max_pool2d: a window of 9 does not fit into an axis of 8",
  },
  {
    name: "a kernel greater than the image",
    program: image("image |> «conv2d(4, kernel: 9)» |> flatten |> dense(10)"),
    code: "shape",
    says: "conv2d: a window of 9 does not fit into an axis of 8",
  },
  {
    name: "groups that do not divide the channels",
    program: image("image |> «conv2d(4, kernel: 3, groups: 2)» |> flatten |> dense(10)"),
    code: "assertion",
    says: "C = 3 and filters = 4 must divide by groups = 2",
  },
  {
    name: "parts of a concatenation that differ in another axis",
    program: "model Net(a: f32[N, 3], b: f32[N, 4, 2]) -> (y: f32[N, 7]) {\n  y = «concatenate([a, b], axis: 1)»\n}\n",
    code: "shape",
    says: "concatenate: f32[N, 4, 2] differs from f32[N, 3] in more than axis 1",
  },
  {
    name: "a reshape to another number of elements",
    program: body("y = reshape(x, «[N, 3]»)"),
    code: "argument",
    says: "reshape: f32[N, 4] has 4*N elements, and [N, 3] has 3*N",
  },
  {
    name: "one name for two sizes",
    program:
      "block same(a: f32[N, D], b: f32[N, D]) = a + b\nmodel Net(x: f32[N, 4], z: f32[N, 5]) -> (y: f32[N, 4]) {\n  y = «same(x, z)»\n}\n",
    code: "shape",
    says: "same expects b: f32[N, D], and D is 4 in x and 5 in z",
    mend: "z: f32[N, 5]",
  },
  {
    name: "a size that no multiple makes",
    program:
      "block halves(x: f32[N, 2 * H]) -> f32[N, H] = x[:, 0:H]\nmodel Net(x: f32[N, 5]) -> (y: f32[N, 2]) {\n  y = «halves(x)»\n}\n",
    code: "shape",
    says: "axis 1 of x is 5, and no whole H makes it 2 * H",
  },
  {
    name: "a division of sizes that does not come out even",
    program:
      "const heads = 3\nmodel Net(x: f32[N, 4]) -> (y: f32[N, 4]) {\n  param w: f32[«4 / heads»] ~ zeros\n  y = x + sum(w)\n}\n",
    code: "shape",
    says: "4 / heads is no whole size",
    mend: "this is 1.33",
  },
  {
    name: "a negative size",
    program: body("param w: f32[«3 - 7»] ~ zeros", "y = dense(x, 3) + sum(w)"),
    code: "shape",
    says: "3 - 7 is no whole size",
    mend: "this is -4",
  },
  {
    name: "a negative number of units",
    program: body("y = «dense(x, -3)»"),
    code: "shape",
    says: "units is no whole size",
  },
  {
    name: "a result of another shape than the block declares",
    program: "block wrong(x: f32[N, D]) -> «f32[N]» = x\nmodel Net(x: f32[N, 4]) -> (y: f32[N]) {\n  y = wrong(x)\n}\n",
    code: "shape",
    says: "wrong declares its result as f32[N], and the result has 2 axes, and should have 1",
  },
  {
    name: "a label of another shape than the scores",
    program:
      'model Net(x: f32[N, 4]) -> (logits: f32[N, 3]) {\n  logits = dense(x, 3)\n}\ntrain Net {\n  target label: i32[N, 1]\n  data: csv("a.csv", label: "c")\n  loss: «cross_entropy(logits, label)»\n  optimizer: sgd\n}\n',
    code: "assertion",
    says: "integer labels [N, 1] do not fit logits [N, 3]; they should be [N]",
  },
  {
    name: "a prediction and a target of different rank",
    program: training("target label: f32[N]", usual.data, "loss: «mean_squared_error(y, label)»", usual.optimizer),
    code: "shape",
    says: "mean_squared_error expects target: f32[...S], and label has 1 axis, and should have 2 axes",
    mend: "label: f32[N]",
  },
  {
    name: "an axis that is not there",
    program: body("y = dense(x, 3) + sum(x, «axis: 2»)"),
    code: "argument",
    says: "sum: there is no axis 2 in a tensor with 2 axes",
  },
  {
    name: "an index beyond the end",
    program: body("y = dense(x, 3) + x[:, «4»]"),
    code: "shape",
    says: "there is no index 4 along axis 1 of f32[N, 4]",
  },
  {
    name: "more indices than axes",
    program: body("y = «x[0, 0, 0]»"),
    code: "shape",
    says: "3 indices for f32[N, 4], which has 2 axes",
  },
  {
    name: "a rearrangement by the wrong number of axes",
    program: body('y = rearrange(x, «"n t (h e) -> n h t e"», h: 2)'),
    code: "argument",
    says: "rearrange: the left side of the pattern has 3 axes, and x is f32[N, 4]",
  },
  {
    name: "a rearrangement whose pattern is none",
    program: body('y = rearrange(x, «"n (t -> t n"»)'),
    code: "argument",
    says: "rearrange: a bracket of the pattern is not closed",
  },
  {
    name: "a tuple taken apart into too many names",
    program: body("a, b, c = «split(x, 2, axis: 1)»", "y = dense(a, 3)"),
    code: "type",
    says: "3 names for 2 values",
  },
  {
    name: "an update of a state with another shape",
    program:
      "block count(x: f32[N, D]) {\n  state seen: f32[D] = 0\n  «update seen = sum(x, axis: 1)»\n  x\n}\nmodel Net(x: f32[N, 4]) -> (y: f32[N, 4]) {\n  y = count(x)\n}\n",
    code: "shape",
    says: "the new value of seen should be f32[4], and is f32[N]",
  },
];
