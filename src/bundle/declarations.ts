// The `.d.mts` beside a bundle: what its one function takes and gives, in the model's own names and shapes.

import { type OptionalKind, Project, type PropertySignatureStructure, type SourceFile } from "ts-morph";
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
  const file = createFile();
  declareTensors(file, name, program);
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
  return formatted(file);
}

/** The same for WebGPU, where a function `createNAME` gives the model. */
export function declareGpuBundle(name: string, doc: string, program: Program): string {
  const file = createFile();
  declareTensors(file, name, program);
  for (const [type, global] of [
    ["Device", "GPUDevice"],
    ["Buffer", "GPUBuffer"],
  ] as const) {
    file.addTypeAlias({
      name: type,
      docs: [`A ${global}, where the types of WebGPU are at hand.`],
      type: `typeof globalThis extends { ${global}: { prototype: infer T } } ? T : object`,
    });
  }
  file.addInterface({
    name: "Place",
    isExported: true,
    docs: ["Where a tensor lies on the device, with 4 bytes an element; good until the next run."],
    properties: [
      { name: "dtype", type: "string", isReadonly: true },
      { name: "shape", type: "readonly number[]", isReadonly: true },
      { name: "buffer", type: "Buffer", isReadonly: true },
      { name: "offset", type: "number", isReadonly: true, docs: ["In bytes."] },
      { name: "size", type: "number", isReadonly: true, docs: ["In bytes."] },
    ],
  });
  const refusal = "@throws {TypeError} for an input that is missing or whose shape does not fit.";
  file.addInterface({
    name: `${name}Model`,
    isExported: true,
    methods: [
      {
        name: "run",
        parameters: [
          { name: "inputs", type: `${name}Inputs` },
          { name: "options", type: "{ readonly readback?: true }", hasQuestionToken: true },
        ],
        returnType: `Promise<${name}Outputs>`,
        docs: [`Answers with typed arrays. Runs take place in the order of the calls.\n${refusal}`],
      },
      {
        name: "run",
        parameters: [
          { name: "inputs", type: `${name}Inputs` },
          { name: "options", type: "{ readonly readback: false }" },
        ],
        returnType: `Promise<{ readonly [output in keyof ${name}Outputs]: Place }>`,
        docs: [`Leaves the outputs on the device, and says where.\n${refusal}`],
      },
      { name: "free", returnType: "void", docs: ["Frees all memory of the device that the model has."] },
    ],
  });
  file.addFunction({
    name: `create${name}`,
    isExported: true,
    hasDeclareKeyword: true,
    parameters: [{ name: "options", type: "{ readonly device?: Device }", hasQuestionToken: true }],
    returnType: `Promise<${name}Model>`,
    docs: [
      [
        doc,
        "",
        "On the device that is given, or on one that is asked for and ends with the model. All pipelines are made ahead.",
        "@throws {Error} where there is no adapter, or too little memory.",
      ]
        .join("\n")
        .trim(),
    ],
  });
  return formatted(file);
}

const createFile = (): SourceFile => new Project({ useInMemoryFileSystem: true }).createSourceFile("bundle.d.mts");

function formatted(file: SourceFile): string {
  file.formatText({ indentSize: 2 });
  return file.getFullText();
}

/** What models take and give, whatever they run on. */
function declareTensors(file: SourceFile, name: string, program: Program): void {
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
}
