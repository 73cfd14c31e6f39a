// Checkpoints: all tensors of a run and its progress in one safetensors file, so that they can never disagree, and the
// identity of the run, so that it is only continued as itself.

import type { Tensors } from "../backends/backend.ts";
import type { DataPipeline, TrainingPlan } from "../dsl/training-plan.ts";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.ts";
import type { Tensor } from "../ir/dtype.ts";
import { UserError } from "../util/user-error.ts";
import { fingerprintData, fingerprintText } from "./fingerprint.ts";
import type { TrainOptions } from "./loop.ts";
import type { Progress } from "./progress.ts";
import type { Session } from "./session.ts";
import { globalShape } from "./weights.ts";

export interface Checkpoint {
  readonly progress: Progress;
  /** Parameters, states, optimizer states and totals of metrics. */
  readonly current: Tensors;
  /** Parameters and states at the best epoch, where early stopping watches. */
  readonly best?: Tensors;
  /** Parameters and states of the best fold. */
  readonly fold?: Tensors;
}

/** What must be equal for a run to be continued: for each thing, how it is called and its value as a text. */
export type Identity = Readonly<Record<string, string>>;

export function identityOf(
  session: Session,
  plan: TrainingPlan,
  { data, test, shuffle = true, program = "" }: Pick<TrainOptions, "data" | "test" | "shuffle" | "program">,
): Identity {
  const calls = (pipeline: DataPipeline) =>
    pipeline.map(({ name, positional, named }) => ({ name, positional, named }));
  const globals = session.globals.map((global) => [global.name, global.role, global.type.dtype, globalShape(global)]);
  return {
    model: plan.model,
    "parameters and states": fingerprintText(JSON.stringify(globals)),
    program: fingerprintText(program),
    seed: String(plan.seed),
    "batch size": String(plan.batch),
    shuffling: shuffle ? "on" : "off",
    validation: JSON.stringify(plan.validation ?? null),
    folds: JSON.stringify(plan.folds ?? null),
    "early stopping": JSON.stringify(plan.earlyStop ?? null),
    "data pipeline": JSON.stringify(calls(plan.data)),
    "number of rows": String(data.rows),
    "contents of the data": fingerprintData(data),
    "contents of the test data": test ? fingerprintData(test) : "",
  };
}

const kind = "dlm checkpoint 1";

const prefixed = (prefix: string, tensors: Tensors = {}): (readonly [string, Tensor])[] =>
  Object.entries(tensors).map(([name, tensor]) => [`${prefix}/${name}`, tensor]);

export function encodeCheckpoint({ progress, current, best, fold }: Checkpoint, identity: Identity): Uint8Array {
  const tensors = Object.fromEntries([
    ...prefixed("current", current),
    ...prefixed("best", best),
    ...prefixed("fold", fold),
  ]);
  return writeSafetensors(tensors, {
    kind,
    identity: JSON.stringify(identity),
    progress: JSON.stringify(progress),
  });
}

/** Reads a checkpoint of the run with this identity. Throws a UserError that says how it differs, or a FormatError. */
export function decodeCheckpoint(bytes: Uint8Array, file: string, identity: Identity): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const parsed = metadata.kind === kind ? parseMetadata(metadata) : undefined;
  if (!parsed) throw new UserError(`${file} is not a checkpoint of this program`, "start anew, without --resume");
  const { saved, progress } = parsed;
  const differences = Object.keys(identity).filter((name) => saved[name] !== identity[name]);
  if (differences.length > 0) {
    const list = differences.map((name) => difference(name, saved[name], identity[name]));
    const help = "resume with the settings of the first run, or start anew without --resume: old results are kept";
    throw new UserError(`${file} is of another training run: ${list.join("; ")}`, help);
  }
  const part = (prefix: string): Tensors =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
    );
  return {
    progress,
    current: part("current"),
    ...(progress.best ? { best: part("best") } : {}),
    ...(progress.bestFold ? { fold: part("fold") } : {}),
  };
}

/** What encodeCheckpoint of the same version wrote; undefined where that is no JSON. */
function parseMetadata(metadata: Readonly<Record<string, string>>) {
  try {
    const saved: Partial<Identity> = JSON.parse(metadata.identity ?? "");
    const progress: Progress = JSON.parse(metadata.progress ?? "");
    return { saved, progress };
  } catch {
    return undefined;
  }
}

function difference(name: string, saved: string | undefined, now: string | undefined): string {
  const readable = ["model", "seed", "batch size", "shuffling", "number of rows"].includes(name);
  return readable
    ? `the ${name} was ${saved}, now it is ${now}`
    : `the ${name} differ${/s$|^contents/.test(name) ? "" : "s"}`;
}
