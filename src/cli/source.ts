// A `.dlm` file and those it imports, from disk to a module, for every command that compiles.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { SourceFile } from "../dsl/ast.ts";
import { type Compilation, compileSource } from "../dsl/compile-source.ts";
import { DiagnosticError } from "../dsl/diagnostics.ts";
import { withConstants } from "../dsl/settings.ts";
import type { TrainingPlan } from "../dsl/training-plan.ts";
import type { Module } from "../ir/graph.ts";
import { UserError } from "../util/user-error.ts";
import { readSource, shown } from "./read-source.ts";

export interface Source {
  readonly module: Module;
  readonly plan?: TrainingPlan;
  /** The folder of the file: data paths are relative to it. */
  readonly directory: string;
}

/** Everything the file declares, with all its diagnostics; throws only where the file itself cannot be read. */
export const elaborate = (path: string, model?: string): Compilation => elaborateText(readSource(path), model);

function elaborateText(entry: SourceFile, model?: string): Compilation {
  const loadFile = (imported: string, importer: string): SourceFile | undefined => {
    const target = resolve(dirname(importer), imported);
    try {
      return { name: shown(target), text: readFileSync(target, "utf8") };
    } catch {
      return undefined;
    }
  };
  return compileSource(entry, loadFile, model === undefined ? {} : { model });
}

/** The program in a file that must be right, with other values for its constants where `settings` has them. Throws a DiagnosticError with all that is wrong. */
export function loadSource(path: string, model?: string, settings: Readonly<Record<string, string>> = {}): Source {
  const entry = withConstants(readSource(path), settings);
  if ("unknown" in entry) throw new UserError(`${shown(resolve(path))} has no constant ${entry.unknown}`, entry.help);
  const compilation = elaborateText(entry, model);
  const { plan } = compilation;
  return { module: soundModule(compilation), directory: dirname(resolve(path)), ...(plan ? { plan } : {}) };
}

/** The module of a program that was made here, as if it stood in the file `path`, beside the files that it imports. */
export const loadText = (path: string, text: string): Module => soundModule(elaborateText({ name: shown(path), text }));

function soundModule({ module, diagnostics }: Compilation): Module {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (!module || errors.length > 0) throw new DiagnosticError(diagnostics);
  return module;
}

/** The training plan of a program, or a UserError where it has no `train` block. */
export function requirePlan(source: Source, path: string): TrainingPlan {
  if (source.plan) return source.plan;
  throw new UserError(
    `${shown(resolve(path))} has no train block`,
    `add \`train ${source.module.name} { data: … loss: … optimizer: … }\``,
  );
}
