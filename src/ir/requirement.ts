// What the free sizes of a run must fulfil: what the program asserts, and what its slices need. It is checked as soon as the sizes are
// known, before anything is computed.

import { addDims, type Dim, evaluateDim, type Sizes } from "./dim.ts";

export interface Requirement {
  /** One of these dimensions, at least, must be 0 or more. */
  readonly anyOf: readonly Dim[];
  /** What is wrong where none is, with its place in the program. */
  readonly text: string;
}

/** The text of the first requirement that the sizes do not fulfil, with those of them in `names`. */
export function unfulfilled(
  requirements: readonly Requirement[],
  sizes: Sizes,
  names: readonly string[],
): string | undefined {
  const broken = requirements.find(({ anyOf }) => anyOf.every((dim) => evaluateDim(dim, sizes) < 0));
  if (!broken) return undefined;
  return `${broken.text}, for ${names.map((name) => `${name} = ${sizes[name]}`).join(", ")}`;
}

/** The most that a size can be where the requirements are fulfilled; infinite where none of them says it. */
export function mostOf(size: Dim, requirements: readonly Requirement[]): number {
  if (typeof size === "number") return size;
  const bounds = requirements.flatMap(({ anyOf: [room, ...others] }) => {
    // `most - size` must be 0 or more.
    const most = room === undefined || others.length > 0 ? undefined : addDims(room, size);
    return typeof most === "number" ? [most] : [];
  });
  return Math.min(Number.POSITIVE_INFINITY, ...bounds);
}
