// Weights between executables and files: parameters and states by their full names. Everything that does not fit is
// reported at once, because weight files are mended, or fetched again, as wholes.

import type { AnyExecutable, Tensors } from "../backends/backend.ts";
import { convertTensor, describeTensor } from "../formats/elements.ts";
import { evaluateDim } from "../ir/dim.ts";
import { isFloat, type Tensor } from "../ir/dtype.ts";
import type { Global, GlobalRole } from "../ir/graph.ts";
import { closest } from "../util/text.ts";
import { UserError } from "../util/user-error.ts";

/** Weights that do not belong to the model, with all that is missing, left over, or of another shape. */
export class WeightsError extends UserError {
  override readonly name = "WeightsError";
}

/** The shape of a parameter or state, which has no free sizes. */
export const globalShape = (global: Global): number[] => global.type.shape.map((dim) => evaluateDim(dim, {}));

const describeGlobal = (global: Global): string =>
  `${global.name}: ${describeTensor({ dtype: global.type.dtype, shape: globalShape(global) })}`;

/** Copies of the tensors with one of the roles, by full name. */
export async function readGlobals(
  executable: AnyExecutable,
  globals: Iterable<Global>,
  ...roles: readonly GlobalRole[]
): Promise<Record<string, Tensor>> {
  const chosen = [...globals].filter(({ role }) => roles.includes(role));
  // All are asked for at once: nothing runs between two of them.
  const tensors = await Promise.all(chosen.map(({ name }) => executable.read(name)));
  return Object.fromEntries(chosen.map(({ name }, i) => [name, tensors[i]!]));
}

/**
 * Writes all parameters and states of `globals` from `tensors`. A tensor is looked for under its full name, then under
 * the name it has in the model that declares it, so that a model that calls another takes the weights of that one. The other
 * way round, `model` takes its part of the weights of a model that calls it: `Encoder` those under `Encoder.`.
 * @param source how errors call the place the tensors came from, such as a path
 * Throws a WeightsError that lists every problem, and then has written nothing.
 */
export function loadWeights(
  executable: AnyExecutable,
  globals: Iterable<Global>,
  given: Tensors,
  source = "the weight file",
  model?: string,
): void {
  const wanted = [...globals].filter(({ role }) => role === "parameter" || role === "state");
  const tensors = model === undefined ? given : partOf(given, model, wanted);
  const found = new Map<string, Global>();
  const writes: (readonly [name: string, value: Tensor])[] = [];
  const missing: Global[] = [];
  const problems: string[] = [];
  for (const global of wanted) {
    const key = [global.name, global.owner?.name].find((name) => name !== undefined && Object.hasOwn(tensors, name));
    const tensor = key === undefined ? undefined : tensors[key];
    if (key === undefined || !tensor) {
      missing.push(global);
      continue;
    }
    const other = found.get(key);
    if (other) {
      problems.push(`${key} could be ${other.name} or ${global.name}: name it in full`);
      continue;
    }
    found.set(key, global);
    const value = fitted(tensor, global);
    if (value) writes.push([global.name, value]);
    else problems.push(`${key} is ${describeTensor(tensor)}, but the model has ${describeGlobal(global)}`);
  }
  const extra = Object.keys(tensors).filter((name) => !found.has(name));
  for (const global of missing) problems.push(`missing ${describeGlobal(global)}${likely(global, extra, tensors)}`);
  for (const name of extra) problems.push(`left over ${name}: ${describeTensor(tensors[name]!)}`);
  if (problems.length > 0) throw weightsError(source, problems, extra);
  for (const [name, value] of writes) executable.write(name, value);
}

/** The tensors of `model` in those of a model that calls it, under their own names; all of them where they are no such thing. */
function partOf(tensors: Tensors, model: string, wanted: readonly Global[]): Tensors {
  const prefix = `${model}.`;
  const isPart = wanted.some(({ name }) => !Object.hasOwn(tensors, name) && Object.hasOwn(tensors, prefix + name));
  if (!isPart) return tensors;
  const part = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(part.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** The tensor as the global wants it; floats convert among themselves. */
function fitted(tensor: Tensor, global: Global): Tensor | undefined {
  const { dtype } = global.type;
  const shape = globalShape(global);
  if (tensor.shape.length !== shape.length || shape.some((size, i) => size !== tensor.shape[i])) return undefined;
  if (tensor.dtype === dtype) return tensor;
  return isFloat(tensor.dtype) && isFloat(dtype) ? convertTensor(tensor, dtype) : undefined;
}

function likely(global: Global, extra: readonly string[], tensors: Tensors): string {
  const fits = extra.filter((name) => fitted(tensors[name]!, global));
  const near = closest(global.name, fits) ?? (fits.length === 1 ? fits[0] : undefined);
  return near === undefined ? "" : `; perhaps it is ${near}`;
}

function weightsError(source: string, problems: readonly string[], extra: readonly string[]): WeightsError {
  const shown = problems.slice(0, 20).map((problem) => `\n  ${problem}`);
  const more = problems.length > shown.length ? `\n  and ${problems.length - shown.length} more` : "";
  const checkpoint = extra.some((name) => name.startsWith("best/") || name.startsWith("fold/"));
  const help = checkpoint
    ? "this is a checkpoint: continue it with --resume, or take weights.safetensors beside it"
    : "were the weights trained with this very model? its layers name them";
  return new WeightsError(`${source} does not fit the model:${shown.join("")}${more}`, help);
}
