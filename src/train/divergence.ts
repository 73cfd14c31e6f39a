// A training run that blew up: what is not finite, where, and what usually helps.

import type { Tensors } from "../backends/backend.ts";
import { valueAt } from "../formats/elements.ts";
import { isFloat, type Tensor } from "../ir/dtype.ts";
import { UserError } from "../util/user-error.ts";
import type { Session } from "./session.ts";
import { readGlobals } from "./weights.ts";

/** Training cannot go on: loss or parameters are infinite or not a number. */
export class DivergenceError extends UserError {
  override readonly name = "DivergenceError";
}

function every(tensor: Tensor, test: (value: number) => boolean): boolean {
  if (!isFloat(tensor.dtype)) return true;
  if (tensor.dtype === "f32") return tensor.data.every(test);
  return tensor.data.every((_, i) => test(valueAt(tensor, i)));
}

const isNumber = (value: number): boolean => !Number.isNaN(value);

/** Names of parameters that are not finite, and of states that are not numbers (infinity may be where one begins). */
export async function brokenGlobals({ executable, globals }: Session): Promise<string[]> {
  const parameters = Object.entries(await readGlobals(executable, globals, "parameter"));
  const states = Object.entries(await readGlobals(executable, globals, "state", "optimizer"));
  const broken = [
    ...parameters.filter(([, tensor]) => !every(tensor, Number.isFinite)),
    ...states.filter(([, tensor]) => !every(tensor, isNumber)),
  ];
  return broken.map(([name]) => name);
}

/** `label goes from 0 to 9`, for each column of integers. */
function ranges(batch: Tensors): string {
  const integers = Object.entries(batch).filter(([, { dtype }]) => dtype === "i32");
  const texts = integers.map(([name, { data }]) => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of data) [least, most] = [Math.min(least, value), Math.max(most, value)];
    return `${name} goes from ${least} to ${most}`;
  });
  return texts.join(", ") || "look at the labels";
}

/**
 * @param step the training step, counted from 1 in the epoch
 * @param kept where the last good checkpoint is, if there is one
 */
export async function divergence(
  session: Session,
  place: { readonly fold?: number; readonly epoch: number; readonly step: number },
  loss: number,
  batch: Tensors,
  kept: string | undefined,
): Promise<DivergenceError> {
  const bad = await brokenGlobals(session);
  const at = `${place.fold === undefined ? "" : `fold ${place.fold}, `}epoch ${place.epoch}, step ${place.step}`;
  const found = [Number.isFinite(loss) ? "" : `the loss is ${loss}`];
  if (bad.length > 0) {
    const names = bad.slice(0, 5).join(", ") + (bad.length > 5 ? ` and ${bad.length - 5} more` : "");
    found.push(`${bad.length === 1 ? "this tensor is" : "these tensors are"} not finite: ${names}`);
  }
  const columns = Object.keys(batch).filter((name) => !every(batch[name]!, Number.isFinite));
  const help =
    columns.length > 0
      ? `the data are not finite in ${columns.join(", ")}: clean them`
      : loss === Number.POSITIVE_INFINITY && bad.length === 0
        ? `this is how a label that is no class of the model shows: ${ranges(batch)}`
        : "lower the learning rate (lr), or limit the gradients with `clip: global_norm(1.0)`";
  const saved = kept === undefined ? "" : `\n  the last good checkpoint is kept: ${kept}`;
  return new DivergenceError(`training diverged at ${at}: ${found.filter(Boolean).join("; ")}${saved}`, help);
}
