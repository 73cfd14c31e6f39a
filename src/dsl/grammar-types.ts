// The grammar of types.

import type { DimExpression, TypeExpression } from "./ast.ts";
import { identifier } from "./grammar.ts";
import { ExpressionParser } from "./grammar-expressions.ts";
import * as kind from "./tokens.ts";

/** Compile-time types, of which `int[2]` makes lists; on any other name, brackets make a tensor. */
const listTypes = new Set(["int", "float", "string", "fn", "initializer", "dtype"]);

export class TypeParser extends ExpressionParser {
  protected type = this.RULE(
    "type",
    (): TypeExpression =>
      this.OR<TypeExpression>([
        { ALT: () => this.SUBRULE(this.tupleType) },
        { ALT: () => this.SUBRULE(this.tensorType) },
      ]),
  );

  private tupleType = this.RULE("tupleType", (): TypeExpression => {
    const items: TypeExpression[] = [];
    const open = this.CONSUME(kind.LParen);
    items.push(this.SUBRULE(this.type));
    this.MANY(() => {
      this.CONSUME(kind.Comma);
      items.push(this.SUBRULE2(this.type));
    });
    const close = this.CONSUME(kind.RParen);
    return this.ACTION(() => ({
      kind: "tuple",
      items,
      span: { start: open.startOffset, end: kind.spanOfToken(close).end },
    }));
  });

  private tensorType = this.RULE("tensorType", (): TypeExpression => {
    const element = this.CONSUME(kind.Identifier);
    const dims: DimExpression[] = [];
    const close = this.OPTION(() => {
      this.CONSUME(kind.LBracket);
      this.OPTION2(() => {
        dims.push(this.SUBRULE(this.dim));
        this.MANY(() => {
          this.CONSUME(kind.Comma);
          dims.push(this.SUBRULE2(this.dim));
        });
      });
      return this.CONSUME(kind.RBracket);
    });
    return this.ACTION((): TypeExpression => {
      const name = identifier(element);
      if (!close) return { kind: "named", ...name };
      const span = { start: name.span.start, end: kind.spanOfToken(close).end };
      if (!listTypes.has(name.name)) return { kind: "tensor", element: name, dims, span };
      const [length] = dims;
      if (dims.length > 1 || length?.kind === "spread") {
        this.report(span, `a list of \`${name.name}\` has one length`, { label: `expected \`${name.name}[2]\`` });
      }
      return { kind: "list", element: name, ...(length?.kind === "size" ? { length: length.value } : {}), span };
    });
  });

  private dim = this.RULE(
    "dim",
    (): DimExpression =>
      this.OR<DimExpression>([
        {
          ALT: () => {
            const dots = this.CONSUME(kind.Ellipsis);
            const name = this.CONSUME(kind.Identifier);
            return this.ACTION((): DimExpression => {
              const span = { start: dots.startOffset, end: kind.spanOfToken(name).end };
              return { kind: "spread", name: identifier(name), span };
            });
          },
        },
        {
          ALT: () => {
            const value = this.SUBRULE(this.expression);
            return this.ACTION((): DimExpression => ({ kind: "size", value, span: value.span }));
          },
        },
      ]),
  );
}
