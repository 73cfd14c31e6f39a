// Ctrl-C during training: the first one asks for an end after the present step, the second ends at once.

/** By convention 128 + the number of SIGINT. */
export const interruptedExitCode = 130;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C its usual meaning back. */
  readonly stop: () => void;
}

export function interruptible(): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(interruptedExitCode);
    process.stderr.write("\nfinishing the present step; press Ctrl-C again to end at once\n");
    controller.abort();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    stop: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

/** The command that continues this one. */
export function resumeCommand(args: readonly string[]): string {
  const kept = args.includes("--resume") ? args : [...args, "--resume"];
  return ["dlm", ...kept.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`))].join(
    " ",
  );
}
