// What a search varies: constants of the program, each over a list of values or a range, and how values are drawn.

import { UserError } from "../../util/user-error.ts";
import type { Random } from "../random.ts";

export type Varied = VariedList | VariedRange;

interface VariedList {
  readonly kind: "list";
  readonly name: string;
  /** As they are written in a program. */
  readonly values: readonly string[];
}

interface VariedRange {
  readonly kind: "range";
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Whole numbers alone: both ends are written as such. */
  readonly whole: boolean;
  /** By the logarithm: the ends are both positive and at least a factor of ten apart. */
  readonly log: boolean;
}

const help = 'for example --vary "lr=1e-4..1e-2", --vary "units=16..256" or --vary "units=16,32,64"';
const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const isWhole = (text: string): boolean => /^[+-]?\d+$/.test(text);

/** Reads `lr=1e-4..1e-2` or `units=16,32,64`. Throws a UserError. */
export function parseVaried(text: string): Varied {
  const [, name, values] = /^\s*([\p{L}_][\p{L}\p{N}_]*)\s*=\s*(.+?)\s*$/su.exec(text) ?? [];
  if (name === undefined || values === undefined) throw new UserError(`"${text}" does not say what to vary`, help);
  const [first = "", second, ...more] = values.split("..").map((end) => end.trim());
  if (second === undefined) {
    const list = values.split(",").map((value) => value.trim());
    if (list.some((value) => value === "")) throw new UserError(`"${text}" has an empty value`, help);
    return { kind: "list", name, values: list };
  }
  if (more.length > 0 || !number.test(first) || !number.test(second))
    throw new UserError(`"${text}": a range goes from one number to another`, help);
  const [low, high] = [Number(first), Number(second)];
  if (low >= high) throw new UserError(`"${text}": the range from ${low} to ${high} is empty`, help);
  return { kind: "range", name, low, high, whole: isWhole(first) && isWhole(second), log: low > 0 && high >= 10 * low };
}

/** A value at random, as it is written in a program. */
export function drawValue(varied: Varied, random: Random): string {
  switch (varied.kind) {
    case "list":
      return varied.values[random.below(varied.values.length)]!;
    case "range": {
      const { low, high, whole, log } = varied;
      // Each whole number has the same share of the range that is rounded to it.
      const [from, to] = whole ? [low - 0.5, high + 0.5] : [low, high];
      const drawn = log ? Math.exp(random.between(Math.log(from), Math.log(to))) : random.between(from, to);
      if (whole) return String(Math.min(high, Math.max(low, Math.round(drawn))));
      // Four digits are as good as more, and can be read.
      const text = String(Number(drawn.toPrecision(4)));
      return /[.e]/.test(text) ? text : `${text}.0`;
    }
  }
}
