// Runs the statements of a body: binds names, declares parameters and states, unrolls loops. After a mistake the names that
// a statement would have bound are poisoned, and the next statement goes on.

import type { AssertStatement, Body, ForStatement, Identifier, IfStatement, Statement } from "./ast.ts";
import { attempt, type Context, locationOf, mistake, mostSteps, Poisoned, step } from "./context.ts";
import { condition, type Environment, evaluate, evaluateTemplate, wholeNumber } from "./evaluate.ts";
import { mostItems } from "./functions/meta.ts";
import { declareParameter, declareState, declareTotal, updateState } from "./globals.ts";
import { addRequirement } from "./graph-state.ts";
import { assignIndexed } from "./notation/evaluate.ts";
import { assign, openScope } from "./scope.ts";
import { type CompileValue, describe, int, kindOf, none, poison } from "./values.ts";

/** Runs a body; its value is that of its last statement: an expression, or an `if` that ends in one. */
export function runBody(c: Context, env: Environment, body: Body): CompileValue {
  let last: CompileValue = none;
  for (const [i, statement] of body.statements.entries()) {
    // What a metric's totals come to is asked for at the end of an epoch only.
    const closing = i === body.statements.length - 1 && statement.kind === "expression";
    if (closing && c.frame.metric !== undefined && c.graph.mode === "run") return none;
    // In the library, the first mistake ends the block: the rest would only repeat it.
    if (c.frame.library) last = runStatement(c, env, statement);
    else {
      const value = attempt(c, () => runStatement(c, env, statement));
      if (value === undefined) for (const name of boundBy(statement)) assign(env.scope, name.name, poison);
      last = value ?? poison;
    }
  }
  return last;
}

function boundBy(statement: Statement): readonly Identifier[] {
  switch (statement.kind) {
    case "assign":
      return statement.names;
    case "param":
    case "state":
    case "total":
    case "update":
    case "indexed-assign":
      return [statement.name];
    case "if":
      return statement.branches.flatMap((branch) => branch.body.statements.flatMap(boundBy));
    case "for":
    case "repeat":
      return statement.body.statements.flatMap(boundBy);
    case "expression": {
      const { value } = statement;
      return value.kind === "pipe" && value.as ? [value.as] : [];
    }
    case "assert":
    case "yield":
      return [];
  }
}

function runStatement(c: Context, env: Environment, statement: Statement): CompileValue {
  step(c);
  c.frame.span = statement.span;
  switch (statement.kind) {
    case "expression":
      return evaluate(c, env, statement.value);
    case "assign":
      assignNames(c, env, statement.names, evaluate(c, env, statement.value));
      return none;
    case "param":
      declareParameter(c, env, statement);
      return none;
    case "state":
      declareState(c, env, statement);
      return none;
    case "update":
      updateState(c, env, statement);
      return none;
    case "total":
      declareTotal(c, env, statement);
      return none;
    case "if":
      return runIf(c, env, statement);
    case "for":
      return runFor(c, env, statement);
    case "repeat": {
      const count = wholeNumber(c, env, statement.count);
      c.frame.span = statement.count.span;
      if (count > mostSteps) throw mistake(c, "limit", `a loop of ${count} rounds is too long to unroll`);
      for (let i = 0; i < count; i++) {
        step(c);
        runScope(c, env, statement.body);
      }
      return none;
    }
    case "assert":
      runAssert(c, env, statement);
      return none;
    case "indexed-assign":
      assignIndexed(c, env, statement);
      return none;
    case "yield":
      if (!env.yields)
        throw mistake(c, "syntax", "yield belongs into a scan", {
          help: "the value of a block is its last expression, without a word before it",
        });
      env.yields.push(evaluate(c, env, statement.value));
      return none;
  }
}

/** What cannot be decided yet is left to whoever runs the graph, as soon as the sizes are known. */
function runAssert(c: Context, env: Environment, { condition: asserted, message }: AssertStatement): void {
  const holds = condition(c, env, asserted);
  if (holds === true) return;
  const text = message ? evaluateTemplate(c, env, message) : "this condition does not hold";
  c.frame.span = asserted.span;
  if (!holds) throw mistake(c, "assertion", text, { label: message ? "this does not hold" : "" });
  // Other graphs know tensors of the model by their types only.
  if (c.graph.mode !== "run") return;
  const { file, line, column } = locationOf(c);
  for (const anyOf of holds.clauses) addRequirement(c.graph, { anyOf, text: `${file}:${line}:${column}: ${text}` });
}

function assignNames(c: Context, env: Environment, names: readonly Identifier[], value: CompileValue): void {
  const [only, ...more] = names;
  if (only && more.length === 0) {
    if (value.kind === "none")
      throw mistake(c, "type", `${only.name} gets no value: the right side gives none`, {
        help: "the value of a block is its last expression, that of a scan what it yields; end it with one",
      });
    if (value.kind === "list" && value.weight > mostItems)
      throw mistake(c, "limit", `${only.name} would be a list of more than ${mostItems} values`);
    assign(env.scope, only.name, value);
    return;
  }
  if (value.kind === "poison") throw new Poisoned();
  if (value.kind !== "list")
    throw mistake(c, "type", `${names.length} names take a tuple apart, and this is ${kindOf(value)}`);
  if (value.items.length !== names.length)
    throw mistake(c, "type", `${names.length} names for ${value.items.length} values`);
  names.forEach(({ name }, i) => {
    assign(env.scope, name, value.items[i]!);
  });
}

const runScope = (c: Context, env: Environment, body: Body): CompileValue =>
  runBody(c, { ...env, scope: openScope(env.scope) }, body);

function runIf(c: Context, env: Environment, statement: IfStatement): CompileValue {
  for (const branch of statement.branches) {
    const chosen = condition(c, env, branch.condition);
    if (typeof chosen !== "boolean") {
      c.frame.span = branch.condition.span;
      throw mistake(
        c,
        "type",
        "this condition depends on a size that is free until run time, and `if` chooses at compile time",
      );
    }
    if (chosen) return runScope(c, env, branch.body);
  }
  return statement.otherwise ? runScope(c, env, statement.otherwise) : none;
}

function runFor(c: Context, env: Environment, { name, over, body }: ForStatement): CompileValue {
  const items = evaluate(c, env, over);
  c.frame.span = over.span;
  if (items.kind !== "list")
    throw mistake(c, "type", `for walks over a range or a list, not ${kindOf(items)}`, {
      help: items.kind === "int" ? `write 0..${describe(items)}` : undefined,
    });
  for (const item of items.items) {
    step(c);
    const scope = openScope(env.scope);
    scope.names.set(name.name, item.kind === "poison" ? int(0) : item);
    runBody(c, { ...env, scope }, body);
  }
  return none;
}
