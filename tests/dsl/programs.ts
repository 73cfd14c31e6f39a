// Random programs as text, with random blanks, line breaks and comments, for tests of the parser and the formatter.

import fc from "fast-check";

const names = ["x", "y", "hidden", "größe", "units", "state", "repeat", "from", "target"];
const name = fc.constantFrom(...names);
const gap = fc.constantFrom("", " ", "  ");
/** A line break where brackets allow one, with a comment at times. */
const soft = fc.constantFrom("", "", "", " ", "\n", "\n\n\n", " // why\n", "\n// own line\n");

const joined = (items: fc.Arbitrary<string>, min: number, max: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.tuple(soft, items, soft), { minLength: min, maxLength: max }), fc.boolean())
    .map(([list, trailing]) => {
      const text = list.map(([a, b, c]) => a + b + c).join(",");
      return list.length > 0 && trailing ? `${text},` : text;
    });

const { expression } = fc.letrec<{
  expression: string;
  operand: string;
  chain: string;
  item: string;
  argument: string;
}>((tie) => ({
  expression: fc.oneof({ maxDepth: 4 }, name, tie("operand"), tie("chain")),
  operand: fc.oneof(
    { maxDepth: 4 },
    name,
    fc.constantFrom("0", "3", "0.5", "1e-3", "10%", "true", "false", '"a b"', '"\\"{x}\\n"'),
    fc.tuple(name, joined(tie("argument"), 0, 3)).map(([f, list]) => `${f}(${list})`),
    fc.tuple(name, joined(tie("item"), 1, 3)).map(([f, list]) => `${f}[${list}]`),
    joined(tie("expression"), 0, 4).map((list) => `[${list}]`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(${a}, ${b})`),
    tie("expression").map((e) => `(${e})`),
    fc.tuple(fc.constantFrom("-", "!", "- "), tie("operand")).map(([sign, e]) => sign + e),
    tie("operand").map((e) => `sum(e, n) (${e})`),
    name.map((n) => `${n}.probs`),
  ),
  chain: fc
    .tuple(
      tie("operand"),
      fc.array(
        fc.tuple(
          fc.constantFrom(" ", "  ", "\n", " // note\n", "\n  // above\n    "),
          fc.constantFrom("+ ", "- ", "* ", "/ ", "% ", "@ ", "** ", "&& ", "|| ", "|> "),
          fc.oneof(tie("operand"), tie("operand")),
          name,
        ),
        { minLength: 1, maxLength: 4 },
      ),
    )
    // What follows `|>` must be a block, and nothing may follow it but another pipe.
    .map(([first, rest]) => {
      const pipes = rest.filter(([, op]) => op === "|> ").map(([blank, op, , f]) => `${blank}${op}${f}(1) as ${f}`);
      const others = rest.filter(([, op]) => op !== "|> ").map(([blank, op, operand]) => blank + op + operand);
      return first + others.join("") + pipes.join("");
    }),
  item: fc.oneof(
    { maxDepth: 3 },
    tie("expression"),
    fc.constantFrom("...", ":", "::2", "1:", ":-1", "0:3", "0:6:2"),
    fc.tuple(tie("operand"), tie("operand")).map(([a, b]) => `${a} : ${b}`),
  ),
  argument: tie("expression"),
}));

const dim = fc.constantFrom("N", "784", "4 * H", "T-1", "...B", "D / heads");
const type = fc.oneof(
  fc.array(dim, { maxLength: 3 }).map((dims) => `f32[${dims.join(",")}]`),
  fc.constantFrom("int", "int[2]", "fn", "T[...S]"),
);

const { statement } = fc.letrec<{ statement: string; body: string }>((tie) => ({
  statement: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(name, gap, expression).map(([n, g, e]) => `${n}${g}=${g}${e}`),
    fc.tuple(name, expression).map(([n, e]) => `${n} = // below\n\t\t${e}`),
    fc.tuple(name, type, name).map(([n, t, i]) => `param ${n}:${t}~${i}`),
    fc.tuple(name, expression).map(([n, e]) => `a, ${n} = ${e}`),
    fc.tuple(name, expression).map(([n, e]) => `${n}[i,j] = ${e}`),
    fc.tuple(name, expression).map(([n, e]) => `state ${n} = ${e}`),
    fc.tuple(name, expression).map(([n, e]) => `update ${n} = ${e}`),
    expression.map((e) => `assert ${e}, "D = {D} and {a + 1}"`),
    expression.map((e) => `(${e})`),
    fc.tuple(name, tie("body")).map(([n, b]) => `if ${n} ${b} else if !${n} ${b}\nelse ${b}`),
    fc.tuple(name, tie("body")).map(([n, b]) => `for i in 0..${n} ${b}`),
    tie("body").map((b) => `repeat 3 ${b}`),
    tie("body").map((b) => `ys = scan g in xs along 1 reversed carry h, c ${b}`),
  ),
  body: fc
    .array(
      fc.tuple(fc.constantFrom("", "// before\n", "\n\n", "\t"), tie("statement"), fc.constantFrom("", " // after")),
      {
        maxLength: 3,
      },
    )
    .map((list) => `{\n${list.map(([before, s, after]) => `${before}${s}${after}\n`).join("")}}`),
}));

const declaration = fc.oneof(
  fc.tuple(name, expression).map(([n, e]) => `const ${n} = ${e}`),
  fc.tuple(name, type, expression).map(([n, t, e]) => `/// what it is\nblock ${n}(x:${t}, k:int=3)->${t}=${e}`),
  fc
    .tuple(name, fc.array(statement, { maxLength: 4 }))
    .map(([n, list]) => `model ${n}(x: f32[N]) -> (y: f32[N]) { // open\n${list.join("\n")}\n// end\n}`),
  fc
    .array(expression, { minLength: 1, maxLength: 3 })
    .map((list) => `train M {\n target y: f32[N]\n metrics:${list.join(",")}, patience: 3\n epochs:1\n}`),
  fc.constantFrom('import {a,b as c,} from "./x.dlm"', "// only a comment"),
);

/** A program without mistakes. */
export const programs = fc
  .array(fc.tuple(fc.constantFrom("", "\n", "\n\n\n", "// note\n"), declaration), { maxLength: 4 })
  .map((list) => list.map(([before, text]) => `${before}${text}\n`).join(""));
