// Programs that are right in form and would take for ever, or more memory than there is.

import { type BrokenProgram, body } from "./case.ts";

export const limits: readonly BrokenProgram[] = [
  {
    name: "a billion repetitions",
    program: body("y = dense(x, 3)", "repeat «1000000000» {", "  y = y * 2", "}"),
    code: "limit",
    says: "a loop of 1000000000 rounds is too long to unroll",
  },
  {
    name: "a range of a billion numbers",
    program: body("y = dense(x, 3)", "for i in «0..1000000000» {", "  y = y + i", "}"),
    code: "limit",
    says: "a range of 1000000000 numbers is too long to unroll",
  },
  {
    name: "loops in loops in loops",
    program: body(
      "y = dense(x, 3)",
      "for i in 0..1000 {",
      "  for j in 0..1000 {",
      "    for k in 0..1000 {",
      "      y = y + k",
      "    }",
      "  }",
      "}",
    ),
    code: "limit",
    says: "the program takes more than 100000 steps to unroll",
  },
  {
    name: "empty loops in loops in loops",
    program: body("y = dense(x, 3)", "repeat 100000 {", "  repeat 100000 {", "  }", "}"),
    code: "limit",
    says: "the program takes more than 100000 steps to unroll",
  },
  {
    name: "a list that doubles",
    program: body("l = [1]", "repeat 40 {", "  l = «l + l»", "}", "y = dense(x, 3) + sum(l[0])"),
    code: "limit",
    says: "a list of length 131072 is too long",
  },
  {
    name: "a string that doubles",
    program: body('s = "a"', "repeat 60 {", "  s = «s + s»", "}", "y = dense(x, 3)"),
    code: "limit",
    says: "a string of length 131072 is too long",
  },
  {
    name: "a block that calls two, that call two, and so on",
    program:
      Array.from({ length: 40 }, (_, i) => `block b${i + 1}(x: f32[...S]) = b${i}(x) + b${i}(x)\n`).join("") +
      "block b0(x: f32[...S]) = x\nmodel Net(x: f32[N]) -> (y: f32[N]) {\n  y = b40(x)\n}\n",
    code: "limit",
    says: "the program takes more than 100000 steps to unroll",
  },
  {
    name: "more units than any memory holds",
    program: body("y = x |> «dense(1000000000000)» |> dense(3)"),
    code: "limit",
    says: "dense.kernel would be f32[4, 1000000000000], which is too large",
  },
  {
    name: "a size beyond every memory",
    program: body("«param w: f32[99999999999999999999] ~ zeros»", "y = dense(x, 3) + w[0]"),
    code: "limit",
    says: "w would be f32[100000000000000000000], which is too large",
  },
  {
    name: "a power that overflows a size",
    program: body("param w: f32[«10 ** 30»] ~ zeros", "y = dense(x, 3) + w[0]"),
    code: "type",
    says: "a size is an integer, not the number 1e+30",
  },
  {
    name: "a reshape to sizes that multiply to more than there are numbers",
    program: body("y = dense(x, 3) + sum(«zeros([100000, 100000, 100000, 100000])»)"),
    code: "limit",
    says: "this would be f32[100000, 100000, 100000, 100000], which is too large",
  },
];
