#!/usr/bin/env node
// The command line: one file a command. Users' mistakes end in a message and exit code 1, never in a stack trace.

import { Command } from "commander";
import { addBundle } from "./bundle.ts";
import { addCheck } from "./check.ts";
import { addEval } from "./eval.ts";
import { addFmt } from "./fmt.ts";
import { guard } from "./guard.ts";
import { addInspect } from "./inspect.ts";
import { addRun } from "./run.ts";
import { addTrain } from "./train.ts";

const program = new Command("dlm")
  .description("Compiles deep-learning models written in .dlm, trains them, runs them, and emits standalone modules.")
  .version("0.1.0")
  .showHelpAfterError("(dlm --help lists the commands, dlm COMMAND --help the options)")
  .showSuggestionAfterError();

for (const add of [addCheck, addFmt, addInspect, addTrain, addEval, addRun, addBundle]) add(program);

await guard(() => program.parseAsync());
