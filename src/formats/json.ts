// Tensors as nested lists in JSON: what people type by hand, and what they read.

import type { DType, Tensor } from "../ir/dtype.ts";
import { convertTensor, readableAt } from "./elements.ts";
import { excerpt, FormatError } from "./format-error.ts";

/** JSON has no words for what is not finite; these texts stand for it, written and read. */
const notFinite: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

export type NestedNumbers = number | boolean | string | readonly NestedNumbers[];

/**
 * A tensor from numbers, or booleans, in lists of lists of equal lengths. Without `dtype`, booleans give bool and
 * numbers f32. `name` is how errors call the value. Throws a FormatError on ragged lists and on what is no number.
 */
export function tensorFromLists(value: unknown, file: string, name: string, dtype?: DType): Tensor {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  if (shape.length > 64) throw new FormatError(file, `${name} has more than 64 axes`, "nest the lists less deeply");
  // Gathered as they come: sizes that are claimed by the first row alone are not to be trusted with memory.
  const values: number[] = [];
  let booleans = 0;
  const visit = (item: unknown, axis: number, path: string): void => {
    if (axis < shape.length) {
      if (Array.isArray(item) && item.length === shape[axis]) {
        item.forEach((inner: unknown, i) => {
          visit(inner, axis + 1, `${path}[${i}]`);
        });
        return;
      }
      const what = `${path} is ${describe(item)}, where its siblings are lists of ${shape[axis]}`;
      throw new FormatError(file, what, "all lists of one depth must have one length");
    }
    const number = typeof item === "string" && Object.hasOwn(notFinite, item) ? notFinite[item] : item;
    if (typeof number === "boolean") booleans++;
    else if (typeof number !== "number") {
      const what = `${path} is ${describe(item)}, where a number is expected`;
      throw new FormatError(file, what, "write numbers in lists of lists");
    }
    values.push(Number(number));
  };
  visit(value, 0, name);
  if (booleans > 0 && booleans < values.length) {
    throw new FormatError(file, `${name} mixes numbers with true and false`, "use one of them");
  }
  const wanted = dtype ?? (booleans > 0 ? "bool" : "f32");
  if (wanted === "f32") return { dtype: "f32", shape, data: Float32Array.from(values) };
  if (wanted === "i32" && values.every((v) => Object.is(v | 0, v) || v === 0)) {
    return { dtype: "i32", shape, data: Int32Array.from(values) };
  }
  if (wanted === "i32") throw new FormatError(file, `${name} has values that are no 32-bit integers`, "round them");
  try {
    return convertTensor({ dtype: "f32", shape, data: Float32Array.from(values) }, wanted);
  } catch (error) {
    throw new FormatError(
      file,
      `${name}: ${error instanceof Error ? error.message : error}`,
      `give values of ${wanted}`,
    );
  }
}

function describe(item: unknown): string {
  if (Array.isArray(item)) return `a list of ${item.length}`;
  return typeof item === "object" && item !== null ? "an object" : excerpt(String(item));
}

/** The tensor as nested lists, floats as their shortest decimals, which read back to the same values. */
export function listsFromTensor(tensor: Tensor): NestedNumbers {
  let at = 0;
  const visit = (axis: number): NestedNumbers => {
    if (axis < tensor.shape.length) return Array.from({ length: tensor.shape[axis]! }, () => visit(axis + 1));
    const value = readableAt(tensor, at++);
    if (tensor.dtype === "bool") return value !== 0;
    return Number.isFinite(value) ? value : String(value);
  };
  return visit(0);
}

/**
 * Reads tensors by name from an object of nested lists; `types` says what they should be, as far as that is known.
 * Lists alone, without a name, are returned under the name `unnamed`.
 */
export function readJsonTensors(
  text: string,
  file: string,
  unnamed: string,
  types: Readonly<Record<string, DType>> = {},
): Record<string, Tensor> {
  const help = 'write an object of nested lists: {"x": [[0, 1], [1, 0]]}';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(file, `is not JSON: ${error instanceof Error ? error.message : error}`, help);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { [unnamed]: tensorFromLists(value, file, unnamed, types[unnamed]) };
  }
  const tensors = Object.entries(value).map(([name, lists]): [string, Tensor] => [
    name,
    tensorFromLists(lists, file, name, types[name]),
  ]);
  return Object.fromEntries(tensors);
}

/** An object of nested lists, one tensor a line. */
export function writeJsonTensors(tensors: Readonly<Record<string, Tensor>>): string {
  const lines = Object.entries(tensors).map(
    ([name, tensor]) => `  ${JSON.stringify(name)}: ${JSON.stringify(listsFromTensor(tensor))}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}
