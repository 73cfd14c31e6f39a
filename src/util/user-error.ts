// A mistake of the user's that has no place in a source file: a missing option, a file that is not there.

/** The message is complete: it may be shown as it stands. `help` proposes the mend. */
export class UserError extends Error {
  override readonly name: string = "UserError";
  constructor(what: string, help?: string) {
    super(help === undefined ? what : `${what}\n  = help: ${help}`);
  }
}
