// Binds the arguments of a call in a data pipeline to the parameters of its signature. The elaborator reports the problems
// at compile time, and the loader of data takes the values.

import { closest } from "../util/text.ts";
import {
  type DataKind,
  type DataSignature,
  dataSources,
  dataTransforms,
  formatDataSignature,
  isDataSource,
  isDataTransform,
} from "./data-signatures.ts";
import type { DataCall, DataPipeline, Setting } from "./training-plan.ts";

export interface BoundData {
  /** By the parameters' names. */
  readonly values: Readonly<Record<string, Setting>>;
  /** The further named arguments, by column. */
  readonly columns: Readonly<Record<string, Setting>>;
}

export interface DataProblem {
  readonly call: DataCall;
  readonly message: string;
  readonly help: string;
}

const expected: Readonly<Record<DataKind, string>> = {
  text: "a text",
  column: "the name of a column",
  count: "a whole number, 0 or more",
  size: "a whole number, 1 or more",
  sizes: "a whole number, or two in a list,",
  seed: "a whole number",
  number: "a number, 0 or more",
  share: "a share from 0% to 100%",
  lists: "nested lists of numbers",
  shift: "shifted(1), or another whole number,",
};

function fits(kind: DataKind, value: Setting): boolean {
  switch (kind) {
    case "text":
    case "column":
      return typeof value === "string";
    case "count":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    case "size":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
    case "sizes":
      return fits("size", value) || (Array.isArray(value) && value.length === 2 && value.every((v) => fits("size", v)));
    case "seed":
      return typeof value === "number" && Number.isSafeInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value) && value >= 0;
    case "share":
      return typeof value === "number" && value >= 0 && value <= 1;
    case "lists":
      return Array.isArray(value);
    case "shift": {
      if (typeof value !== "object" || !("call" in value) || value.call !== "shifted") return false;
      const [by, ...more] = value.positional;
      return more.length === 0 && by !== undefined && fits("count", by);
    }
  }
}

/** The arguments of a call by name, or the first thing that is wrong with them. */
export function bindDataCall(call: DataCall, signature: DataSignature): BoundData | DataProblem {
  const { parameters, columns } = signature;
  const help = `it is written ${formatDataSignature(call.name, signature)}`;
  const problem = (message: string, other = help): DataProblem => ({
    call,
    message: `${call.name} ${message}`,
    help: other,
  });
  const values: Record<string, Setting> = {};
  const taken: Record<string, Setting> = {};
  const places = parameters.filter((p) => !p.named);
  for (const [i, value] of call.positional.entries()) {
    const parameter = places[i];
    if (!parameter) return problem(`takes ${places.length || "no"} arguments by place, not ${call.positional.length}`);
    values[parameter.name] = value;
  }
  for (const [name, value] of Object.entries(call.named)) {
    const known = parameters.some((p) => p.name === name);
    if (Object.hasOwn(values, name)) return problem(`has the argument ${name} twice`);
    if (!known && !columns) {
      const near = closest(
        name,
        parameters.map((p) => p.name),
      );
      return problem(`has no argument ${name}`, near ? `did you mean ${near}?` : help);
    }
    (known ? values : taken)[name] = value;
  }
  for (const { name, kind, optional, choices } of parameters) {
    const value = values[name];
    if (value === undefined && !optional) return problem(`misses its argument ${name}`);
    if (value !== undefined && !fits(kind, value)) return problem(`wants ${expected[kind]} for ${name}`);
    if (value !== undefined && choices && !choices.some((choice) => choice === value))
      return problem(`wants ${choices.map((choice) => `"${choice}"`).join(" or ")} for ${name}`);
  }
  for (const [name, value] of Object.entries(taken)) {
    if (columns && !fits(columns.kind, value)) return problem(`wants ${expected[columns.kind]} for ${name}`);
  }
  if (columns && parameters.length === 0 && Object.keys(taken).length === 0) return problem("misses its columns");
  return { values, columns: taken };
}

export const isDataProblem = (bound: BoundData | DataProblem): bound is DataProblem => "message" in bound;

/** The signature of a call by its place: sources come first, transforms after. Or what is wrong with its name. */
export function signatureOf(call: DataCall, first: boolean): DataSignature | DataProblem {
  const { name } = call;
  if (first && isDataSource(name)) return dataSources[name];
  if (!first && isDataTransform(name)) return dataTransforms[name];
  const known = Object.keys(first ? dataSources : dataTransforms);
  const kind = first ? "data source" : "data transform";
  const near = closest(name, known);
  const list = `the ${kind}s are ${known.join(", ")}`;
  const help = near ? `did you mean ${near}? ${list}` : list;
  if (first && isDataTransform(name)) {
    return { call, message: `${name} is a transform; a pipeline begins with a source`, help };
  }
  if (!first && isDataSource(name)) {
    return { call, message: `${name} is a source, and can only begin a pipeline`, help };
  }
  return { call, message: `there is no ${kind} named ${name}`, help };
}

/** Everything that is wrong with the calls of a pipeline, as far as it can be seen without the data. */
export function checkDataPipeline(pipeline: DataPipeline): DataProblem[] {
  return pipeline.flatMap((call, i) => {
    const signature = signatureOf(call, i === 0);
    if ("call" in signature) return [signature];
    const bound = bindDataCall(call, signature);
    return isDataProblem(bound) ? [bound] : [];
  });
}
