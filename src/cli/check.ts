// dlm check: is the program right?

import type { Command } from "commander";
import { diagnosticToJson, renderDiagnostics } from "../dsl/diagnostics.ts";
import { colorsFor } from "./colors.ts";

export function addCheck(program: Command): void {
  program
    .command("check")
    .description("say what is wrong with a program, and where; exit code 1 if anything is")
    .argument("<file>", "a .dlm file")
    .option("--json", "the same as one JSON array, for editors")
    .action(async (file: string, options: { json?: boolean }) => {
      const { elaborate } = await import("./source.ts");
      const { diagnostics, module } = elaborate(file);
      const wrong = diagnostics.some((diagnostic) => diagnostic.severity === "error");
      if (options.json) process.stdout.write(`${JSON.stringify(diagnostics.map(diagnosticToJson))}\n`);
      else if (diagnostics.length > 0)
        process.stderr.write(`${renderDiagnostics(diagnostics, colorsFor(process.stderr))}\n`);
      else process.stdout.write(`${file}: no problems found${module ? ` in ${module.name}` : ""}\n`);
      process.exitCode = wrong ? 1 : 0;
    });
}
