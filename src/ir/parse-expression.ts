// Reads expressions over the operations, `add(multiply(%x: f32[N, 3], 2), %x)`: the form in which rewrite rules show
// what they match and what they leave. Types of results are inferred.

import { createGraphBuilder, type Operand } from "./emit.ts";
import type { Graph, GraphInput, TensorType, Value } from "./graph.ts";
import { InferenceError } from "./op.ts";
import { type Pending, readAttributes, readOperands, readOperation, readValue, type Scope } from "./parse-value.ts";
import { createScanner, readList, readName, readType, type Scanner } from "./scan.ts";

/** What an input is that shows no type of its own. */
const plainType: TensorType = { dtype: "f32", shape: [2, 3] };

/**
 * The graph whose outputs are the given expression, or several with `;` between them. An input shows its type where it
 * is named first, or is one of `inputs`, or is f32[2, 3]. Throws an IrSyntaxError.
 */
export function parseExpression(text: string, inputs: readonly GraphInput[] = []): Graph {
  const scanner = createScanner(text);
  const builder = createGraphBuilder("expression");
  const scope: Scope = { globals: new Map(), inputs: new Map(), results: new Map(), read: new Map() };
  for (const { name, type } of inputs) scope.inputs.set(name, builder.input(name, type));

  function readInput(): Value {
    const name = readName(scanner, "a name");
    const present = scope.inputs.get(name);
    if (present) return present;
    const made = builder.input(name, scanner.take(":") ? readType(scanner) : plainType);
    scope.inputs.set(name, made);
    return made;
  }

  function readExpression(): Pending {
    if (scanner.take("%")) {
      const value = readInput();
      return () => value;
    }
    return startsWord(scanner) ? readCall() : readValue(scanner, scope);
  }

  function readCall(): Pending {
    const start = scanner.position();
    const definition = readOperation(scanner);
    const operands: Operand[] = readOperands(readList(scanner, readExpression, "(", ")"));
    const attributes = readAttributes(scanner, definition);
    try {
      const value = builder.emit.value(definition.name, operands, attributes);
      return () => value;
    } catch (error) {
      throw error instanceof InferenceError ? scanner.error(error.message, start) : error;
    }
  }

  const outputs: Value[] = [];
  do outputs.push(readExpression()("f32"));
  while (scanner.take(";"));
  if (!scanner.atEnd()) throw scanner.error("expected the end of the expression");
  return builder.build(outputs.map((value, i) => ({ name: outputs.length === 1 ? "result" : `result${i}`, value })));
}

/** Whether an operation's name comes next, rather than a value. */
const startsWord = (scanner: Scanner): boolean =>
  !scanner.sees("inf") && !scanner.sees("nan") && /^[a-z]$/.test(scanner.peek());
