// Names that mean nothing, mean something else, or mean two things.

import { type BrokenProgram, body, training, usual } from "./case.ts";

export const names: readonly BrokenProgram[] = [
  {
    name: "a misspelt block",
    program: body("y = x |> «dence»(3)"),
    code: "name",
    says: "there is no dence",
    mend: "did you mean `dense`?",
  },
  {
    name: "a misspelt variable",
    program: body("hidden = x |> dense(8)", "y = «hiden» |> dense(3)"),
    code: "name",
    says: "there is no hiden",
    mend: "did you mean `hidden`?",
  },
  {
    name: "a name that nothing is like",
    program: body("y = «quux» |> dense(3)"),
    code: "name",
    says: "there is no quux",
    mend: "nothing of that name is in scope",
  },
  {
    name: "a local name used outside of its braces",
    program: body("for i in 0..2 {", "  inner = x * i", "}", "y = dense(«inner», 3)"),
    code: "name",
    says: "there is no inner",
  },
  {
    name: "a misspelt size in the type of a parameter",
    program:
      "block scale(x: f32[N, D]) {\n  param w: f32[«C»] ~ ones\n  x * w\n}\nmodel Net(x: f32[N, 4]) -> (y: f32[N, 4]) {\n  y = scale(x)\n}\n",
    code: "name",
    says: "nothing says which size C is",
  },
  {
    name: "a misspelt output",
    program: "model Net(x: f32[N, 4]) -> («probs: f32[N, 3]») {\n  prob = softmax(dense(x, 3))\n}\n",
    code: "name",
    says: "Net declares the output probs, and its body does not bind it",
    mend: "did you mean `prob`?",
  },
  {
    name: "a misspelt type",
    program:
      "block double(x: f32[N], n: «itn») = x * n\nmodel Net(x: f32[N]) -> (y: f32[N]) {\n  y = double(x, 2)\n}\n",
    code: "type",
    says: "there is no type itn",
    mend: "int",
  },
  {
    name: "a misspelt element type",
    program: "model Net(x: «float32»[N, 4]) -> (y: f32[N, 4]) {\n  y = x\n}\n",
    code: "type",
    says: "there is no element type float32",
    mend: "f32",
  },
  {
    name: "a block declared twice",
    program:
      "block twice(x: f32[...S]) = x + x\nblock «twice»(x: f32[...S]) = 2 * x\nmodel Net(x: f32[N]) -> (y: f32[N]) {\n  y = twice(x)\n}\n",
    code: "name",
    says: "twice is declared twice",
  },
  {
    name: "a parameter of a block declared twice",
    program:
      "block add_up(x: f32[N], «x»: f32[N]) = x + x\nmodel Net(x: f32[N]) -> (y: f32[N]) {\n  y = add_up(x, x)\n}\n",
    code: "name",
    says: "x is declared twice",
  },
  {
    name: "a trainable tensor declared twice in one body",
    program: body("param w: f32[4, 3] ~ ones", "«param w: f32[4, 3] ~ zeros»", "y = x @ w"),
    code: "name",
    says: "w is declared twice",
  },
  {
    name: "a train block for a model that is not there",
    program: `${training().replace("train Xor", "train «Xxor»")}`,
    code: "name",
    says: "there is no model Xxor",
    mend: "did you mean `Xor`?",
  },
  {
    name: "a train block for a block",
    program: "block xor(x: f32[N, 2]) = dense(x, 1)\ntrain «xor» {\n  loss: 1\n}\n",
    code: "name",
    says: "xor is not a model",
  },
  {
    name: "a program without a model",
    program: "«»const n = 3\n",
    code: "name",
    says: "main.dlm declares no model",
    mend: "model Name(",
  },
  {
    name: "a misspelt metric",
    program: training(
      usual.target,
      usual.data,
      usual.loss,
      usual.optimizer,
      "metrics: «binary_acuracy»(logits, label)",
    ),
    code: "name",
    says: "there is no binary_acuracy",
    mend: "did you mean `binary_accuracy`?",
  },
  {
    name: "a misspelt loss",
    program: training(usual.target, usual.data, "loss: «binary_cross_entrpy»(logits, label)", usual.optimizer),
    code: "name",
    says: "there is no binary_cross_entrpy",
    mend: "did you mean `binary_cross_entropy`?",
  },
  {
    name: "a loss by the name that Keras has for it",
    program: training(usual.target, usual.data, "loss: «binary_crossentropy»(logits, label)", usual.optimizer),
    code: "name",
    says: "there is no binary_crossentropy",
    mend: "it is called `binary_cross_entropy` here",
  },
  {
    name: "an update of a state that is not declared",
    program:
      "block count(x: f32[...S]) {\n  «update seen = 1»\n  x\n}\nmodel Net(x: f32[N]) -> (y: f32[N]) {\n  y = count(x)\n}\n",
    code: "name",
    says: "seen is no state of this block",
    mend: "state seen = …",
  },
  {
    name: "a member that a tuple does not have",
    program:
      "model Pair(x: f32[N]) -> (low: f32[N], high: f32[N]) {\n  low = x\n  high = x\n}\nmodel Net(x: f32[N]) -> (y: f32[N]) {\n  y = «Pair(x).hihg»\n}\n",
    code: "name",
    says: "has no member hihg",
    mend: "did you mean `high`?",
  },
  {
    name: "an input called like an input that every graph has",
    program: "model Net(«key»: f32[N]) -> (y: f32[N]) {\n  y = key\n}\n",
    code: "name",
    says: "key is the name of an input that graphs have by themselves",
    mend: "choose another name",
  },
  {
    name: "a constant that is defined by itself",
    program: "const a = b + 1\nconst b = «a» + 1\nmodel Net(x: f32[N, a]) -> (y: f32[N, a]) {\n  y = x\n}\n",
    code: "recursion",
    says: "the constant a is defined by itself",
  },
];
