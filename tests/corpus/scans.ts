// Loops over time that do not fit together: what is walked, carried and yielded.

import type { BrokenProgram } from "./case.ts";

const model = (...lines: string[]): string =>
  [
    "model Net(x: f32[N, T, 3], z: f32[N, 4, 3]) -> (y: f32[N, T, 3]) {",
    ...lines.map((line) => `  ${line}`),
    "}",
    "",
  ].join("\n");
const zero = "h = zeros([N, 3])";

export const scans: readonly BrokenProgram[] = [
  {
    name: "a carry without a first value",
    program: model("y = scan g in x along 1 carry «h» {", "  h = g", "  yield h", "}"),
    code: "name",
    says: "there is no h that this scan could carry",
    mend: "h = zeros([…])",
  },
  {
    name: "a carry that grows",
    program: model("h = 0", "y = scan g in x along 1 carry «h» {", "  h = h + g", "  yield h", "}"),
    code: "shape",
    says: "h is f32[] before the scan, and f32[N, 3] after a step",
    mend: "h = zeros([N, 3])",
  },
  {
    name: "a name that is changed and not carried",
    program: model(zero, "y = «scan g in x along 1 {\n    h = h + g\n    yield h\n  }»"),
    code: "type",
    says: "this scan changes h, which it does not carry",
    mend: "carry h",
  },
  {
    name: "a state that every step updates",
    program: model("state s: f32[3] = 0", "y = «scan g in x along 1 {\n    update s = s + 1\n    yield g\n  }»"),
    code: "type",
    says: "this scan updates the state s at every step",
    mend: "after it",
  },
  {
    name: "a scan along an axis that is not there",
    program: model("y = scan g in «x» along 3 {", "  yield g", "}"),
    code: "shape",
    says: "f32[N, T, 3] has no axis 3 that g could walk along",
    mend: "time is often axis 1",
  },
  {
    name: "sequences of two lengths",
    program: model("y = scan g, k in x, «z» along 1 {", "  yield g * k", "}"),
    code: "shape",
    says: "a scan walks its sequences in step: g has T steps, k 4",
    mend: "f32[N, 4, 3]",
  },
  {
    name: "a number as a sequence",
    program: model("y = scan i in «5» along 0 {", "  yield x", "}"),
    code: "type",
    says: "a scan walks along an axis of a tensor, and i would come from the integer 5",
    mend: "`for i in 0..n` counts",
  },
  {
    name: "one name for a slice and a carry",
    program: model(zero, "y = «scan h in x along 1 carry h {\n    yield h\n  }»"),
    code: "name",
    says: "h stands for two things in this scan",
    mend: "another name",
  },
  {
    name: "a carry that becomes a string",
    program: model(zero, "y = scan g in x along 1 carry «h» {", '  h = "no"', "  yield g", "}"),
    code: "type",
    says: 'a scan carries tensors, and h becomes the string "no"',
  },
  {
    name: "the value of a scan that yields nothing",
    program: model("y = «scan g in x along 1 {\n    k = g * 2\n  }»"),
    code: "type",
    says: "y gets no value",
    mend: "that of a scan what it yields",
  },
  {
    name: "a gradient that would miss a way around the scan",
    program: model("w = x * 2", "y = «scan g in z along 1 {\n    yield grad(sum(w * x), x)[:, 0]\n  }»"),
    code: "type",
    says: "this gradient would miss what was computed from its target before the scan",
    mend: "take the gradient after the scan",
  },
];
