#!/usr/bin/env node
// The command line: one file a command. Users' mistakes end in a message and exit code 1, never in a stack trace. Commands
// import what they need when they run, so that `dlm check` does not wait for what only `dlm bundle` uses.

import { guard } from "./guard.ts";
import { createProgram } from "./program.ts";

// A reader that goes away (`dlm inspect … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

await guard(() => createProgram().parseAsync());
