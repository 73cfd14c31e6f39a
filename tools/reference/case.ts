// The reference cases as data: an index of operations with their attributes, and for each a file with inputs, outputs,
// cotangents and gradients. Read with the compiler's own reader of safetensors.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import type { Tensor } from "../../src/ir/dtype.ts";

export interface ReferenceCase {
  readonly name: string;
  readonly operation: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** By name, without the `in.` before it. */
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  /** The loss is the sum of outputs · cotangents. */
  readonly cotangents: Tensors;
  /** Of the loss, by input. */
  readonly gradients: Tensors;
  /** Buffers after the call. */
  readonly after: Tensors;
  /** The error of PyTorch's own float32: the largest |f64 - f32| / (1 + |f64|) over outputs and gradients. */
  readonly float32Error: number;
}

type Tensors = Readonly<Record<string, Tensor>>;

/** Reads `index.json` and the files that it names in a folder; `keep` chooses by name. */
export function readCases(folder: string, keep: (name: string) => boolean): readonly ReferenceCase[] {
  const index: unknown = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  const listed = isRecord(index) && Array.isArray(index.cases) ? index.cases : undefined;
  if (!listed) throw new Error(`${join(folder, "index.json")} has no list "cases"`);
  return listed.filter((entry) => isRecord(entry) && keep(String(entry.name))).map((entry) => readCase(folder, entry));
}

function readCase(folder: string, entry: Readonly<Record<string, unknown>>): ReferenceCase {
  const path = join(folder, String(entry.file));
  const { tensors } = readSafetensors(readFileSync(path), path);
  const group = (prefix: string): Tensors =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([name]) => name.startsWith(`${prefix}.`))
        .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
    );
  return {
    name: String(entry.name),
    operation: String(entry.op),
    attributes: isRecord(entry.attrs) ? entry.attrs : {},
    inputs: group("in"),
    outputs: group("out"),
    cotangents: group("gout"),
    gradients: group("grad"),
    after: group("after"),
    float32Error: typeof entry.torch_f32_err === "number" ? entry.torch_f32_err : 0,
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The shape of an input; empty where the case has none of that name. */
export const shapeOf = (c: ReferenceCase, name: string): readonly number[] => c.inputs[name]?.shape ?? [];

/** A numeric attribute. */
export function numberOf(c: ReferenceCase, name: string, otherwise: number): number {
  const value = c.attributes[name];
  return typeof value === "number" ? value : otherwise;
}

export function textOf(c: ReferenceCase, name: string, otherwise: string): string {
  const value = c.attributes[name];
  return typeof value === "string" ? value : otherwise;
}

export function flagOf(c: ReferenceCase, name: string, otherwise: boolean): boolean {
  const value = c.attributes[name];
  return typeof value === "boolean" ? value : otherwise;
}

/** A list of numbers, or one number that stands for `count` of them. */
export function numbersOf(c: ReferenceCase, name: string, count: number, otherwise: number): readonly number[] {
  const value = c.attributes[name];
  if (Array.isArray(value)) return value.map(Number);
  return new Array<number>(count).fill(typeof value === "number" ? value : otherwise);
}

/** Axes, counted from 0; all of them where the attribute is missing. */
export function axesOf(c: ReferenceCase, name: string, rank: number): readonly number[] {
  const value = c.attributes[name];
  if (value === undefined || value === null) return Array.from({ length: rank }, (_, axis) => axis);
  return (Array.isArray(value) ? value : [value]).map((axis) => (Number(axis) + rank) % rank);
}
