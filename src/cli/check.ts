// dlm check: is the program right?

import type { Command } from "commander";
import pc from "picocolors";
import { diagnosticToJson, renderDiagnostics } from "../dsl/diagnostics.ts";
import { elaborate } from "./source.ts";

export function addCheck(program: Command): void {
  program
    .command("check")
    .description("report what is wrong with a program; exit code 1 if anything is")
    .argument("<file>", "a .dlm file")
    .option("--json", "diagnostics as JSON, one array, for editors")
    .action((file: string, options: { json?: boolean }) => {
      const { diagnostics, module } = elaborate(file);
      const wrong = diagnostics.some((diagnostic) => diagnostic.severity === "error");
      if (options.json) process.stdout.write(`${JSON.stringify(diagnostics.map(diagnosticToJson))}\n`);
      else if (diagnostics.length > 0) process.stderr.write(`${renderDiagnostics(diagnostics, pc)}\n`);
      else process.stdout.write(`${file}: no problems found${module ? ` in ${module.name}` : ""}\n`);
      process.exitCode = wrong ? 1 : 0;
    });
}
