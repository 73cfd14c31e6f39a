// Measures of text: lines and columns in a file, the width of characters on a terminal, and how far apart two names are.
// Shared by everything that reports a place in a file.

/** A place as people and editors count it, from 1; a column is one UTF-16 unit, as in editors. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Offsets at which the lines of `text` begin; `\n`, `\r\n` and a lone `\r` end a line. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
  }
  return starts;
}

/** The line and column of `offset`, by binary search in the starts of lines. */
export function positionIn(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

/** How many cells of a terminal one character takes: 0, 1 or 2. */
export function cellsOf(character: string): number {
  if (character.length === 1 && character < "\u0300") return 1;
  if (zeroWidth.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** At most `limit` characters of `text`, on one line, with an ellipsis where something was left out. */
export function excerpt(text: string, limit = 40): string {
  const head = text.slice(0, limit + 1).replace(/\s+/g, " ");
  return text.length > limit ? `${head.slice(0, limit - 1)}…` : head;
}

/**
 * The least number of insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`
 * (optimal string alignment), or `limit + 1` as soon as it is sure to exceed `limit`.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + differs);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    if (Math.min(...row) > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return Math.min(last[b.length]!, limit + 1);
}

/**
 * The candidate that a misspelt `name` most likely means, or undefined when none is near: up to one slip in three
 * characters, letter case counting as half a slip.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined;
  // One letter is no misspelling of another.
  const limit = name.length === 1 ? 0.5 : Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestCost = limit + 1;
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const exact = editDistance(name, candidate, limit);
    const folded = editDistance(name.toLowerCase(), candidate.toLowerCase(), limit) + 0.5;
    const cost = Math.min(exact, folded);
    if (cost < bestCost) {
      best = candidate;
      bestCost = cost;
    }
  }
  return best;
}
