// The one error that readers of files throw: which file, what is wrong with it, and what to do about it.

import { UserError } from "../util/user-error.ts";

/** A file that does not hold what it should. The message is complete: it may be shown to a user as it stands. */
export class FormatError extends UserError {
  override readonly name = "FormatError";
  readonly file: string;
  readonly help: string;

  constructor(file: string, what: string, help: string) {
    super(`${file}: ${what}`, help);
    this.file = file;
    this.help = help;
  }
}

/** The text of `bytes`, which must be UTF-8; a byte-order mark is dropped. Throws a FormatError. */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError(file, "the text is not UTF-8", "save the file in the encoding UTF-8");
  }
}

/** A value as errors show it: short, on one line. */
export function excerpt(text: string, length = 40): string {
  const shown = JSON.stringify(text.length > length ? `${text.slice(0, length)}…` : text);
  return shown;
}
