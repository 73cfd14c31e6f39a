// The grammar of declarations and of the lines of `train`; the whole parser.

import type { IToken, ParserMethod } from "chevrotain";
import type {
  BlockRole,
  Declaration,
  Expression,
  Identifier,
  ImportedName,
  Output,
  Parameter,
  Statement,
  Target,
  TrainEntry,
  TrainOption,
} from "./ast.ts";
import { identifier } from "./grammar.ts";
import { StatementParser } from "./grammar-statements.ts";
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

export class DlmParser extends StatementParser {
  constructor(validate = false) {
    super(validate);
    this.performSelfAnalysis();
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
  embedded = this.RULE("embedded", (): Expression => this.SUBRULE(this.expression));
}
