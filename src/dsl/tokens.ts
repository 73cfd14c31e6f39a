// The vocabulary of the language: the kinds of token that the lexer makes and the grammar is written in.

import { createToken, createTokenInstance, type IToken, type TokenType } from "chevrotain";
import type { Span } from "./ast.ts";

/** Every infix operator belongs to this kind; the grammar reads them as one flat list, precedence comes after. */
export const InfixOperator = createToken({ name: "InfixOperator", pattern: /(?!)/ });
/** Infix operators that bind as tightly as a product, up to which the body of a reduction reaches. */
export const ProductOperator = createToken({ name: "ProductOperator", pattern: /(?!)/, categories: InfixOperator });
export const PrefixOperator = createToken({ name: "PrefixOperator", pattern: /(?!)/ });

const token = (name: string, label: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label, categories, pattern: /(?!)/ });

export const Identifier = token("Identifier", "a name");
export const NumberLiteral = token("NumberLiteral", "a number");
export const StringLiteral = token("StringLiteral", "a string");

export const LParen = token("LParen", "`(`");
export const RParen = token("RParen", "`)`");
export const LBracket = token("LBracket", "`[`");
export const RBracket = token("RBracket", "`]`");
export const LCurly = token("LCurly", "`{`");
export const RCurly = token("RCurly", "`}`");
/** Everything from `{` to `}`: its lines are parsed by themselves, so that a mistake in one never reaches another. */
export const Body = token("Body", "`{`");

export const Comma = token("Comma", "`,`");
export const Colon = token("Colon", "`:`");
export const Dot = token("Dot", "`.`");
export const Ellipsis = token("Ellipsis", "`...`");
export const Equals = token("Equals", "`=`");
export const PlusEquals = token("PlusEquals", "`+=`");
export const Tilde = token("Tilde", "`~`");
export const Arrow = token("Arrow", "`->`");
export const Not = token("Not", "`!`", [PrefixOperator]);
export const Minus = token("Minus", "`-`", [InfixOperator, PrefixOperator]);
export const Pipe = token("Pipe", "`|>`", [InfixOperator]);

const infix = (text: string): TokenType => token(`Infix ${text}`, `\`${text}\``, [InfixOperator]);
const product = (text: string): TokenType => token(`Infix ${text}`, `\`${text}\``, [ProductOperator]);

/** Punctuation by its text; the lexer tries longer texts first. */
export const punctuation: Readonly<Record<string, TokenType>> = {
  "...": Ellipsis,
  "..": infix(".."),
  "|>": Pipe,
  "->": Arrow,
  "+=": PlusEquals,
  "==": infix("=="),
  "!=": infix("!="),
  "<=": infix("<="),
  ">=": infix(">="),
  "&&": infix("&&"),
  "||": infix("||"),
  "**": product("**"),
  "(": LParen,
  ")": RParen,
  "[": LBracket,
  "]": RBracket,
  "{": LCurly,
  "}": RCurly,
  ",": Comma,
  ":": Colon,
  ".": Dot,
  "=": Equals,
  "~": Tilde,
  "!": Not,
  "-": Minus,
  "+": infix("+"),
  "<": infix("<"),
  ">": infix(">"),
  "*": product("*"),
  "/": product("/"),
  "%": product("%"),
  "@": product("@"),
};

const keyword = (text: string): TokenType => token(`Keyword ${text}`, `\`${text}\``);

export const If = keyword("if");
export const Else = keyword("else");
export const For = keyword("for");
export const In = keyword("in");
export const As = keyword("as");
export const Assert = keyword("assert");
export const Yield = keyword("yield");
export const True = keyword("true");
export const False = keyword("false");

/** Words that are never names. */
export const reserved: ReadonlyMap<string, TokenType> = new Map([
  ["if", If],
  ["else", Else],
  ["for", For],
  ["in", In],
  ["as", As],
  ["assert", Assert],
  ["yield", Yield],
  ["true", True],
  ["false", False],
]);

export const Import = keyword("import");
export const Const = keyword("const");
export const Block = keyword("block");
export const Metric = keyword("metric");
export const Optimizer = keyword("optimizer");
export const Schedule = keyword("schedule");
export const Initializer = keyword("initializer");
export const Model = keyword("model");
export const Train = keyword("train");

/** Words that begin a declaration; elsewhere they are names (`initializer` is a type, `optimizer` an entry of `train`). */
export const declarationWords: ReadonlyMap<string, TokenType> = new Map([
  ["import", Import],
  ["const", Const],
  ["block", Block],
  ["metric", Metric],
  ["optimizer", Optimizer],
  ["schedule", Schedule],
  ["initializer", Initializer],
  ["model", Model],
  ["train", Train],
]);

export const Param = keyword("param");
export const State = keyword("state");
export const Update = keyword("update");
export const Total = keyword("total");
export const Target = keyword("target");

/** Words that begin a statement when a name follows; elsewhere they are names. */
export const statementWords: ReadonlyMap<string, TokenType> = new Map([
  ["param", Param],
  ["state", State],
  ["update", Update],
  ["total", Total],
  ["target", Target],
]);

/** `repeat n { … }` at the start of a statement; `repeat(x, 2)` is a call. */
export const Repeat = keyword("repeat");
/** `scan x in …`; `along`, `reversed`, `recompute` and `carry` are words only up to its `{`, and `from` only after `import { … }`. */
export const Scan = keyword("scan");
export const Along = keyword("along");
export const Reversed = keyword("reversed");
export const Recompute = keyword("recompute");
export const Carry = keyword("carry");
export const From = keyword("from");

export const scanWords: ReadonlyMap<string, TokenType> = new Map([
  ["along", Along],
  ["reversed", Reversed],
  ["recompute", Recompute],
  ["carry", Carry],
]);

export const vocabulary: TokenType[] = [
  InfixOperator,
  ProductOperator,
  PrefixOperator,
  Identifier,
  NumberLiteral,
  StringLiteral,
  Body,
  ...Object.values(punctuation),
  ...reserved.values(),
  ...declarationWords.values(),
  ...statementWords.values(),
  ...scanWords.values(),
  Repeat,
  Scan,
  From,
];

/** A token of `kind` at `start`; lines and columns are left to whoever reports them. */
export function makeToken(kind: TokenType, image: string, start: number): IToken {
  return createTokenInstance(kind, image, start, start + image.length - 1, 0, 0, 0, 0);
}

/** The span of a token; chevrotain counts its end inclusively. */
export const spanOfToken = (of: IToken): Span => ({ start: of.startOffset, end: (of.endOffset ?? of.startOffset) + 1 });
