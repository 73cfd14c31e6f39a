// When a tensor counts as equal to its reference.
//
//   |got - want| <= max(1e-5 · max |want|, e · (1 + |want|))   for each element
//
// where max |want| is the largest magnitude in the reference tensor, and e is the case's `torch_f32_err`: the error that
// PyTorch's own float32 makes in it by the same measure, |got - want| / (1 + |want|). The second bound matters for tensors that are small by
// cancellation, where float32 cannot do better (the gradient of a bias before a normalisation is zero but for rounding); it is dropped
// where e exceeds 1e-5. Integers and booleans must be equal; NaN and infinities must be in the same places.

import type { Tensor } from "../../src/ir/dtype.ts";

export interface Comparison {
  readonly ok: boolean;
  /** Passed only by the bound of PyTorch's own float32. */
  readonly allowance: boolean;
  /** The largest |got - want| / max |want|; 0 for equal tensors, Infinity where shapes, types or non-finite places differ. */
  readonly error: number;
  readonly detail?: string;
}

export const relativeTolerance = 1e-5;

export function compareTensors(got: Tensor, want: Tensor, float32Error: number): Comparison {
  const wrong = (detail: string): Comparison => ({ ok: false, allowance: false, error: Infinity, detail });
  if (got.shape.join() !== want.shape.join()) return wrong(`shape [${got.shape}] instead of [${want.shape}]`);
  if (want.dtype !== "f32") {
    const at = want.data.findIndex((value, i) => value !== got.data[i]);
    return at < 0
      ? { ok: true, allowance: false, error: 0 }
      : wrong(`element ${at}: ${got.data[at]}, not ${want.data[at]}`);
  }
  const scale = largestMagnitude(want);
  const floor = float32Error <= relativeTolerance ? float32Error : 0;
  let ok = true;
  let allowance = false;
  let error = 0;
  let detail: string | undefined;
  for (let i = 0; i < want.data.length; i++) {
    const [g, w] = [got.data[i]!, want.data[i]!];
    if (Object.is(g, w) || g === w) continue;
    const difference = Math.abs(g - w);
    if (!Number.isFinite(difference)) return wrong(`element ${i}: ${g}, not ${w}`);
    if (difference > relativeTolerance * scale) {
      allowance = true;
      if (difference > floor * (1 + Math.abs(w))) ok = false;
    }
    const relative = scale === 0 ? Infinity : difference / scale;
    if (relative > error) [error, detail] = [relative, `element ${i}: ${g}, not ${w}`];
  }
  return { ok, allowance: ok && allowance, error, ...(detail ? { detail } : {}) };
}

function largestMagnitude({ data }: Tensor): number {
  let largest = 0;
  for (const value of data) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return largest;
}
