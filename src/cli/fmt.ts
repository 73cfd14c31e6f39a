// dlm fmt: one way to lay a program out.

import type { Command } from "commander";

export function addFmt(program: Command): void {
  program
    .command("fmt")
    .description("lay programs out in the usual way, in place; comments are kept")
    .argument("<files...>", ".dlm files")
    .option("--check", "change nothing; exit code 1 if a file is not formatted")
    .option("--stdout", "print the formatted text instead of writing it")
    .action(async (files: string[], options: { check?: boolean; stdout?: boolean }) => {
      const { format } = await import("../dsl/format.ts");
      const { writeWhole } = await import("../formats/node/files.ts");
      const { readSource } = await import("./read-source.ts");
      for (const file of files) {
        const source = readSource(file);
        const formatted = format(source.text, source.name);
        if (options.stdout) process.stdout.write(formatted);
        else if (formatted !== source.text) {
          process.stdout.write(`${options.check ? "not formatted: " : "formatted "}${source.name}\n`);
          if (options.check) process.exitCode = 1;
          else await writeWhole(file, formatted);
        }
      }
    });
}
