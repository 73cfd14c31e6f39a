// The grammar of whole lines: statements, declarations and the entries of `train`. A `{ … }` arrives as one token, whose
// lines were parsed before the line that it stands in.

import type { IToken, ParserMethod } from "chevrotain";
import type {
  BlockRole,
  Body,
  Declaration,
  Expression,
  Identifier,
  IfBranch,
  ImportedName,
  Output,
  Parameter,
  Statement,
  Target,
  TrainEntry,
  TrainOption,
} from "./ast.ts";
import { docOf, ExpressionParser, identifier, missing } from "./grammar.ts";
import { messages } from "./syntax-errors.ts";
import * as kind from "./tokens.ts";

/** A line of a `train` block. */
export type TrainLine =
  | { readonly kind: "target"; readonly target: Target }
  | { readonly kind: "entry"; readonly entry: TrainEntry };

const roleOf = (token: IToken): BlockRole => {
  switch (token.image) {
    case "metric":
    case "optimizer":
    case "schedule":
    case "initializer":
      return token.image;
    default:
      return "block";
  }
};

export class DlmParser extends ExpressionParser {
  constructor() {
    super({ errorMessageProvider: messages });
    this.performSelfAnalysis();
  }

  // ------------------------------------------------------------------------------------------------------- statements

  statement: ParserMethod<[], Statement> = this.RULE(
    "statement",
    (): Statement =>
      this.OR<Statement>([
        { ALT: () => this.SUBRULE(this.ifStatement) },
        { ALT: () => this.SUBRULE(this.forStatement) },
        { ALT: () => this.SUBRULE(this.repeatStatement) },
        { ALT: () => this.SUBRULE(this.assertStatement) },
        { ALT: () => this.SUBRULE(this.yieldStatement) },
        { ALT: () => this.SUBRULE(this.paramStatement) },
        { ALT: () => this.SUBRULE(this.stateStatement) },
        { ALT: () => this.SUBRULE(this.updateStatement) },
        { ALT: () => this.SUBRULE(this.totalStatement) },
        { ALT: () => this.SUBRULE(this.assignStatement) },
      ]),
  );

  private ifStatement = this.RULE("ifStatement", (): Statement => {
    const branches: IfBranch[] = [];
    let otherwise: Body | undefined;
    const start = this.CONSUME(kind.If);
    branches.push(this.SUBRULE(this.branch, { ARGS: [start] }));
    this.MANY({
      GATE: () => otherwise === undefined,
      DEF: () => {
        this.CONSUME(kind.Else);
        this.OR([
          {
            ALT: () => {
              const next = this.CONSUME2(kind.If);
              branches.push(this.SUBRULE2(this.branch, { ARGS: [next] }));
            },
          },
          {
            ALT: () => {
              otherwise = this.SUBRULE(this.body);
            },
          },
        ]);
      },
    });
    return this.ACTION(() => ({
      kind: "if",
      branches,
      ...(otherwise ? { otherwise } : {}),
      span: { start: start.startOffset, end: this.endOffset() },
    }));
  });

  private branch = this.RULE("branch", (start: IToken): IfBranch => {
    const condition = this.SUBRULE(this.expression);
    const body = this.SUBRULE(this.body);
    return this.ACTION(() => ({ condition, body, span: { start: start.startOffset, end: body.span.end } }));
  });

  private forStatement = this.RULE("forStatement", (): Statement => {
    const start = this.CONSUME(kind.For);
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.In);
    const over = this.SUBRULE(this.expression);
    const body = this.SUBRULE(this.body);
    return this.ACTION(() => ({
      kind: "for",
      name: identifier(name),
      over,
      body,
      span: { start: start.startOffset, end: body.span.end },
    }));
  });

  private repeatStatement = this.RULE("repeatStatement", (): Statement => {
    const start = this.CONSUME(kind.Repeat);
    const count = this.SUBRULE(this.expression);
    const body = this.SUBRULE(this.body);
    return this.ACTION(() => ({
      kind: "repeat",
      count,
      body,
      span: { start: start.startOffset, end: body.span.end },
    }));
  });

  private assertStatement = this.RULE("assertStatement", (): Statement => {
    const start = this.CONSUME(kind.Assert);
    const condition = this.SUBRULE(this.expression);
    const text = this.OPTION(() => {
      this.CONSUME(kind.Comma);
      return this.CONSUME(kind.StringLiteral);
    });
    return this.ACTION(() => {
      const message = text && this.surroundings.templates.get(text);
      const span = { start: start.startOffset, end: this.endOffset() };
      return { kind: "assert", condition, ...(message ? { message } : {}), span };
    });
  });

  private yieldStatement = this.RULE("yieldStatement", (): Statement => {
    const start = this.CONSUME(kind.Yield);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ kind: "yield", value, span: { start: start.startOffset, end: value.span.end } }));
  });

  private paramStatement = this.RULE("paramStatement", (): Statement => {
    const start = this.CONSUME(kind.Param);
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.Colon);
    const type = this.SUBRULE(this.type);
    this.CONSUME(kind.Tilde);
    const initializer = this.SUBRULE(this.expression);
    return this.ACTION(() => ({
      kind: "param",
      ...this.docAt(start),
      name: identifier(name),
      type,
      initializer,
      span: { start: start.startOffset, end: initializer.span.end },
    }));
  });

  private stateStatement = this.RULE("stateStatement", (): Statement => {
    const start = this.CONSUME(kind.State);
    const name = this.CONSUME(kind.Identifier);
    const type = this.OPTION(() => {
      this.CONSUME(kind.Colon);
      return this.SUBRULE(this.type);
    });
    this.CONSUME(kind.Equals);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({
      kind: "state",
      ...this.docAt(start),
      name: identifier(name),
      ...(type ? { type } : {}),
      value,
      span: { start: start.startOffset, end: value.span.end },
    }));
  });

  private updateStatement = this.RULE("updateStatement", (): Statement => {
    const start = this.CONSUME(kind.Update);
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.Equals);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({
      kind: "update",
      name: identifier(name),
      value,
      span: { start: start.startOffset, end: value.span.end },
    }));
  });

  private totalStatement = this.RULE("totalStatement", (): Statement => {
    const start = this.CONSUME(kind.Total);
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.Colon);
    const type = this.SUBRULE(this.type);
    this.CONSUME(kind.PlusEquals);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({
      kind: "total",
      ...this.docAt(start),
      name: identifier(name),
      type,
      value,
      span: { start: start.startOffset, end: value.span.end },
    }));
  });

  /** `a = …`, `a, b = …`, `s[i, j] = …`, or an expression: which one shows only at the `=`. */
  private assignStatement = this.RULE("assignStatement", (): Statement => {
    const left: Expression[] = [];
    left.push(this.SUBRULE(this.expression));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      left.push(this.SUBRULE2(this.expression));
    });
    const value = this.OPTION(() => {
      this.CONSUME(kind.Equals);
      return this.SUBRULE3(this.expression);
    });
    return this.ACTION(() => this.assignment(left, value));
  });

  private assignment(left: readonly Expression[], value: Expression | undefined): Statement {
    const first = left[0]!;
    const start = first.span.start;
    if (value === undefined) {
      if (left.length > 1) {
        this.report({ start, end: this.endOffset() }, "several values are put in parentheses", {
          label: "a list of values without `=`",
          help: "write `(a, b)` for a tuple",
        });
      }
      return { kind: "expression", value: first, span: first.span };
    }
    const span = { start, end: value.span.end };
    if (left.length === 1 && first.kind === "index" && first.target.kind === "name") {
      const indices: Identifier[] = [];
      for (const item of first.items) {
        if (item.kind === "at" && item.value.kind === "name") indices.push({ name: item.value.name, span: item.span });
        else {
          this.report(item.span, "the left side of an assignment names its indices", {
            label: "not a name",
            help: "tensors are never changed in place; `s[n, t] = …` defines all of `s`",
          });
        }
      }
      const { name, span: place } = first.target;
      return { kind: "indexed-assign", name: { name, span: place }, indices, value, span };
    }
    const names: Identifier[] = [];
    for (const target of left) {
      if (target.kind === "name") names.push({ name: target.name, span: target.span });
      else {
        const help = target.kind === "tuple" ? "write `a, b = …`, without parentheses" : "only names are assigned to";
        this.report(target.span, "the left side of `=` must be a name", { label: "not a name", help });
      }
    }
    return { kind: "assign", names, value, span };
  }

  private docAt(token: IToken): { doc?: string } {
    return docOf(this.surroundings.docs, token.startOffset);
  }

  // ----------------------------------------------------------------------------------------------------- declarations

  declaration: ParserMethod<[], Declaration> = this.RULE(
    "declaration",
    (): Declaration =>
      this.OR<Declaration>([
        { ALT: () => this.SUBRULE(this.importDeclaration) },
        { ALT: () => this.SUBRULE(this.constDeclaration) },
        { ALT: () => this.SUBRULE(this.blockDeclaration) },
        { ALT: () => this.SUBRULE(this.modelDeclaration) },
      ]),
  );

  private importDeclaration = this.RULE("importDeclaration", (): Declaration => {
    const names: ImportedName[] = [];
    const start = this.CONSUME(kind.Import);
    this.CONSUME(kind.LCurly);
    names.push(this.SUBRULE(this.importedName));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      names.push(this.SUBRULE2(this.importedName));
    });
    this.CONSUME(kind.RCurly);
    this.CONSUME(kind.From);
    const path = this.SUBRULE(this.string);
    return this.ACTION(() => ({ kind: "import", names, path, span: { start: start.startOffset, end: path.span.end } }));
  });

  private importedName = this.RULE("importedName", (): ImportedName => {
    const token = this.CONSUME(kind.Identifier);
    const as = this.OPTION(() => {
      this.CONSUME(kind.As);
      return this.CONSUME2(kind.Identifier);
    });
    return this.ACTION(() => {
      const name = identifier(token);
      const local = as ? identifier(as) : name;
      return { name, local, span: { start: name.span.start, end: local.span.end } };
    });
  });

  private constDeclaration = this.RULE("constDeclaration", (): Declaration => {
    const start = this.CONSUME(kind.Const);
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.Equals);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({
      kind: "const",
      ...this.docAt(start),
      name: identifier(name),
      value,
      span: { start: start.startOffset, end: value.span.end },
    }));
  });

  private blockDeclaration = this.RULE("blockDeclaration", (): Declaration => {
    const start = this.OR([
      { ALT: () => this.CONSUME(kind.Block) },
      { ALT: () => this.CONSUME(kind.Metric) },
      { ALT: () => this.CONSUME(kind.Optimizer) },
      { ALT: () => this.CONSUME(kind.Schedule) },
      { ALT: () => this.CONSUME(kind.Initializer) },
    ]);
    const name = this.CONSUME(kind.Identifier);
    const parameters = this.SUBRULE(this.parameters);
    const result = this.OPTION(() => {
      this.CONSUME(kind.Arrow);
      return this.SUBRULE(this.type);
    });
    const { body, form } = this.OR2([
      {
        ALT: () => {
          this.CONSUME(kind.Equals);
          const value = this.SUBRULE(this.expression);
          return this.ACTION(() => {
            const statement: Statement = { kind: "expression", value, span: value.span };
            return { body: { statements: [statement], span: value.span }, form: "expression" as const };
          });
        },
      },
      { ALT: () => ({ body: this.SUBRULE(this.body), form: "braces" as const }) },
    ]);
    return this.ACTION(() => ({
      kind: "block",
      role: roleOf(start),
      ...this.docAt(start),
      name: identifier(name),
      parameters,
      ...(result ? { result } : {}),
      body,
      form,
      span: { start: start.startOffset, end: body.span.end },
    }));
  });

  private modelDeclaration = this.RULE("modelDeclaration", (): Declaration => {
    const outputs: Output[] = [];
    const start = this.CONSUME(kind.Model);
    const name = this.CONSUME(kind.Identifier);
    const parameters = this.SUBRULE(this.parameters);
    this.CONSUME(kind.Arrow);
    this.CONSUME(kind.LParen);
    outputs.push(this.SUBRULE(this.namedType));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      outputs.push(this.SUBRULE2(this.namedType));
    });
    this.CONSUME(kind.RParen);
    const body = this.SUBRULE(this.body);
    return this.ACTION(() => ({
      kind: "model",
      ...this.docAt(start),
      name: identifier(name),
      parameters,
      outputs,
      body,
      span: { start: start.startOffset, end: body.span.end },
    }));
  });

  private parameters = this.RULE("parameters", (): readonly Parameter[] => {
    const found: Parameter[] = [];
    this.CONSUME(kind.LParen);
    this.OPTION(() => {
      found.push(this.SUBRULE(this.parameter));
      this.MANY(() => {
        this.CONSUME(kind.Comma);
        found.push(this.SUBRULE2(this.parameter));
      });
    });
    this.CONSUME(kind.RParen);
    return found;
  });

  private parameter = this.RULE("parameter", (): Parameter => {
    const name = this.CONSUME(kind.Identifier);
    const type = this.OPTION(() => {
      this.CONSUME(kind.Colon);
      return this.SUBRULE(this.type);
    });
    const value = this.OPTION2(() => {
      this.CONSUME(kind.Equals);
      return this.SUBRULE(this.expression);
    });
    return this.ACTION(() => ({
      ...this.docAt(name),
      name: identifier(name),
      ...(type ? { type } : {}),
      ...(value ? { default: value } : {}),
      span: { start: name.startOffset, end: this.endOffset() },
    }));
  });

  private namedType = this.RULE("namedType", (): Output => {
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.Colon);
    const type = this.SUBRULE(this.type);
    return this.ACTION(() => ({
      ...this.docAt(name),
      name: identifier(name),
      type,
      span: { start: name.startOffset, end: type.span.end },
    }));
  });

  // ------------------------------------------------------------------------------------------------------------ train

  /** The line `train Mlp { … }` without what is in it; gives the name and the token of the body. */
  trainHeader = this.RULE("trainHeader", (): { name: Identifier; body: IToken } => {
    this.CONSUME(kind.Train);
    const name = this.CONSUME(kind.Identifier);
    const body = this.CONSUME(kind.Body);
    return this.ACTION(() => ({ name: identifier(name), body }));
  });

  trainLine = this.RULE(
    "trainLine",
    (): TrainLine =>
      this.OR<TrainLine>([
        {
          ALT: () => {
            const start = this.CONSUME(kind.Target);
            const target = this.SUBRULE(this.namedType);
            return this.ACTION((): TrainLine => {
              const span = { start: start.startOffset, end: target.span.end };
              return { kind: "target", target: { ...target, ...this.docAt(start), span } };
            });
          },
        },
        { ALT: (): TrainLine => ({ kind: "entry", entry: this.SUBRULE(this.trainEntry) }) },
      ]),
  );

  private trainEntry = this.RULE("trainEntry", (): TrainEntry => {
    const values: Expression[] = [];
    const options: TrainOption[] = [];
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.Colon);
    values.push(this.SUBRULE(this.expression));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      this.OR([
        { ALT: () => options.push(this.SUBRULE(this.trainOption)) },
        { ALT: () => values.push(this.SUBRULE2(this.expression)) },
      ]);
    });
    return this.ACTION(() => ({
      name: identifier(name),
      values,
      options,
      span: { start: name.startOffset, end: this.endOffset() },
    }));
  });

  private trainOption = this.RULE("trainOption", (): TrainOption => {
    const name = this.CONSUME(kind.Identifier);
    this.CONSUME(kind.Colon);
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({
      name: identifier(name),
      value,
      span: { start: name.startOffset, end: value.span.end },
    }));
  });

  /** The inside of a brace of a template. */
  embedded = this.RULE("embedded", (): Expression => {
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => value ?? missing(0));
  });
}
