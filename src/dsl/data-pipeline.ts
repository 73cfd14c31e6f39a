// The data of a `train` block: from `csv("table.csv") |> shuffle`, as it is written, to calls that are pure data.

import type { Argument, Expression, Span } from "./ast.ts";
import { type Context, rootFrame } from "./context.ts";
import { checkDataPipeline, signatureOf } from "./data-arguments.ts";
import type { DataKind } from "./data-signatures.ts";
import { positionOf } from "./diagnostics.ts";
import { type Environment, evaluate } from "./evaluate.ts";
import type { DataCall, DataPipeline, Setting } from "./training-plan.ts";
import type { CompileValue } from "./values.ts";

/** Reports a mistake at a place in the program. */
export type Fault = (span: Span, message: string, help?: string) => undefined;

/** The calls of a pipeline; undefined, with the mistake reported, where it is none. */
export function dataPipeline(
  c: Context,
  env: Environment,
  written: Expression,
  fault: Fault,
): DataPipeline | undefined {
  const stages: Expression[] = [];
  let at = written;
  for (; at.kind === "pipe"; at = at.input) stages.unshift(at.stage);
  stages.unshift(at);
  const calls: { call: DataCall; span: Span }[] = [];
  for (const [i, stage] of stages.entries()) {
    const [callee, given] = stage.kind === "call" ? [stage.callee, stage.arguments] : [stage, []];
    if (callee.kind !== "name")
      return fault(stage.span, "a data source or transform is expected here", 'for example csv("table.csv")');
    const { line, column } = positionOf(c.frame.file, stage.span.start);
    const positional: Setting[] = [];
    const named: Record<string, Setting> = {};
    const place = { file: c.frame.file.name, line, column };
    const call: DataCall = { name: callee.name, positional, named, place };
    for (const argument of given) {
      const kind = kindOfArgument(call, i === 0, argument);
      const setting = settingOf(c, env, argument.value, kind);
      if (setting === undefined) return fault(argument.span, "data takes numbers, strings and lists of them");
      if (argument.name) named[argument.name.name] = setting;
      else positional.push(setting);
    }
    calls.push({ call, span: stage.span });
  }
  const pipeline = calls.map(({ call }) => call);
  for (const problem of checkDataPipeline(pipeline))
    fault(calls.find(({ call }) => call === problem.call)?.span ?? written.span, problem.message, problem.help);
  return pipeline;
}

/** What the signature of a call wants at the place of an argument; undefined where it has no such argument. */
function kindOfArgument(call: DataCall, first: boolean, { name }: Argument): DataKind | undefined {
  const signature = signatureOf(call, first);
  if ("call" in signature) return undefined;
  const { parameters, columns } = signature;
  if (!name) return parameters.filter((parameter) => !parameter.named)[call.positional.length]?.kind;
  return parameters.find((parameter) => parameter.name === name.name)?.kind ?? columns?.kind;
}

/** Columns are written as names, shifts as `shifted(1)`; everything else is worked out as anywhere in a program. */
function settingOf(c: Context, env: Environment, written: Expression, kind: DataKind | undefined): Setting | undefined {
  const evaluated = (expression: Expression): Setting | undefined => {
    c.frame = { ...rootFrame(env.file.file), span: expression.span };
    return settingOfValue(evaluate(c, env, expression));
  };
  if (kind === "column" && written.kind === "name") return written.name;
  if (kind === "shift" && written.kind === "call" && written.callee.kind === "name") {
    const positional = written.arguments.map((argument) => (argument.name ? undefined : evaluated(argument.value)));
    const known = positional.filter((setting) => setting !== undefined);
    return known.length === positional.length ? { call: written.callee.name, positional: known } : undefined;
  }
  return evaluated(written);
}

function settingOfValue(value: CompileValue): Setting | undefined {
  switch (value.kind) {
    case "int":
    case "float":
      return typeof value.value === "number" ? value.value : undefined;
    case "string":
    case "bool":
      return value.value;
    case "list": {
      const settings = value.items.map(settingOfValue).filter((setting) => setting !== undefined);
      return settings.length === value.items.length ? settings : undefined;
    }
    default:
      return undefined;
  }
}
