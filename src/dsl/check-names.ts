// Names in blocks that nothing calls: the elaborator never sees those, so their misspelt names are looked for here. What only
// a call can tell (types, sizes) stays unchecked.

import type { Body, DimExpression, Expression, Statement, TypeExpression } from "./ast.ts";
import { childrenOf } from "./ast-walk.ts";
import { type Diagnostic, errorAt } from "./diagnostics.ts";
import { helpFor } from "./other-names.ts";
import type { FileScope } from "./resolve.ts";

interface Names {
  readonly known: Set<string>;
  readonly unknown: (expression: Extract<Expression, { kind: "name" }>) => void;
}

/** Unknown names in all blocks and models of a file; `visible` are the names that every body sees. */
export function checkNames({ file, declarations }: FileScope, visible: readonly string[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const { declaration, scope } of declarations.values()) {
    if (scope.file !== file || declaration.kind === "const") continue;
    const { parameters, body } = declaration;
    const known = new Set([...visible, ...parameters.map((parameter) => parameter.name.name)]);
    for (const { type } of parameters) if (type) bindType(type, known);
    if (declaration.kind === "block" && declaration.result) bindType(declaration.result, known);
    if (declaration.kind === "model") for (const { type } of declaration.outputs) bindType(type, known);
    bindBody(body, known);
    const seen = new Set<string>();
    const unknown: Names["unknown"] = ({ name, span }) => {
      if (name === "" || seen.has(name)) return;
      seen.add(name);
      const help = helpFor(name, known);
      diagnostics.push(
        errorAt(file, span, "name", `there is no ${name}`, {
          label: help ? "" : "nothing of that name is in scope",
          help,
        }),
      );
    };
    const names: Names = { known, unknown };
    for (const { default: fallback } of parameters) if (fallback) visit(fallback, names);
    visitBody(body, names);
  }
  return diagnostics;
}

function bindType(type: TypeExpression, known: Set<string>): void {
  if (type.kind === "tuple") for (const item of type.items) bindType(item, known);
  if (type.kind !== "tensor") return;
  known.add(type.element.name);
  for (const dim of type.dims) bindDim(dim, known);
}

function bindDim(dim: DimExpression, known: Set<string>): void {
  if (dim.kind === "spread") known.add(dim.name.name);
  else eachName(dim.value, (name) => known.add(name.name));
}

/** All names that statements bind, wherever they stand: order is the elaborator's business. */
function bindBody(body: Body, known: Set<string>): void {
  for (const statement of body.statements) {
    for (const name of namesOf(statement)) known.add(name);
    for (const inner of bodiesOf(statement)) bindBody(inner, known);
    for (const expression of expressionsOf(statement)) bindExpression(expression, known);
  }
}

function bindExpression(expression: Expression, known: Set<string>): void {
  if (expression.kind === "pipe" && expression.as) known.add(expression.as.name);
  if (expression.kind === "reduction") for (const index of expression.indices) known.add(index.name);
  if (expression.kind === "scan") {
    for (const name of [...expression.names, ...expression.carry]) known.add(name.name);
    bindBody(expression.body, known);
  }
  for (const child of childrenOf(expression)) bindExpression(child, known);
}

function namesOf(statement: Statement): string[] {
  switch (statement.kind) {
    case "assign":
      return statement.names.map((name) => name.name);
    case "indexed-assign":
      return [statement.name, ...statement.indices].map((name) => name.name);
    case "param":
    case "state":
    case "total":
    case "for":
      return [statement.name.name];
    default:
      return [];
  }
}

function bodiesOf(statement: Statement): readonly Body[] {
  switch (statement.kind) {
    case "if":
      return [
        ...statement.branches.map((branch) => branch.body),
        ...(statement.otherwise ? [statement.otherwise] : []),
      ];
    case "for":
    case "repeat":
      return [statement.body];
    default:
      return [];
  }
}

function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "assign":
    case "indexed-assign":
    case "state":
    case "update":
    case "total":
    case "yield":
    case "expression":
      return [statement.value];
    case "param":
      return [statement.initializer];
    case "if":
      return statement.branches.map((branch) => branch.condition);
    case "for":
      return [statement.over];
    case "repeat":
      return [statement.count];
    case "assert": {
      const parts = statement.message?.parts ?? [];
      return [statement.condition, ...parts.flatMap((part) => (typeof part === "string" ? [] : [part]))];
    }
  }
}

function eachName(expression: Expression, see: Names["unknown"]): void {
  if (expression.kind === "name") see(expression);
  for (const child of childrenOf(expression)) eachName(child, see);
}

function visit(expression: Expression, names: Names): void {
  if (expression.kind === "name" && !names.known.has(expression.name)) names.unknown(expression);
  if (expression.kind === "scan") visitBody(expression.body, names);
  for (const child of childrenOf(expression)) visit(child, names);
}

function visitBody(body: Body, names: Names): void {
  for (const statement of body.statements) {
    for (const expression of expressionsOf(statement)) visit(expression, names);
    for (const inner of bodiesOf(statement)) visitBody(inner, names);
  }
}
