// The grammar of expressions. Operators are read as a flat list (see precedence.ts).

import type { IToken } from "chevrotain";
import type { Argument, Expression, Identifier, IndexItem } from "./ast.ts";
import { BaseParser, identifier, missing, spanOf } from "./grammar.ts";
import { climb, type Infix, type Operand } from "./precedence.ts";
import { parseString } from "./strings.ts";
import * as kind from "./tokens.ts";

/** More operators than this in one expression would make a tree too deep to walk. */
const mostOperators = 500;

const describe = (expression: Expression): string => {
  switch (expression.kind) {
    case "number":
    case "string":
    case "boolean":
    case "list":
    case "tuple":
      return `a ${expression.kind}`;
    default:
      return "this";
  }
};

export class ExpressionParser extends BaseParser {
  expression = this.RULE("expression", (): Expression => {
    const operands: Operand[] = [];
    const infixes: Infix[] = [];
    operands.push(this.SUBRULE(this.operand));
    this.MANY({
      GATE: () => infixes.length <= mostOperators,
      DEF: () => {
        const token = this.CONSUME(kind.InfixOperator);
        operands.push(this.SUBRULE2(this.operand));
        const as = this.OPTION({
          GATE: () => token.tokenType === kind.Pipe,
          DEF: () => {
            this.CONSUME(kind.As);
            return this.CONSUME(kind.Identifier);
          },
        });
        this.ACTION(() => infixes.push(as ? { token, as: identifier(as) } : { token }));
      },
    });
    return this.ACTION(() => this.tree(operands, infixes));
  });

  /** The body of a reduction: products of operands. */
  product = this.RULE("product", (): Expression => {
    const operands: Operand[] = [];
    const infixes: Infix[] = [];
    operands.push(this.SUBRULE(this.operand));
    this.MANY({
      GATE: () => infixes.length <= mostOperators,
      DEF: () => {
        infixes.push({ token: this.CONSUME(kind.ProductOperator) });
        operands.push(this.SUBRULE2(this.operand));
      },
    });
    return this.ACTION(() => this.tree(operands, infixes));
  });

  private tree(operands: readonly Operand[], infixes: readonly Infix[]): Expression {
    const count = operands.reduce((sum, o) => sum + o.prefixes.length, infixes.length);
    if (count > mostOperators) return this.tooMany(operands[0]!.base.span.start);
    return climb(operands, infixes, (span, message, details) => this.report(span, message, details));
  }

  private tooMany(start: number): Expression {
    const details = { label: `more than ${mostOperators}`, help: "name some of its parts" };
    this.report({ start, end: this.endOffset() }, "an expression of too many operators", details);
    return missing(start);
  }

  private operand = this.RULE("operand", (): Operand => {
    const prefixes: IToken[] = [];
    this.MANY({
      GATE: () => prefixes.length <= mostOperators,
      DEF: () => {
        prefixes.push(this.CONSUME(kind.PrefixOperator));
      },
    });
    this.ACTION(() => {
      if (prefixes.length > mostOperators) this.tooMany(prefixes[0]!.startOffset);
    });
    return { prefixes, base: this.SUBRULE(this.postfix) };
  });

  private postfix = this.RULE("postfix", (): Expression => {
    let value = this.SUBRULE(this.primary);
    let count = 0;
    this.MANY({
      // One token decides, so that `x[]` is a slice without its index rather than nothing.
      MAX_LOOKAHEAD: 1,
      // `sum(e) (…)` is a reduction, so a call is not called again.
      GATE: () => count <= mostOperators && !(value.kind === "call" && this.LA(1).tokenType === kind.LParen),
      DEF: () => {
        const target = value;
        count++;
        value = this.OR([
          { ALT: () => this.SUBRULE(this.callOf, { ARGS: [target] }) },
          { ALT: () => this.SUBRULE(this.indexOf, { ARGS: [target] }) },
          { ALT: () => this.SUBRULE(this.memberOf, { ARGS: [target] }) },
        ]);
      },
    });
    const reduced = this.OPTION({
      GATE: () => value.kind === "call" && this.beginsReduction(),
      DEF: () => this.SUBRULE(this.product),
    });
    return this.ACTION(() => {
      if (count > mostOperators) return this.tooMany(value.span.start);
      return reduced === undefined ? value : this.reduction(value, reduced);
    });
  });

  /** After `sum(e)`: an operand without an operator between. */
  private beginsReduction(): boolean {
    const next = this.LA(1).tokenType;
    return next === kind.Identifier || next === kind.NumberLiteral || next === kind.LParen;
  }

  private reduction(head: Expression, body: Expression): Expression {
    const span = { start: head.span.start, end: body.span.end };
    if (head.kind !== "call" || head.callee.kind !== "name") return head;
    const indices: Identifier[] = [];
    for (const { name, value } of head.arguments) {
      if (name === undefined && value.kind === "name") indices.push({ name: value.name, span: value.span });
    }
    if (indices.length === 0 || indices.length < head.arguments.length) {
      this.report(body.span, "expected an operator or the end of the line after the call", {
        label: "not expected here",
        help: "a reduction names its indices: `sum(e) q[n, e] * k[e]`",
      });
      return head;
    }
    return { kind: "reduction", name: { name: head.callee.name, span: head.callee.span }, indices, body, span };
  }

  private callOf = this.RULE("callOf", (callee: Expression): Expression => {
    const found: Argument[] = [];
    this.CONSUME(kind.LParen);
    this.OPTION(() => {
      found.push(this.SUBRULE(this.argument));
      this.MANY(() => {
        this.CONSUME(kind.Comma);
        found.push(this.SUBRULE2(this.argument));
      });
    });
    const end = this.CONSUME(kind.RParen);
    return this.ACTION(() => {
      if (callee.kind !== "name" && callee.kind !== "member" && callee.kind !== "index") {
        this.report(callee.span, `${describe(callee)} cannot be called`, { label: "not a block" });
      }
      const named = found.findIndex((a) => a.name !== undefined);
      const late = found.find((a, i) => named >= 0 && i > named && a.name === undefined);
      if (late) {
        this.report(late.span, "an argument without a name stands after one with a name", {
          label: "which parameter is this?",
          help: "name it, or move it to the front",
        });
      }
      const span = { start: callee.span.start, end: spanOf(end).end };
      return { kind: "call", callee, arguments: found, span };
    });
  });

  private argument = this.RULE("argument", (): Argument => {
    const name = this.OPTION(() => {
      const token = this.CONSUME(kind.Identifier);
      this.OR([
        { ALT: () => this.CONSUME(kind.Colon) },
        {
          ALT: () => {
            const equals = this.CONSUME(kind.Equals);
            this.ACTION(() =>
              this.report(spanOf(equals), "a named argument is written with `:`", {
                label: "expected `:`",
                help: `write \`${token.image}: …\``,
              }),
            );
          },
        },
      ]);
      return token;
    });
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({
      ...(name ? { name: identifier(name) } : {}),
      value,
      span: { start: name ? name.startOffset : value.span.start, end: value.span.end },
    }));
  });

  private indexOf = this.RULE("indexOf", (target: Expression): Expression => {
    const items: IndexItem[] = [];
    this.CONSUME(kind.LBracket);
    items.push(this.SUBRULE(this.indexItem));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      items.push(this.SUBRULE2(this.indexItem));
    });
    const end = this.CONSUME(kind.RBracket);
    return this.ACTION(() => ({
      kind: "index",
      target,
      items,
      span: { start: target.span.start, end: spanOf(end).end },
    }));
  });

  private indexItem = this.RULE("indexItem", (): IndexItem => {
    const start = this.LA(1).startOffset;
    return this.OR([
      { ALT: (): IndexItem => ({ kind: "ellipsis", span: spanOf(this.CONSUME(kind.Ellipsis)) }) },
      {
        ALT: (): IndexItem => {
          const slice = this.SUBRULE(this.sliceRest);
          return this.ACTION(() => ({ kind: "slice", ...slice, span: { start, end: this.endOffset() } }));
        },
      },
      {
        ALT: (): IndexItem => {
          const from = this.SUBRULE(this.expression);
          const slice = this.OPTION(() => this.SUBRULE2(this.sliceRest));
          return this.ACTION(() => {
            const span = { start, end: this.endOffset() };
            return slice ? { kind: "slice", from, ...slice, span } : { kind: "at", value: from, span };
          });
        },
      },
    ]);
  });

  /** `:to`, `:to:step`, `::step`, `:` */
  private sliceRest = this.RULE("sliceRest", (): { to?: Expression; step?: Expression } => {
    this.CONSUME(kind.Colon);
    const to = this.OPTION(() => this.SUBRULE(this.expression));
    const step = this.OPTION2(() => {
      this.CONSUME2(kind.Colon);
      return this.OPTION3(() => this.SUBRULE2(this.expression));
    });
    return { ...(to ? { to } : {}), ...(step ? { step } : {}) };
  });

  private memberOf = this.RULE("memberOf", (target: Expression): Expression => {
    this.CONSUME(kind.Dot);
    const name = this.CONSUME(kind.Identifier);
    return this.ACTION(() => ({
      kind: "member",
      target,
      name: identifier(name),
      span: { start: target.span.start, end: spanOf(name).end },
    }));
  });

  private primary = this.RULE(
    "primary",
    (): Expression =>
      this.OR<Expression>([
        {
          ALT: () => {
            const token = this.CONSUME(kind.Identifier);
            return this.ACTION((): Expression => ({ kind: "name", ...identifier(token) }));
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(kind.NumberLiteral);
            return this.ACTION((): Expression => {
              const percent = token.image.endsWith("%");
              // Divided as a whole number of hundredths, so that 10% is the same number as 0.1.
              const value = percent ? Number.parseFloat(token.image) / 100 : Number(token.image);
              return { kind: "number", value, integer: /^\d+$/.test(token.image), span: spanOf(token) };
            });
          },
        },
        { ALT: () => this.SUBRULE(this.string) },
        { ALT: (): Expression => ({ kind: "boolean", value: true, span: spanOf(this.CONSUME(kind.True)) }) },
        { ALT: (): Expression => ({ kind: "boolean", value: false, span: spanOf(this.CONSUME(kind.False)) }) },
        { ALT: () => this.SUBRULE(this.parenthesized) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.scan) },
      ]),
  );

  protected string = this.RULE("string", () => {
    const token = this.CONSUME(kind.StringLiteral);
    return this.ACTION(() => ({ kind: "string" as const, value: parseString(token.image), span: spanOf(token) }));
  });

  private parenthesized = this.RULE("parenthesized", (): Expression => {
    const items: Expression[] = [];
    const open = this.CONSUME(kind.LParen);
    items.push(this.SUBRULE(this.expression));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      items.push(this.SUBRULE2(this.expression));
    });
    const close = this.CONSUME(kind.RParen);
    return this.ACTION(() => {
      const span = { start: open.startOffset, end: spanOf(close).end };
      // The parentheses belong to the place of what is in them, so that messages underline the whole.
      return items.length === 1 ? { ...items[0]!, span } : { kind: "tuple", items, span };
    });
  });

  private list = this.RULE("list", (): Expression => {
    const items: Expression[] = [];
    const open = this.CONSUME(kind.LBracket);
    this.OPTION(() => {
      items.push(this.SUBRULE(this.expression));
      this.MANY(() => {
        this.CONSUME(kind.Comma);
        items.push(this.SUBRULE2(this.expression));
      });
    });
    const close = this.CONSUME(kind.RBracket);
    return this.ACTION(() => ({ kind: "list", items, span: { start: open.startOffset, end: spanOf(close).end } }));
  });

  private scan = this.RULE("scan", (): Expression => {
    const names: IToken[] = [];
    const sources: Expression[] = [];
    const carry: IToken[] = [];
    const start = this.CONSUME(kind.Scan);
    names.push(this.CONSUME(kind.Identifier));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      names.push(this.CONSUME2(kind.Identifier));
    });
    this.CONSUME(kind.In);
    sources.push(this.SUBRULE(this.expression));
    this.MANY2(() => {
      this.CONSUME2(kind.Comma);
      sources.push(this.SUBRULE2(this.expression));
    });
    this.CONSUME(kind.Along);
    const axis = this.SUBRULE3(this.expression);
    const reversed = this.OPTION(() => this.CONSUME(kind.Reversed));
    const recompute = this.OPTION3(() => this.CONSUME(kind.Recompute));
    this.OPTION2(() => {
      this.CONSUME(kind.Carry);
      carry.push(this.CONSUME3(kind.Identifier));
      this.MANY3(() => {
        this.CONSUME3(kind.Comma);
        carry.push(this.CONSUME4(kind.Identifier));
      });
    });
    const body = this.SUBRULE(this.body);
    return this.ACTION(() => {
      if (names.length !== sources.length) {
        this.report({ start: start.startOffset, end: axis.span.end }, "a scan has one source for each name", {
          label: `${names.length} names, ${sources.length} sources`,
        });
      }
      return {
        kind: "scan",
        names: names.map(identifier),
        sources,
        axis,
        reversed: reversed !== undefined,
        recompute: recompute !== undefined,
        carry: carry.map(identifier),
        body,
        span: { start: start.startOffset, end: body.span.end },
      };
    });
  });
}
