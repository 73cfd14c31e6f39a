// `scan g in xw along 1 carry h, c { … yield h }`: the body is elaborated once, as if it stood in the graph around it; what it made
// is then taken out and becomes the body of one node, with everything that it used from outside as operands.

import { type Dim, equalDims, formatDim } from "../ir/dim.ts";
import { type Graph, type GraphInput, makeNode, type Node, type TensorType, type Value } from "../ir/graph.ts";
import type { Identifier, ScanExpression, Span } from "./ast.ts";
import { type Context, guarded, make, mistake, Poisoned } from "./context.ts";
import { type Environment, evaluate, wholeNumber } from "./evaluate.ts";
import { lookup, openScope, type Scope } from "./scope.ts";
import { runBody } from "./statements.ts";
import { asOperand, isNumeric } from "./tensors.ts";
import { type CompileValue, formatType, kindOf, none, tensor, tuple } from "./values.ts";

/** A value of the program that a name stands for in the scan. */
interface Named {
  readonly name: string;
  readonly span: Span;
  readonly value: Value;
}

interface Sequence extends Named {
  readonly axis: number;
}

export function evaluateScan(c: Context, env: Environment, expression: ScanExpression): CompileValue {
  const axis = wholeNumber(c, env, expression.axis);
  const sequences = expression.sources.map((source, i): Sequence => {
    const { name, span } = expression.names[i]!;
    return { name, span: source.span, ...sequenceOf(c, name, evaluate(c, env, source), axis, source.span, span) };
  });
  const length = lengthOf(c, sequences);
  const carries = expression.carry.map((name) => carryOf(c, env, name));

  const inner = openScope(env.scope);
  const inputs: GraphInput[] = [];
  const open = (name: string, type: TensorType): GraphInput => {
    if (inputs.some((input) => input.name === name))
      throw mistake(c, "name", `${name} stands for two things in this scan`, { help: "choose another name" });
    const input: GraphInput = { kind: "input", name, type };
    inputs.push(input);
    c.graph.members.add(input);
    inner.names.set(name, tensor(input));
    return input;
  };
  c.frame.span = expression.span;
  for (const { name, value, axis: along } of sequences) open(name, withoutAxis(value.type, along));
  for (const { name, value } of carries) open(name, value.type);

  const start = c.graph.nodes.length;
  const states = new Map(c.graph.current);
  const outside = snapshot(env.scope);
  const yields: CompileValue[] = [];
  runBody(c, { ...env, scope: inner, yields }, expression.body);
  c.frame.span = expression.span;
  refuseChanges(c, env.scope, outside, states);
  const next = carries.map((carry) => nextOf(c, inner, carry));
  const given = yields.flatMap((value) => tensorsIn(c, value, expression.span));
  const made = c.graph.nodes.splice(start);
  const { body, shared } = closeBody(inputs, made, [...next, ...given]);
  refuseGradientsAround(c, made, shared);

  const operands = [...sequences.map((sequence) => sequence.value), ...carries.map((carry) => carry.value), ...shared];
  const attributes = {
    axes: sequences.map((sequence) => sequence.axis),
    carries: carries.length,
    length,
    reversed: expression.reversed,
    recompute: expression.recompute,
  };
  const results = guarded(c, operands, () => c.emit.node("scan", operands, attributes, body));
  carries.forEach(({ name }, i) => {
    rebind(env.scope, name, tensor(results[i]!));
  });
  const stacks = results.slice(carries.length).map((stack) => moveSteps(c, stack, axis));
  let at = 0;
  const shapeLike = (value: CompileValue): CompileValue =>
    value.kind === "list" ? tuple(value.items.map(shapeLike)) : tensor(stacks[at++]!);
  const values = yields.map(shapeLike);
  return values.length === 0 ? none : values.length === 1 ? values[0]! : tuple(values);
}

const withoutAxis = ({ dtype, shape }: TensorType, axis: number): TensorType => ({
  dtype,
  shape: shape.filter((_, at) => at !== axis),
});

function sequenceOf(
  c: Context,
  name: string,
  source: CompileValue,
  axis: number,
  span: Span,
  nameSpan: Span,
): { readonly value: Value; readonly axis: number } {
  c.frame.span = span;
  if (source.kind !== "tensor")
    throw mistake(c, "type", `a scan walks along an axis of a tensor, and ${name} would come from ${kindOf(source)}`, {
      help: source.kind === "int" ? "`for i in 0..n` counts, at compile time" : undefined,
    });
  const { shape } = source.value.type;
  const along = axis < 0 ? axis + shape.length : axis;
  if (along >= 0 && along < shape.length) return { value: source.value, axis: along };
  throw mistake(c, "shape", `${formatType(source.value.type)} has no axis ${axis} that ${name} could walk along`, {
    help: shape.length === 0 ? "a scalar has no steps" : `its axes are 0 to ${shape.length - 1}; time is often axis 1`,
    place: { file: c.frame.file, span: shape.length === 0 ? nameSpan : span },
  });
}

/** The number of steps, on which all sequences agree. */
function lengthOf(c: Context, sequences: readonly Sequence[]): Dim {
  const [first, ...others] = sequences.map(({ value, axis }) => value.type.shape[axis]!);
  others.forEach((length, i) => {
    if (equalDims(length, first!)) return;
    const [a, b] = [sequences[0]!, sequences[i + 1]!];
    c.frame.span = b.span;
    throw mistake(
      c,
      "shape",
      `a scan walks its sequences in step: ${a.name} has ${formatDim(first!)} steps, ${b.name} ${formatDim(length)}`,
      {
        label: formatType(b.value.type),
      },
    );
  });
  return first!;
}

function carryOf(c: Context, env: Environment, { name, span }: Identifier): Named {
  c.frame.span = span;
  const value = lookup(env.scope, name);
  if (!value)
    throw mistake(c, "name", `there is no ${name} that this scan could carry`, {
      help: `give it its first value before the scan: ${name} = zeros([…])`,
    });
  if (!isNumeric(value)) throw mistake(c, "type", `a scan carries tensors, and ${name} is ${kindOf(value)}`);
  return { name, span, value: asOperand(c, value, undefined) };
}

/** What a carried name stands for after the step; of the type that it began with. */
function nextOf(c: Context, scope: Scope, { name, span, value }: Named): Value {
  c.frame.span = span;
  const bound = scope.names.get(name)!;
  if (bound.kind === "poison") throw new Poisoned();
  if (!isNumeric(bound)) throw mistake(c, "type", `a scan carries tensors, and ${name} becomes ${kindOf(bound)}`);
  const next = asOperand(c, bound, value.type.dtype);
  const [before, after] = [formatType(value.type), formatType(next.type)];
  if (before === after) return next;
  throw mistake(c, "shape", `${name} is ${before} before the scan, and ${after} after a step`, {
    label: "what is carried keeps its type",
    help:
      value.type.dtype === next.type.dtype
        ? `begin with the shape of a step: ${name} = zeros([${next.type.shape.map(formatDim).join(", ")}])`
        : `convert it: cast(${name}, ${value.type.dtype})`,
  });
}

function tensorsIn(c: Context, value: CompileValue, span: Span): readonly Value[] {
  if (value.kind === "list") return value.items.flatMap((item) => tensorsIn(c, item, span));
  if (value.kind === "poison") throw new Poisoned();
  if (isNumeric(value)) return [asOperand(c, value, undefined)];
  c.frame.span = span;
  throw mistake(c, "type", `a scan yields tensors, not ${kindOf(value)}`);
}

/** Steps are stacked along the first axis; here they go to the axis that was walked. */
function moveSteps(c: Context, stack: Value, axis: number): Value {
  const rank = stack.type.shape.length;
  const to = Math.min(axis < 0 ? axis + rank : axis, rank - 1);
  if (to <= 0) return stack;
  const others = Array.from({ length: rank - 1 }, (_, i) => i + 1);
  return make(c, "transpose", [stack], { permutation: [...others.slice(0, to), 0, ...others.slice(to)] });
}

type Bindings = ReadonlyMap<Scope, ReadonlyMap<string, CompileValue>>;

function snapshot(scope: Scope): Bindings {
  const found = new Map<Scope, ReadonlyMap<string, CompileValue>>();
  for (let at: Scope | undefined = scope; at; at = at.parent) found.set(at, new Map(at.names));
  return found;
}

/** What steps change they have to carry: names of the program and states alike. */
function refuseChanges(c: Context, scope: Scope, before: Bindings, states: ReadonlyMap<string, Value>): void {
  for (const [name, value] of c.graph.current) {
    // In `init` parameters get their first values here.
    if (states.get(name) === value || c.graph.mode !== "run") continue;
    for (const [old, was] of states) c.graph.current.set(old, was);
    throw mistake(c, "type", `this scan updates the state ${name} at every step`, {
      help: "carry a name through the scan, and update the state after it",
    });
  }
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const known = before.get(at)!;
    for (const [name, value] of at.names) {
      if (known.get(name) === value) continue;
      for (const [old, was] of known) at.names.set(old, was);
      throw mistake(c, "type", `this scan changes ${name}, which it does not carry`, {
        help: `carry it: carry ${name}`,
      });
    }
  }
}

/** Rebinds a carried name where it is bound. */
function rebind(scope: Scope, name: string, value: CompileValue): void {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    if (!at.names.has(name)) continue;
    at.names.set(name, value);
    return;
  }
}

/** The nodes as a graph of their own; what they use from outside becomes further inputs. */
function closeBody(
  opened: readonly GraphInput[],
  made: readonly Node[],
  results: readonly Value[],
): { readonly body: Graph; readonly shared: readonly Value[] } {
  const inputs = [...opened];
  const shared: Value[] = [];
  const own = new Map<Value, Value>(opened.map((input) => [input, input]));
  const outer = new Map<string | Value, GraphInput>();
  const within = (value: Value): Value => {
    if (value.kind === "literal") return value;
    const known = own.get(value);
    if (known) return known;
    const key = value.kind === "result" ? value : `${value.kind} ${value.name}`;
    const present = outer.get(key);
    if (present) return present;
    const input: GraphInput = { kind: "input", name: freshName(nameOf(value), inputs), type: value.type };
    outer.set(key, input);
    inputs.push(input);
    shared.push(value);
    return input;
  };
  const nodes = made.map((node) => {
    const types = node.results.map((result) => result.type);
    const copy = makeNode(node.op, node.inputs.map(within), node.attributes, types, node.location, node.body);
    node.results.forEach((result, i) => {
      own.set(result, copy.results[i]!);
    });
    return copy;
  });
  const outputs = results.map((value, i) => ({ name: `y${i}`, value: within(value) }));
  return { body: { name: "body", inputs, nodes, outputs, updates: [] }, shared };
}

const nameOf = (value: Exclude<Value, { kind: "literal" }>): string =>
  value.kind === "result" ? value.node.op : value.name.split(".").at(-1)!;

function freshName(stem: string, taken: readonly GraphInput[]): string {
  let name = stem;
  for (let i = 1; taken.some((input) => input.name === name); i++) name = `${stem}_${i}`;
  return name;
}

/** A gradient in the body sees the body alone: a way around it, through something else from outside, would be lost. */
function refuseGradientsAround(c: Context, made: readonly Node[], shared: readonly Value[]): void {
  for (const node of made) {
    if (node.op !== "gradient") continue;
    for (const target of node.inputs.slice(1)) {
      const around = shared.find((value) => value !== target && dependsOn(value, target));
      if (!around) continue;
      throw mistake(c, "type", "this gradient would miss what was computed from its target before the scan", {
        help: "compute it in the scan, or take the gradient after the scan",
      });
    }
  }
}

function dependsOn(value: Value, target: Value): boolean {
  const same = (a: Value): boolean =>
    a === target || (a.kind !== "result" && a.kind !== "literal" && a.kind === target.kind && a.name === target.name);
  const seen = new Set<Value>();
  const open: Value[] = [value];
  for (let at = open.pop(); at; at = open.pop()) {
    if (same(at)) return true;
    if (seen.has(at) || at.kind !== "result") continue;
    seen.add(at);
    open.push(...at.node.inputs);
  }
  return false;
}
