// What the parts of the grammar share: how mistakes are noted, and the small nodes. The grammar reads one line at a time, in the
// chain grammar-expressions, grammar-types, grammar-statements, grammar-declarations. Its rules build the tree as they read;
// what only a person would call a mistake (`f(a: 1, 2)`) is read and reported.

import { EmbeddedActionsParser, type IToken } from "chevrotain";
import type { Body, Expression, Identifier, Span, Template } from "./ast.ts";
import type { DiagnosticDetails } from "./diagnostics.ts";
import { messages } from "./syntax-errors.ts";
import * as kind from "./tokens.ts";

/** A mistake that the grammar lets through and names itself. */
export interface Problem {
  readonly span: Span;
  readonly message: string;
  readonly details: DiagnosticDetails;
}

/** What was read before the line at hand: the bodies in it, the templates of its strings, documentation by offset. */
export interface Surroundings {
  readonly bodies: ReadonlyMap<IToken, Body>;
  readonly templates: ReadonlyMap<IToken, Template>;
  readonly docs: ReadonlyMap<number, string>;
}

export const spanOf = kind.spanOfToken;
export const missing = (at: number): Expression => ({ kind: "name", name: "", span: { start: at, end: at } });
const docOf = (docs: ReadonlyMap<number, string>, offset: number): { doc?: string } => {
  const doc = docs.get(offset);
  return doc === undefined ? {} : { doc };
};

// Names that look alike are the same, however the accents are encoded.
export const identifier = (token: IToken): Identifier => ({ name: token.image.normalize("NFC"), span: spanOf(token) });

export class BaseParser extends EmbeddedActionsParser {
  problems: Problem[] = [];
  surroundings: Surroundings = { bodies: new Map(), templates: new Map(), docs: new Map() };

  /** With `validate` the grammar itself is looked at for mistakes: it takes a while, and a test does it. */
  constructor(validate = false) {
    const settings = { maxLookahead: 2, recoveryEnabled: false, errorMessageProvider: messages };
    super(kind.vocabulary, { ...settings, skipValidations: !validate });
  }

  protected report(span: Span, message: string, details: DiagnosticDetails = {}): void {
    this.problems.push({ span, message, details });
  }

  /** The offset after the token read last. */
  protected endOffset(): number {
    return spanOf(this.LA(0)).end;
  }

  protected docAt(token: IToken): { doc?: string } {
    return docOf(this.surroundings.docs, token.startOffset);
  }

  protected body = this.RULE("body", (): Body => {
    const token = this.CONSUME(kind.Body);
    return this.ACTION(() => this.surroundings.bodies.get(token) ?? { statements: [], span: spanOf(token) });
  });
}
