import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KernelParseError, parseKernel } from "../../../src/ir/kernel/parse.ts";
import { printKernel } from "../../../src/ir/kernel/print.ts";
import { findProblems, verifyKernel } from "../../../src/ir/kernel/verify.ts";
import { randomKernel } from "./random.ts";

const softmax = `/// softmax of each row
/// over the last axis
/// at models/mlp.dlm:6:22 in encoder/dense for gradient of dot
kernel softmax(N, read x: f32[10*N], write y: f32[10*N], read_write mask: bool[N + 1]) cost 40*N - 3 flops, floor((N + 1)/2) bytes {
  alloc row: f32[10]
  for i in 0..N parallel over row {
    block "maximum of \\"each\\" row" {
      var largest = -infinity
      for j in 0..10 over k {
        let v = x[i * 10 + j]
        row[j] = v
        largest = maximum(largest, v)
      }
    }
    if i % 2 == 0 & !mask {
    }
  }
}
`;

describe("the text form of kernels", () => {
  const text = softmax
    .replace("& !mask", "& not(mask[i])")
    .replace(
      "    }\n  }\n}",
      "      mask[i] = true\n    } else {\n      y[i] = -(3.0) - -x[i] * (2.0 - 1e-7) - (0.5 + nan)\n    }\n  }\n}",
    );

  it("reads back to the same bytes", () => {
    expect(printKernel(parseKernel(text))).toBe(text);
  });

  it("keeps documentation, place, sizes and costs", () => {
    const kernel = parseKernel(text);
    expect(kernel.doc).toBe("softmax of each row\nover the last axis");
    expect(kernel.location).toEqual({
      file: "models/mlp.dlm",
      line: 6,
      column: 22,
      scope: "encoder/dense",
      note: "gradient of dot",
    });
    expect(kernel.sizes).toEqual(["N"]);
    expect(findProblems(kernel)).toEqual([]);
  });

  it("is the identity on random kernels", () => {
    fc.assert(
      fc.property(randomKernel, ({ kernel }) => {
        verifyKernel(kernel);
        const printed = printKernel(kernel);
        expect(parseKernel(printed)).toEqual(kernel);
        expect(printKernel(parseKernel(printed))).toBe(printed);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ["kernel k(", "1:10: expected a name, found the end"],
    ["kernel k() cost 0 flops, 0 bytes {\n  let a = b\n}", "2:11: b is not defined"],
    ["kernel k() cost 0 flops, 0 bytes {\n  let a = 1 + ;\n}", '2:15: unexpected ";"'],
    ["kernel k() cost 0 flops, 0 bytes {\n  let a = tanhh(1.0)\n}", "3:1: unknown operation tanhh of 1 operands"],
    ["kernel k(read x: f64[3]) cost 0 flops, 0 bytes {\n}", "1:18: expected an element type, found f64"],
  ])("says where %j goes wrong", (wrong, message) => {
    expect(() => parseKernel(wrong)).toThrow(KernelParseError);
    expect(() => parseKernel(wrong)).toThrow(message);
  });
});
