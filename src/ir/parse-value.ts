// Operands and attributes in IR text: what graphs (`parse.ts`) and the examples of rewrite rules
// (`parse-expression.ts`) share.

import { type Attribute, type AttributeKind, type Attributes, attribute } from "./attributes.ts";
import { type DType, isDType } from "./dtype.ts";
import { type GlobalValue, type GraphInput, literal, type TensorType, type Value } from "./graph.ts";
import type { Operation } from "./op.ts";
import { operation } from "./ops/index.ts";
import { literalType } from "./print.ts";
import { readDim, readList, readName, readNumber, readText, readWord, type Scanner } from "./scan.ts";

/** Types of the parameters and states that a graph may read. */
export type Globals = ReadonlyMap<string, { readonly type: TensorType }>;

/** What names stand for inside one graph. */
export interface Scope {
  readonly globals: Globals;
  readonly inputs: Map<string, GraphInput>;
  readonly results: Map<string, Value>;
  readonly read: Map<string, GlobalValue>;
}

export function readOperation(scanner: Scanner): Operation {
  const start = scanner.position();
  const op = readWord(scanner);
  const definition = op === undefined ? undefined : operation(op);
  if (!definition)
    throw scanner.error(op === undefined ? "expected an operation" : `there is no operation ${op}`, start);
  return definition;
}

/** A value that is known up to the element type a literal takes from its partners. */
export type Pending = (dtype: DType) => Value;

export function readOperands(pending: readonly Pending[]): Value[] {
  const dtype = literalType(pending.map((value) => value("f32")));
  return pending.map((value) => value(dtype));
}

export function readValue(scanner: Scanner, scope: Scope): Pending {
  const start = scanner.position();
  if (scanner.take("@")) {
    const value = readGlobalValue(scanner, scope, start);
    return () => value;
  }
  if (scanner.take("%")) {
    const number = scanner.match(/\d+/uy);
    const name = number ?? readName(scanner, "a name");
    const value = number === undefined ? scope.inputs.get(name) : scope.results.get(name);
    if (!value) throw scanner.error(`%${name} is used before it is defined`, start);
    return () => value;
  }
  const number = readNumber(scanner);
  if (number === undefined) throw scanner.error("expected a value");
  if (!scanner.take(":")) return (dtype) => literal(number, dtype);
  const word = readWord(scanner);
  if (word === undefined || !isDType(word)) throw scanner.error("expected an element type", start);
  const value = literal(number, word);
  return () => value;
}

function readGlobalValue(scanner: Scanner, scope: Scope, start: number): GlobalValue {
  const name = readName(scanner, "a name");
  const present = scope.read.get(name);
  if (present) return present;
  const global = scope.globals.get(name);
  if (!global) throw scanner.error(`@${name} is not declared`, start);
  const value: GlobalValue = { kind: "global", name, type: global.type };
  scope.read.set(name, value);
  return value;
}

/** `{kind: sum, axes: [0]}`, read as the operation's schema says. */
export function readAttributes(scanner: Scanner, { name, schema }: Operation): Attributes {
  const attributes: Record<string, Attribute> = {};
  if (!scanner.sees("{")) return attributes;
  readList(
    scanner,
    () => {
      const start = scanner.position();
      const key = readWord(scanner) ?? "";
      const kind = schema[key];
      if (!kind) throw scanner.error(`${name} has no attribute ${key}`, start);
      scanner.expect(":");
      const value = readAttribute(scanner, kind);
      if (!kind.is(value)) throw scanner.error(`${key} must be ${kind.expected}`, start);
      attributes[key] = value;
    },
    "{",
    "}",
  );
  return attributes;
}

function readAttribute(scanner: Scanner, kind: AttributeKind): Attribute {
  if (scanner.sees("[")) return readList(scanner, () => readAttribute(scanner, kind));
  if (kind === attribute.dim || kind === attribute.dims || kind === attribute.dimLists) return readDim(scanner);
  const value = readNumber(scanner) ?? readText(scanner) ?? readWord(scanner);
  if (value === undefined) throw scanner.error(`expected ${kind.expected}`);
  if (kind === attribute.bool && (value === "true" || value === "false")) return value === "true";
  return value;
}
