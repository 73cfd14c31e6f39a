// Where the formatter breaks a row that is too long: at the outermost place, at its loosest operators, or between the items of a
// bracket.

import type { Atom } from "./format-atoms.ts";
import { strengthOf } from "./precedence.ts";
import * as kind from "./tokens.ts";

interface Group {
  readonly parent: number;
  readonly depth: number;
  /** 0 for pipes, 1 for commas, then operators from loose to tight. */
  rank: number;
  positions: number[];
}

/** Breaks the row of atoms `first` to `last` at the outermost place that there is; false when there is none. */
export function breakLongRow(atoms: readonly Atom[], first: number, last: number, room: number): boolean {
  for (let i = first; i <= last; i++) {
    const atom = atoms[i]!;
    if (!atom.inline) continue;
    atom.inline = false;
    return true;
  }
  const isEntry = atoms[1]?.token.tokenType === kind.Colon;
  const groups = new Map<number, Group>();
  const offer = (at: number, parent: number, depth: number, rank: number): void => {
    if (at <= first || at > last || atoms[at]!.breaks) return;
    const group = groups.get(parent) ?? { parent, depth, rank, positions: [] };
    if (rank < group.rank) group.positions = [];
    group.rank = Math.min(group.rank, rank);
    if (rank === group.rank) group.positions.push(at);
    groups.set(parent, group);
  };
  for (let i = first; i <= last; i++) {
    const { token, infix, parent, depth } = atoms[i]!;
    if (token.image === "|>") offer(i, parent, depth, 0);
    else if (token.tokenType === kind.Comma && (parent >= 0 || isEntry)) offer(i + 1, parent, depth, 1);
    else if (infix && token.image !== ".." && token.image !== "**")
      offer(i, parent, depth, 1 + strengthOf(token.image));
  }
  const [best] = Array.from(groups.values()).sort(
    (a, b) => a.depth - b.depth || b.positions.length - a.positions.length || a.parent - b.parent,
  );
  if (!best) return false;
  if (best.rank !== 1 || best.parent < 0) {
    for (const at of best.positions) atoms[at]!.breaks = true;
    return true;
  }
  const close = atoms.findIndex((a, i) => i > best.parent && a.closes && a.depth === atoms[best.parent]!.depth);
  const inside = atoms.slice(best.parent + 1, close);
  const isLiteral = ({ token: { tokenType } }: Atom): boolean =>
    [kind.NumberLiteral, kind.StringLiteral, kind.Comma, kind.Minus].some((k) => k === tokenType);
  atoms[best.parent + 1]!.breaks = true;
  atoms[close]!.breaks = true;
  let used = 0;
  for (const [i, atom] of inside.entries()) {
    const begins = atom.parent === best.parent && inside[i - 1]?.token.tokenType === kind.Comma;
    if (begins && inside[i - 1]?.parent === best.parent) {
      const width = atom.token.image.length + 3;
      // A list of literals is filled row by row; anything else gets a row for each item.
      if (!inside.every(isLiteral) || used + width > room) {
        atom.breaks = true;
        used = 0;
      }
    }
    used += atom.token.image.length + (atom.space ? 1 : 0);
  }
  return true;
}
