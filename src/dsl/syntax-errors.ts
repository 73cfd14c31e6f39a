// What the parser could not read, said to a person: from chevrotain's exceptions to diagnostics, with the mend where the
// mistake is a known one.

import type { IParserErrorMessageProvider, IRecognitionException, IToken, TokenType } from "chevrotain";
import { closest, excerpt } from "../util/text.ts";
import type { SourceFile, Span } from "./ast.ts";
import { type Diagnostic, errorAt } from "./diagnostics.ts";
import * as kind from "./tokens.ts";

const isEnd = (token: IToken): boolean => token.tokenType.name === "EOF";

const labelOf = (type: TokenType): string => type.LABEL ?? type.name;

/** How a token is named in a message. */
function nameOf(token: IToken): string {
  if (isEnd(token)) return "the end of the line";
  if (token.tokenType === kind.StringLiteral) return "a string";
  if (token.tokenType === kind.Body) return "`{`";
  return `\`${excerpt(token.image, 30)}\``;
}

/** What a rule stands for, when none of its alternatives fits. */
const wanted: Readonly<Record<string, string>> = {
  primary: "an expression",
  postfix: "an expression",
  operand: "an expression",
  expression: "an expression",
  embedded: "an expression",
  statement: "a statement",
  assignStatement: "a statement",
  indexItem: "an index or a slice",
  argument: "an argument",
  type: "a type",
  dim: "a size, or `...` and a name",
  declaration: "a declaration",
  blockDeclaration: "`=` or `{`",
  trainLine: "an entry such as `epochs: 10`",
};

/** Messages for people; the grammar gives them to the exceptions it throws. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual }) => `expected ${labelOf(expected)}, found ${nameOf(actual)}`,
  buildNotAllInputParsedMessage: ({ firstRedundant }) =>
    `expected the end of the line, found ${nameOf(firstRedundant)}`,
  buildNoViableAltMessage: ({ actual, ruleName, expectedPathsPerAlt }) => {
    const firsts = new Set(expectedPathsPerAlt.flat().flatMap((path) => path.slice(0, 1).map(labelOf)));
    const either = Array.from(firsts).slice(0, 3).join(" or ");
    return `expected ${wanted[ruleName] ?? either}, found ${nameOf(actual[0] ?? actual[0]!)}`;
  },
  buildEarlyExitMessage: ({ actual, ruleName }) =>
    `expected ${wanted[ruleName] ?? "more"}, found ${nameOf(actual[0]!)}`,
};

/** Words of other languages, and what is said here instead. */
const foreign: Readonly<Record<string, string>> = {
  return: "the last expression of a block is its value; leave out `return`",
  let: "a name is bound by `x = …`; leave out `let`",
  var: "a name is bound by `x = …`; leave out `var`",
  and: "write `&&`",
  or: "write `||`",
  not: "write `!`",
  is: "write `==`",
  elif: "write `else if`",
  while: "loops are written `for i in 0..n { … }` or `repeat n { … }`",
  def: "write `block name(x: f32[N, D]) { … }`",
  function: "write `block name(x: f32[N, D]) { … }`",
  fn: "write `block name(x: f32[N, D]) { … }`",
  class: "write `block name(x: f32[N, D]) { … }`",
  layer: "write `block name(x: f32[N, D]) { … }`",
  lambda: "declare a `block` and pass its name",
  loss: "a loss is a `block`",
};

/** The mend for a line that could not be read, if the mistake is a known one. */
function mendFor(
  line: readonly IToken[],
  at: IToken,
  before: IToken | undefined,
  rules: readonly string[],
): string | undefined {
  const first = line[0];
  const rule = rules.at(-1) ?? "";
  if (first && foreign[first.image] && line.length > 1 && first.tokenType === kind.Identifier && before === first) {
    return foreign[first.image];
  }
  if (foreign[at.image] && /^(and|or|not|is)$/.test(at.image)) return foreign[at.image];
  if (before?.tokenType === kind.Identifier && before.image === "not") return foreign.not;
  if (at.tokenType === kind.If)
    return "`if` is a statement; choose a value by `where(condition, a, b)`, or assign in its braces";
  if (at.tokenType === kind.Else) return "`else` follows the `}` of its `if`";
  if (at.tokenType === kind.Dot) return "a number begins with a digit: `0.5`";
  if (rule === "parameters" && before?.tokenType === kind.Identifier && at.tokenType === kind.Identifier) {
    return `a parameter is written \`${excerpt(before.image)}: ${excerpt(at.image)}\``;
  }
  if (isEnd(at) && before && rules.includes("embedded")) return undefined;
  if (isEnd(at) && before) {
    if (before.tokenType.CATEGORIES?.length)
      return `a line goes on when the next one begins with \`${before.image}\`; move it there`;
    if (before.tokenType === kind.Equals) return "the value stands after `=`, or on the next line, further in";
    if (rules.includes("paramStatement")) return "a parameter names its initial value: `param w: f32[D] ~ zeros`";
    if (rule === "modelDeclaration") return "a model gives its outputs by name: `-> (logits: f32[N, 10]) { … }`";
    if (rule === "body") return "what follows is put in braces: `{ … }`";
  }
  if (rules.includes("paramStatement") && at.tokenType === kind.Equals) {
    return "a parameter is drawn from an initializer: `param w: f32[D] ~ zeros`";
  }
  if (rule === "modelDeclaration" && before?.tokenType === kind.Arrow) {
    return "a model gives its outputs by name: `-> (logits: f32[N, 10])`";
  }
  if (rules.includes("totalStatement") && at.tokenType === kind.Equals) return "a total is added to: `+=`";
  if (at.tokenType === kind.PlusEquals) return "only a `total` is added to; elsewhere write `x = x + …`";
  if (at.tokenType === kind.Colon && rules.length <= 2) return "only `param`, `state` and `total` are given a type";
  if (rule === "dim" && before?.tokenType === kind.Ellipsis) return "any number of dimensions has a name: `...B`";
  if (at.tokenType === kind.Equals && rules.includes("ifStatement")) return "compare with `==`";
  if (rule === "trainEntry" && at.tokenType === kind.Equals) return "entries of `train` are written `name: value`";
  if (rule === "importDeclaration" && before?.tokenType === kind.Import)
    return 'write `import { name } from "./file.dlm"`';
  if (
    [kind.Identifier, kind.NumberLiteral, kind.StringLiteral].some((k) => k === at.tokenType) &&
    rules.includes("callOf")
  ) {
    return "arguments are separated by `,`";
  }
  return undefined;
}

/** The keyword that a misspelt first word of a line stands for: `parm w: …`. */
function misspelt(line: readonly IToken[], at: IToken): string | undefined {
  const first = line[0];
  if (!first || line[1] !== at || first.tokenType !== kind.Identifier || foreign[first.image]) return undefined;
  if (at.tokenType !== kind.Identifier && at.tokenType !== kind.NumberLiteral) return undefined;
  return closest(first.image, [...kind.statementWords.keys(), ...kind.reserved.keys(), "repeat", "scan"]);
}

/** The diagnostic for a line that the grammar could not read. */
export function syntaxError(file: SourceFile, line: readonly IToken[], error: IRecognitionException): Diagnostic {
  const at = error.token;
  const index = line.indexOf(at);
  const before = index < 0 ? line.at(-1) : line[index - 1];
  const end = before ? kind.spanOfToken(before).end : 0;
  const found = kind.spanOfToken(at);
  const span: Span =
    isEnd(at) || found.end <= found.start
      ? { start: end, end }
      : at.tokenType === kind.Body
        ? { start: found.start, end: found.start + 1 }
        : found;
  const near = misspelt(line, at);
  if (near !== undefined) {
    const label = "no such statement";
    const help = `did you mean \`${near}\`?`;
    return errorAt(file, kind.spanOfToken(line[0]!), "syntax", `no statement begins with ${nameOf(line[0]!)}`, {
      label,
      help,
    });
  }
  const after = before && /^expected /.test(error.message) ? ` after ${nameOf(before)}` : "";
  const message = error.message.replace(/^(expected .*), found/s, `$1${after.replaceAll("$", "$$$$")}, found`);
  const inTemplate = error.context.ruleStack.includes("embedded");
  const expected = /^expected (.*?), found/s.exec(error.message)?.[1];
  const help = mendFor(line, at, before, error.context.ruleStack);
  const told = inTemplate ? message.replace("the end of the line", "`}`") : message;
  return errorAt(file, span, "syntax", told, {
    label: expected ? `expected ${expected}` : "not expected here",
    help,
  });
}

/** The diagnostic for a line outside every declaration. */
export function strayLine(file: SourceFile, line: readonly IToken[]): Diagnostic {
  const first = line[0]!;
  const span = kind.spanOfToken(first);
  const second = line[1]?.tokenType;
  const near = second === kind.Identifier ? closest(first.image, kind.declarationWords.keys()) : undefined;
  const help =
    near !== undefined
      ? `did you mean \`${near}\`?`
      : kind.declarationWords.has(first.image)
        ? `give it a name: \`${first.image} name …\``
        : second === kind.Equals
          ? `a value of the whole file is declared by \`const ${excerpt(first.image)} = …\``
          : (foreign[first.image] ??
            "a file holds import, const, block, model, train, metric, optimizer, schedule, initializer");
  const place = { start: span.start, end: first.tokenType === kind.Body ? span.start + 1 : span.end };
  return errorAt(file, place, "syntax", `expected a declaration, found ${nameOf(first)}`, {
    label: "outside every block and model",
    help,
  });
}
