// The program that explains another one: a model in `.dlm` that calls the explained model and a method of the library
// (std/explanations.dlm), so that an explanation is compiled and run like everything else.

import { formatDim } from "../ir/dim.ts";
import { formatType, type Graph, type GraphInput, isImplicitInput, type TensorType, type Value } from "../ir/graph.ts";
import { UserError } from "../util/user-error.ts";

export const methods = ["saliency", "integrated_gradients", "grad_cam", "occlusion"] as const;
export type Method = (typeof methods)[number];

export interface ExplanationOptions {
  readonly method: Method;
  /** The model in the file, and the file's name beside which the program stands: `./mnist_cnn.dlm`. */
  readonly model: string;
  readonly file: string;
  /** The output whose scores are explained; default the first that fits. */
  readonly output?: string;
  /** The class asked about; default the one that each row scores highest. */
  readonly class?: number;
  /** For grad_cam: the path of the call whose result is looked at; default the last features with the size of the last convolution's. */
  readonly layer?: string;
  /** For occlusion: the side of the squares, in pixels. */
  readonly patch?: number;
  /** For integrated_gradients: pieces of the way. */
  readonly steps?: number;
}

export interface ExplanationProgram {
  readonly text: string;
  readonly input: GraphInput;
  /** The scores' name in the explained model. */
  readonly output: string;
}

/** What `scored` makes is found under this path by `made_in`. */
const callPath = (model: string): string => `scored/${model}`;

/**
 * The program with the outputs `scores: f32[N, K]` and `heat`, of the input's shape, or f32[N, H, W] for grad_cam.
 * Throws a UserError where the model cannot be explained by the method.
 */
export function explanationProgram(infer: Graph, options: ExplanationOptions): ExplanationProgram {
  const { method, model, file } = options;
  const input = explainedInput(infer, model);
  const { name: output, type } = explainedOutput(infer, model, options.output);
  const x = input.name;
  const heat: TensorType =
    method === "grad_cam" ? { dtype: "f32", shape: input.type.shape.slice(0, 3) } : { ...input.type, dtype: "f32" };
  const score = infer.outputs.length > 1 ? `${model}(${x}).${output}` : `${model}(${x})`;
  const rows = type.shape[0]!;
  const scores: TensorType = { dtype: "f32", shape: [rows, type.shape[1] ?? 1] };
  const lines = [
    `import { ${model} } from ${JSON.stringify(file)}`,
    "",
    `block scored(${x}: ${formatType(input.type)}) = ${type.shape.length === 1 ? `expand_dims(${score}, axis: 1)` : score}`,
    "",
    `model Explanation(${x}: ${formatType(input.type)}) -> (scores: ${formatType(scores)}, heat: ${formatType(heat)}) {`,
    `  scores = scored(${x})`,
    `  classes = ${classes(scores, options)}`,
    `  heat = ${call(infer, input, options)}`,
    "}",
    "",
  ];
  return { text: lines.join("\n"), input, output };
}

function explainedInput(infer: Graph, model: string): GraphInput {
  const inputs = infer.inputs.filter(({ name }) => !isImplicitInput(name));
  const [input, another] = inputs;
  const list = inputs.map(({ name, type }) => `${name}: ${formatType(type)}`).join(", ");
  if (!input || another)
    throw new UserError(`explain takes models with one input, and ${model} has ${inputs.length} (${list})`);
  if (input.type.dtype !== "f32" || input.type.shape.length < 2)
    throw new UserError(`explain takes inputs of f32 with rows and columns, and ${model} takes ${list}`);
  return input;
}

function explainedOutput(infer: Graph, model: string, wanted: string | undefined): { name: string; type: TensorType } {
  const list = infer.outputs.map(({ name, value }) => `${name}: ${formatType(value.type)}`).join(", ");
  const fits = ({ value: { type } }: Graph["outputs"][number]): boolean =>
    type.dtype === "f32" && (type.shape.length === 1 || type.shape.length === 2);
  const output = infer.outputs.find((candidate) =>
    wanted === undefined ? fits(candidate) : candidate.name === wanted,
  );
  if (!output) {
    const what = wanted === undefined ? "no output f32[N] or f32[N, K] to explain" : `no output ${wanted}`;
    throw new UserError(`${model} has ${what}`, `it has ${list}`);
  }
  if (!fits(output)) throw new UserError(`explain takes outputs f32[N] or f32[N, K], and there are ${list}`);
  return { name: output.name, type: output.value.type };
}

function classes({ shape }: TensorType, options: ExplanationOptions): string {
  const count = shape[1]!;
  if (options.class === undefined) return count === 1 ? "ones_like(scores)" : "winning(scores)";
  if (typeof count === "number" && options.class >= count)
    throw new UserError(`there is no class ${options.class}: ${options.model} scores ${count}, counted from 0`);
  return `zeros_like(scores) + one_hot(array([${options.class}], dtype: i32), ${formatDim(count)})`;
}

function call(infer: Graph, input: GraphInput, options: ExplanationOptions): string {
  const x = input.name;
  switch (options.method) {
    case "saliency":
      return `saliency(${x}, scored, classes)`;
    case "integrated_gradients":
      return `integrated_gradients(${x}, scored, classes, steps: ${options.steps ?? 32})`;
    case "occlusion":
      return `occlusion(${x}, scored, classes, patch: ${options.patch ?? 4})`;
    case "grad_cam": {
      const layer = options.layer ?? lastFeatures(infer, options.model);
      const [, height, width] = input.type.shape;
      if (input.type.shape.length !== 4 || typeof height !== "number" || typeof width !== "number")
        throw new UserError(`grad_cam explains images f32[N, H, W, C], and ${x} is ${formatType(input.type)}`);
      const features = `made_in(${JSON.stringify(`${callPath(options.model)}/${layer}`)})`;
      return `grad_cam(${features}, sum(scores * classes), [${height}, ${width}])`;
    }
  }
}

/** The call that made the last value with the shape of the last convolution's: the same features, normalised and activated. */
function lastFeatures(infer: Graph, model: string): string {
  const shapeOf = (value: Value): string => formatType(value.type);
  const last = infer.nodes.findLast(({ op }) => op === "convolution")?.results[0];
  const made =
    last && infer.nodes.findLast(({ results }) => results.some((result) => shapeOf(result) === shapeOf(last)));
  const scope = made?.location?.scope;
  if (scope) return scope;
  throw new UserError(
    `grad_cam looks at the features of a convolution, and ${model} has none`,
    "take --method saliency, integrated_gradients or occlusion",
  );
}
