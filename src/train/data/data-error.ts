// Mistakes in a data pipeline that only the data can show: at which call, what is wrong, how to mend it.

import type { DataCall } from "../../dsl/training-plan.ts";
import { UserError } from "../../util/user-error.ts";

/** The message is complete and names the place in the program; it may be shown as it stands. */
export class DataError extends UserError {
  override readonly name = "DataError";
  readonly place: DataCall["place"];
  readonly help: string;

  constructor(call: DataCall, what: string, help: string) {
    super(`${formatPlace(call)}: ${what}`, help);
    this.place = call.place;
    this.help = help;
  }
}

export const formatPlace = ({ place }: DataCall): string => `${place.file}:${place.line}:${place.column}`;

/** `a, b and c`, or `nothing`. */
export function listNames(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? "nothing";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
