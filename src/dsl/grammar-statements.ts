// The grammar of statements. A `{ … }` arrives as one token, whose lines were parsed before the line that it stands in.

import type { IToken, ParserMethod } from "chevrotain";
import type { Body, Expression, Identifier, IfBranch, Statement } from "./ast.ts";
import { identifier } from "./grammar.ts";
import { TypeParser } from "./grammar-types.ts";
import * as kind from "./tokens.ts";

export class StatementParser extends TypeParser {
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
}
