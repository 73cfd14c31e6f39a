// The `.d.mts` beside a bundle: what its one function takes and gives, in the model's own names and shapes.

import { type OptionalKind, Project, type PropertySignatureStructure } from "ts-morph";
import { formatDim } from "../ir/dim.ts";
import type { DType } from "../ir/dtype.ts";
import { isImplicitInput, type TensorType } from "../ir/graph.ts";
import type { Program } from "../ir/kernel/program.ts";

const arrayOf: Readonly<Record<DType, string>> = {
  f32: "Float32Array",
  f16: "Uint16Array",
  i32: "Int32Array",
  u8: "Uint8Array",
  i8: "Int8Array",
  bool: "Uint8Array",
};

const shapeText = ({ dtype, shape }: TensorType): string => `${dtype}[${shape.map(formatDim).join(", ")}]`;

/** The declarations of the bundle of `program`, whose function is called `name`. */
export function declareBundle(name: string, doc: string, program: Program): string {
  const project = new Project({ useInMemoryFileSystem: true });
  const file = project.createSourceFile("bundle.d.mts");
  file.addInterface({
    name: "Tensor",
    isExported: true,
    typeParameters: ["A"],
    docs: ["A tensor: its elements in row-major order, and the size of each axis."],
    properties: [
      { name: "dtype", type: "string", isReadonly: true },
      { name: "shape", type: "readonly number[]", isReadonly: true },
      { name: "data", type: "A", isReadonly: true },
    ],
  });
  file.addTypeAlias({
    name: "Input",
    isExported: true,
    typeParameters: ["A"],
    docs: [
      "The elements alone where the shape follows from their number, or with a shape. Plain numbers are converted.",
    ],
    type: "A | readonly number[] | { readonly data: A | readonly number[]; readonly shape?: readonly number[] }",
  });
  const inputs: OptionalKind<PropertySignatureStructure>[] = program.inputs.map((input) => ({
    name: input.name,
    type: `Input<${arrayOf[input.type.dtype]}>${input.type.shape.length === 0 ? " | number" : ""}`,
    isReadonly: true,
    hasQuestionToken: isImplicitInput(input.name),
    docs: [input.name === "key" ? "Seed and step of the random numbers; default 0, 0." : shapeText(input.type)],
  }));
  const outputs: OptionalKind<PropertySignatureStructure>[] = program.outputs.map((output) => ({
    name: output.name,
    type: `Tensor<${arrayOf[output.type.dtype]}>`,
    isReadonly: true,
    docs: [shapeText(output.type)],
  }));
  file.addInterface({ name: `${name}Inputs`, isExported: true, properties: inputs });
  file.addInterface({ name: `${name}Outputs`, isExported: true, properties: outputs });
  file.addFunction({
    name,
    isExported: true,
    hasDeclareKeyword: true,
    parameters: [{ name: "inputs", type: `${name}Inputs` }],
    returnType: `${name}Outputs`,
    docs: [
      [
        doc,
        "",
        "Any size of the free axes: the first call with a larger one takes more memory.",
        "@throws {TypeError} for an input that is missing or whose shape does not fit.",
      ]
        .join("\n")
        .trim(),
    ],
  });
  file.formatText({ indentSize: 2 });
  return file.getFullText();
}
