// The commands of `dlm` and their help.

import { Command } from "commander";
import { addBench } from "./bench.ts";
import { addBundle } from "./bundle.ts";
import { addCheck } from "./check.ts";
import { addEval } from "./eval.ts";
import { addExplain } from "./explain.ts";
import { addFmt } from "./fmt.ts";
import { addInspect } from "./inspect.ts";
import { addRun } from "./run.ts";
import { addTrain } from "./train.ts";
import { addTune } from "./tune.ts";

const examples = `
For example:
  dlm check model.dlm
  dlm train model.dlm --data data --out runs/first
  dlm eval model.dlm --weights runs/first/weights.safetensors --data data
  dlm run model.dlm --weights runs/first/weights.safetensors --input x.json
  dlm bundle model.dlm --weights runs/first/weights.safetensors -o model.mjs`;

export function createProgram(): Command {
  const program = new Command("dlm")
    .description(
      "Compiles deep-learning models written in .dlm, trains them, runs them, and writes them as standalone modules.",
    )
    .version("0.1.0")
    .showHelpAfterError("(dlm --help lists the commands, dlm COMMAND --help the options)")
    .showSuggestionAfterError()
    .addHelpText("after", examples);
  for (const add of [addCheck, addFmt, addInspect, addTrain, addTune, addEval, addRun, addExplain, addBench, addBundle])
    add(program);
  return program;
}
