// The meaning of string literals: escapes, and the pieces of a template (`"D = {D}"`).

/** A piece of a template: text, or where an expression stands in the file. */
export type TemplatePiece = string | { readonly start: number; readonly end: number };

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** One character of a literal from `at` on, its escape resolved, and where the next one begins. */
function characterAt(image: string, at: number): { text: string; next: number } {
  const character = image[at]!;
  if (character !== "\\") return { text: character, next: at + 1 };
  const code = /^\\u\{([0-9a-fA-F]{1,6})\}/.exec(image.slice(at, at + 11));
  if (code) {
    const point = Number.parseInt(code[1]!, 16);
    return { text: point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd", next: at + code[0].length };
  }
  const escaped = image[at + 1] ?? "";
  return { text: escapes[escaped] ?? escaped, next: at + 2 };
}

const contentEnd = (image: string): number =>
  image.length > 1 && image.endsWith('"') ? image.length - 1 : image.length;

/** The text that a literal, quotes included, stands for: `\n \t \r \" \\ \{ \u{1F600}`; others stand for themselves. */
export function parseString(image: string): string {
  if (!image.includes("\\")) return image.slice(1, contentEnd(image));
  const parts: string[] = [];
  for (let at = 1; at < contentEnd(image); ) {
    const { text, next } = characterAt(image, at);
    parts.push(text);
    at = next;
  }
  return parts.join("");
}

/** The pieces of a template literal that begins at `start` of its file, or where a brace is left open. */
export function parseTemplate(image: string, start: number): { pieces: TemplatePiece[]; unclosed?: number } {
  const pieces: TemplatePiece[] = [];
  const end = contentEnd(image);
  let text = "";
  for (let at = 1; at < end; ) {
    if (image[at] === "{") {
      const close = image.indexOf("}", at);
      if (close < 0 || close >= end) return { pieces, unclosed: start + at };
      if (text) pieces.push(text);
      text = "";
      pieces.push({ start: start + at + 1, end: start + close });
      at = close + 1;
      continue;
    }
    const { text: next, next: after } = characterAt(image, at);
    text += next;
    at = after;
  }
  if (text) pieces.push(text);
  return { pieces };
}
