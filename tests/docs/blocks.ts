// The fenced code blocks of the documentation, with the place where each begins.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export interface Block {
  readonly file: string;
  /** The line of the opening fence, counted from 1. */
  readonly line: number;
  /** `dlm`, `sh`, `ts` … with whatever follows it: `dlm fragment`. */
  readonly language: string;
  readonly text: string;
}

export const root = join(import.meta.dirname, "../..");

/** All Markdown of the project: the files at its root and those in docs. */
export function documents(): readonly string[] {
  const top = readdirSync(root).filter((name) => name.endsWith(".md"));
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name));
  return [...top, ...docs].sort();
}

export function blocksOf(document: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  readFileSync(join(root, document), "utf8")
    .split("\n")
    .forEach((text, i) => {
      if (!text.startsWith("```")) open?.lines.push(text);
      else if (open) {
        blocks.push({ file: document, line: open.line, language: open.language, text: `${open.lines.join("\n")}\n` });
        open = undefined;
      } else open = { line: i + 1, language: text.slice(3).trim(), lines: [] };
    });
  return blocks;
}

export const describePlace = ({ file, line }: Block): string => `${relative(".", file)}:${line}`;
