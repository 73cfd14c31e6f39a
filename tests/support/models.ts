// The programs that tests run whole: ours, and the shared ones where they are.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { evaluateDim } from "../../src/ir/dim.ts";
import { allocate, type Tensor } from "../../src/ir/dtype.ts";
import type { TensorType } from "../../src/ir/graph.ts";
import { shared } from "../shared.ts";

const own = join(import.meta.dirname, "../../models");

/** Paths by file name; files that only declare blocks for others are no programs. */
export function modelFiles(): ReadonlyMap<string, string> {
  const files = [shared("models"), own].filter(existsSync).flatMap((folder) => {
    return readdirSync(folder).map((file) => join(folder, file));
  });
  const programs = files.filter((file) => file.endsWith(".dlm") && /^model /m.test(readFileSync(file, "utf8")));
  return new Map(programs.map((file) => [basename(file), file]));
}

/** Values for what a graph reads: variances and counts are 1, other floats are small; integers are classes 0 and 1. */
export function drawValue(
  name: string,
  { dtype, shape }: TensorType,
  sizes: Readonly<Record<string, number>>,
  random: () => number,
): Tensor {
  const numbers = shape.map((dim) => evaluateDim(dim, sizes));
  const data = allocate(
    dtype,
    numbers.reduce((a, b) => a * b, 1),
  );
  const positive = /variance|count|second|\.v\./.test(name);
  for (let i = 0; i < data.length; i++) {
    data[i] = dtype === "f32" ? (positive ? 1 : (random() - 0.5) * 0.4) : Math.floor(random() * 2);
  }
  return { dtype, shape: numbers, data };
}
