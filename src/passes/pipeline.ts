// Pipelines of graph passes as data, with a text form: `canonicalize,fuse{limit=8},plan-memory`. The command line, the
// tests and the viewer share it. The IR is verified after each pass, and whoever observes sees the module after each.

import type { Module, Node } from "../ir/graph.ts";
import { VerifyError, verifyModule } from "../ir/verify.ts";
import { UserError } from "../util/user-error.ts";
import { graphPasses } from "./graph/index.ts";
import type { Event, Options, OptionValue, Pass } from "./pass.ts";

export type { Event } from "./pass.ts";

export interface PipelineStep {
  readonly pass: Pass;
  /** All options of the pass, defaults included. */
  readonly options: Options;
}

export type Pipeline = readonly PipelineStep[];

/** The module as it is after a pass. */
export interface Observation {
  readonly pass: string;
  /** The position of the pass in the pipeline, from 0; one pass may come twice. */
  readonly position: number;
  readonly module: Module;
}

export interface PipelineOptions {
  /** Where the passes put what they did. Without it nothing is recorded. */
  readonly events?: Event[];
  readonly observe?: (observation: Observation) => void;
  /** Whether to verify the IR before the first pass and after each. Default true. */
  readonly verify?: boolean;
}

const passes: ReadonlyMap<string, Pass> = new Map(graphPasses.map((pass) => [pass.name, pass]));

/** Reads the text form of a pipeline. Throws a UserError that names the pass or the option it does not know. */
export function parsePipeline(text: string): Pipeline {
  if (text.trim() === "") return [];
  return text.split(/,(?![^{]*\})/u).map((item) => {
    const [, name, settings] = item.trim().match(/^([\w-]+)(?:\{(.*)\})?$/su) ?? [];
    if (name === undefined) throw new UserError(`\`${item.trim()}\` is not a pass: write name or name{option=value}`);
    const pass = passes.get(name);
    if (!pass) throw new UserError(`there is no pass ${name}; the passes are ${[...passes.keys()].join(", ")}`);
    return { pass, options: readOptions(pass, settings ?? "") };
  });
}

function readOptions(pass: Pass, text: string): Options {
  const options: Record<string, OptionValue> = {};
  for (const [key, option] of Object.entries(pass.options)) options[key] = option.default;
  for (const setting of text.split(",").filter((part) => part.trim() !== "")) {
    const [key = "", value = ""] = setting.split("=").map((part) => part.trim());
    const option = Object.hasOwn(pass.options, key) ? pass.options[key] : undefined;
    if (!option) {
      const known = Object.keys(pass.options);
      const has = known.length === 0 ? "it has none" : `its options are ${known.join(", ")}`;
      throw new UserError(`${pass.name} has no option ${key}; ${has}`);
    }
    options[key] = readOption(pass, key, value, option.default);
  }
  return options;
}

function readOption(pass: Pass, key: string, value: string, like: OptionValue): OptionValue {
  if (typeof like === "string") return value;
  if (typeof like === "boolean" && (value === "true" || value === "false")) return value === "true";
  if (typeof like === "number" && value !== "" && Number.isFinite(Number(value))) return Number(value);
  throw new UserError(`${key} of ${pass.name} must be a ${typeof like}, not \`${value}\``);
}

/** The text form; options at their defaults are left out. */
export function formatPipeline(pipeline: Pipeline): string {
  return pipeline
    .map(({ pass, options }) => {
      const changed = Object.entries(options).filter(([key, value]) => pass.options[key]?.default !== value);
      const settings = changed.map(([key, value]) => `${key}=${value}`).join(",");
      return settings === "" ? pass.name : `${pass.name}{${settings}}`;
    })
    .join(",");
}

/** Takes a module through a pipeline. Throws a UserError where a pass comes before one that it needs. */
export function runPipeline(module: Module, pipeline: Pipeline, options: PipelineOptions = {}): Module {
  const { events, observe, verify = true } = options;
  const checked = new WeakSet<Node>();
  if (verify) verifyModule(module, checked);
  const ran = new Set<string>();
  let current = module;
  pipeline.forEach(({ pass, options: settings }, position) => {
    checkRequirements(pass, current, ran);
    current = pass.run(current, {
      options: settings,
      recording: events !== undefined,
      record: (event) => events?.push({ pass: pass.name, ...event }),
    });
    ran.add(pass.name);
    if (verify) verifyAfter(pass, current, checked);
    observe?.({ pass: pass.name, position, module: current });
  });
  return current;
}

function checkRequirements(pass: Pass, module: Module, ran: ReadonlySet<string>): void {
  for (const name of pass.requires) {
    const required = passes.get(name);
    if (!required) throw new UserError(`${pass.name} requires ${name}, which is no pass`);
    const satisfied = required.done ? required.done(module) : ran.has(name);
    if (!satisfied) throw new UserError(`${pass.name} requires ${name}: put ${name} before it in the pipeline`);
  }
}

function verifyAfter(pass: Pass, module: Module, checked: WeakSet<Node>): void {
  try {
    verifyModule(module, checked);
  } catch (error) {
    if (error instanceof VerifyError) throw new VerifyError(error.problems, `after the pass ${pass.name}`);
    throw error;
  }
}
