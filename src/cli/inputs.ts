// The inputs of a model from a file of tensors, for commands that run it.

import type { Tensors } from "../backends/backend.ts";
import { readTensors } from "../formats/node/files.ts";
import type { DType, Tensor } from "../ir/dtype.ts";
import { isImplicitInput, type Module } from "../ir/graph.ts";
import { UserError } from "../util/user-error.ts";

/** What `infer` takes, by name, and a key from the seed where it asks for one. Throws a UserError or a FormatError. */
export async function readInputs(module: Module, path: string, seed: number): Promise<Tensors> {
  const declared = module.graphs.get("infer")?.inputs ?? [];
  const wanted = declared.filter(({ name }) => !isImplicitInput(name));
  const types: Record<string, DType> = Object.fromEntries(wanted.map(({ name, type }) => [name, type.dtype]));
  const [only] = wanted;
  const given = await readTensors(path, { types, ...(wanted.length === 1 && only ? { unnamed: only.name } : {}) });
  const inputs: Record<string, Tensor> = {};
  for (const { name } of wanted) {
    const tensor = given[name];
    if (!tensor)
      throw new UserError(
        `${path} has no tensor ${name}`,
        `it has ${Object.keys(given).join(", ") || "none"}; ${module.name} takes ${wanted.map((w) => w.name).join(", ")}`,
      );
    inputs[name] = tensor;
  }
  if (declared.some(({ name }) => name === "key"))
    inputs.key = { dtype: "i32", shape: [2], data: Int32Array.of(seed, 0) };
  return inputs;
}
