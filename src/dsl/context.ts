// The state of an elaboration: the graph under construction, the chain of calls that led to the present place, the globals
// declared so far, and the mistakes found. Everything that evaluates the language receives it.

import type { Attributes } from "../ir/attributes.ts";
import { createEmit, type Emit, type Operand } from "../ir/emit.ts";
import type { Global, TensorType, Value } from "../ir/graph.ts";
import type { Location } from "../ir/location.ts";
import { InferenceError } from "../ir/op.ts";
import type { SourceFile, Span } from "./ast.ts";
import { type Diagnostic, type DiagnosticCode, type DiagnosticDetails, errorAt, positionOf } from "./diagnostics.ts";
import { createGraphState, type GraphState } from "./graph-state.ts";
import { type Callee, calleeName, formatType, type Place } from "./values.ts";

/** Thrown where a mistake ends the evaluation of an expression; the statement around it records and goes on. */
export class Mistake extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}

/** Thrown where a program takes more than it may: nothing of it is looked at any further. */
class Exhausted extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}

/** Thrown where an expression uses a value that a mistake, already reported, left behind. */
export class Poisoned extends Error {}

export interface Frame {
  readonly file: SourceFile;
  /** Code of the standard library: what it makes is placed at the call in the user's program. */
  readonly library: boolean;
  readonly callee?: Callee;
  /** Before the names of globals declared here: `encoder.dense`. */
  readonly path: readonly string[];
  /** After them: the parameter that an optimizer's state belongs to. */
  readonly suffix?: string;
  /** States declared here are those of the optimizer, not of the model. */
  readonly optimizing?: true;
  /** The chain of blocks, for locations. */
  readonly scope: readonly string[];
  /** Which model the frame belongs to, and how much of `path` names it. */
  readonly owner?: { readonly model: string; readonly depth: number };
  /** A model called once more: its globals exist already. */
  readonly shared: boolean;
  readonly instances: Map<string, number>;
  /** States declared in this body, by their local names. */
  readonly states: Map<string, { readonly name: string; readonly type: TensorType }>;
  /** The metric whose body this is. */
  readonly metric?: string;
  readonly parent?: Frame;
  /** The expression being evaluated. */
  span: Span;
}

export interface Context {
  graph: GraphState;
  frame: Frame;
  readonly init: GraphState;
  readonly globals: Map<string, Global>;
  readonly diagnostics: Diagnostic[];
  /** Makes nodes in the present graph at the present place. */
  readonly emit: Emit;
  /** Models called so far in each graph: their parameters exist. */
  readonly called: WeakMap<GraphState, Set<string>>;
  /** Statements and calls so far; a bound keeps broken programs from running for ever. */
  steps: number;
}

export function createContext(file: SourceFile): Context {
  const init = createGraphState("init", "init", false);
  const frame = rootFrame(file);
  const emit: Emit = createEmit(
    (node) => {
      context.graph.nodes.push(node);
      for (const result of node.results) {
        checkSize(context, "this", result.type);
        context.graph.members.add(result);
      }
    },
    () => locationOf(context),
  );
  const context: Context = {
    graph: init,
    frame,
    init,
    globals: new Map(),
    diagnostics: [],
    emit,
    called: new WeakMap(),
    steps: 0,
  };
  return context;
}

export const rootFrame = (file: SourceFile): Frame => ({
  file,
  library: false,
  path: [],
  scope: [],
  shared: false,
  instances: new Map(),
  states: new Map(),
  span: { start: 0, end: 0 },
});

/** The innermost frame that is not the library's. */
export function userFrame(frame: Frame): Frame {
  let at = frame;
  while (at.library && at.parent) at = at.parent;
  return at;
}

/** Where the present expression stands, for what is made of it. */
export function locationOf(c: Context): Location {
  const { file, span } = userFrame(c.frame);
  return { file: file.name, ...positionOf(file, span.start), scope: c.frame.scope.join("/") };
}

/** Where the present expression stands, in the user's program. */
export const here = (c: Context): Place => {
  const { file, span } = userFrame(c.frame);
  return { file, span };
};

/**
 * A mistake at `place`, or at the present expression. A place inside the library is moved to the user's call, and the line in the
 * library becomes a note.
 */
export function mistake(
  c: Context,
  code: DiagnosticCode,
  message: string,
  details: DiagnosticDetails & { readonly place?: Place | undefined } = {},
): Mistake {
  const { place, ...rest } = details;
  const at = place ?? { file: c.frame.file, span: c.frame.span };
  if (!c.frame.library || at.file !== c.frame.file) return new Mistake(errorAt(at.file, at.span, code, message, rest));
  const user = here(c);
  const name = c.frame.callee ? calleeName(c.frame.callee) : "the library";
  const note = { file: at.file, span: at.span, label: rest.label || `in ${name}` };
  return new Mistake(
    errorAt(user.file, user.span, code, message, { ...rest, label: "", notes: [note, ...(rest.notes ?? [])] }),
  );
}

/** Adds a diagnostic unless the same one was found before (a body is elaborated once for each graph). */
export function report(c: Context, diagnostic: Diagnostic): void {
  const same = (d: Diagnostic) =>
    d.file === diagnostic.file && d.span.start === diagnostic.span.start && d.message === diagnostic.message;
  if (!c.diagnostics.some(same)) c.diagnostics.push(diagnostic);
}

/** Runs `work`; a mistake in it is recorded, and undefined is the result. Other exceptions pass through. */
export function attempt<T>(c: Context, work: () => T): T | undefined {
  const { frame, graph } = c;
  try {
    return work();
  } catch (error) {
    c.frame = frame;
    c.graph = graph;
    if (error instanceof Poisoned) return undefined;
    if (error instanceof Mistake) {
      report(c, error.diagnostic);
      return undefined;
    }
    throw error;
  }
}

/** The same for the whole program: where it is exhausted, or nested too deeply for us, that is recorded too. */
export function attemptAll<T>(c: Context, work: () => T): T | undefined {
  try {
    return attempt(c, work);
  } catch (error) {
    if (error instanceof Exhausted) report(c, error.diagnostic);
    else if (error instanceof RangeError && /call stack/i.test(error.message))
      report(c, mistake(c, "limit", "this is nested too deeply").diagnostic);
    else throw error;
    return undefined;
  }
}

/** Statements, calls and rounds of loops, over all graphs of a program. */
export const mostSteps = 100_000;
const mostNodes = 100_000;

/** Counts a statement, a call or a round of a loop; a program that takes too many is refused. */
export function step(c: Context): void {
  c.steps++;
  const help = "loops and blocks are unrolled at compile time: make fewer rounds, or use one larger tensor";
  if (c.steps > mostSteps)
    throw new Exhausted(
      mistake(c, "limit", `the program takes more than ${mostSteps} steps to unroll`, { help }).diagnostic,
    );
  if (c.graph.nodes.length > mostNodes)
    throw new Exhausted(mistake(c, "limit", `the graph has more than ${mostNodes} nodes`, { help }).diagnostic);
}

// Indices are 32-bit integers in generated code.
const mostElements = 2 ** 31 - 1;

/** Refuses tensors that no memory holds; free sizes count as 1. */
export function checkSize(c: Context, what: string, { dtype, shape }: TensorType): void {
  const elements = shape.reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 1), 1);
  if (elements > mostElements)
    throw mistake(c, "limit", `${what} would be ${formatType({ dtype, shape })}, which is too large`, {
      label: `${elements.toPrecision(3)} elements; a tensor has at most ${mostElements}`,
    });
}

/** Makes a node with one result; what the operation cannot take becomes a mistake at the present place. */
export function make(c: Context, op: string, inputs: readonly Operand[], attributes: Attributes = {}): Value {
  return guarded(c, inputs, () => c.emit.value(op, inputs, attributes));
}

/** The same for any work that emits nodes. */
export function guarded<T>(c: Context, operands: readonly Operand[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    const culprit = error.operand === undefined ? undefined : operands[error.operand];
    const label = culprit === undefined || typeof culprit === "number" ? undefined : formatType(culprit.type);
    throw mistake(c, "shape", inReadersWords(c, error.message), label ? { label } : {});
  }
}

/** In the library, `reduce_window: a window of 9 …` is said of the block that was called: `max_pool2d: a window of 9 …`. */
function inReadersWords(c: Context, message: string): string {
  const { library, callee } = c.frame;
  return library && callee ? message.replace(/^[a-z_]+: /, `${calleeName(callee)}: `) : message;
}
