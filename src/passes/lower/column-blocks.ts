// Several tiles of columns at a time: their panels are filled together, so that whole lines of the cache are copied. Where rows are more
// than the cache holds, each tile of rows then goes past all of them, and rows are read once for a block of columns, not for each tile.

import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import type { OuterPlan } from "../schedule/reduction.ts";
import type { TileTable } from "../schedule/tiles.ts";
import type { Draft } from "./draft.ts";
import type { Panel, PanelOptions } from "./panel.ts";

/** Columns of a block; whole tiles of them end at `end`. */
export interface ColumnBlock {
  readonly width: number;
  readonly end: number;
  /** Whether rows are the outer loop. */
  readonly rowsOutside: boolean;
}

/**
 * How `size` columns are blocked whose panels have `length` elements a tile, for so many elements of rows; undefined where a block
 * would be one tile.
 */
export function columnBlockOf(
  { width }: OuterPlan,
  size: number,
  length: number,
  rows: number,
  { columnBlock }: TileTable,
): ColumnBlock | undefined {
  const tiles = Math.floor(
    Math.min(columnBlock.columns / width, size / columnBlock.parts / width, columnBlock.panels / length),
  );
  return tiles < 2
    ? undefined
    : { width: tiles * width, end: size - (size % width), rowsOutside: rows > columnBlock.rows };
}

/** For readers. */
export const noteOf = ({ width, rowsOutside }: ColumnBlock): string =>
  rowsOutside
    ? `split n by ${width}, and reorder to n_block, m, n: there are more rows than the cache holds`
    : `split n by ${width}, whose panels are filled together: whole lines of the cache are copied`;

/**
 * The loop over blocks. `panelAt` makes the panel of the tile whose vectors of columns are at `at`; `rows` makes the loops over rows, with
 * the loop over tiles of columns inside if that is given. Panels are filled here unless `fills` is false.
 */
export function inColumnBlocks(
  { fresh, tiles: { lanes } }: Draft,
  tile: number,
  { width, end, rowsOutside }: ColumnBlock,
  panelAt: (at: readonly Expr[], among: Required<Pick<PanelOptions, "distance" | "each">>) => Panel | undefined,
  rows: (panel: Panel, at: readonly Expr[], each: (body: readonly Stmt[]) => readonly Stmt[]) => readonly Stmt[],
  fills: boolean,
): readonly Stmt[] | undefined {
  const [block, column] = [fresh("n_block"), fresh("n")];
  const [start, first] = [k.variable(block, "index"), k.variable(column, "index")];
  const limit = end % width === 0 ? k.add(start, width) : k.minimum(k.add(start, width), end);
  const each = (body: readonly Stmt[]): readonly Stmt[] => [
    k.loop(column, limit, body, { from: start, step: tile, role: "n" }),
  ];
  const at = Array.from({ length: tile / lanes }, (_, i) => k.add(first, i * lanes));
  const panel = panelAt(at, { distance: k.subtract(first, start), each });
  if (!panel) return undefined;
  const products = rowsOutside ? rows(panel, at, each) : each(rows(panel, at, (body) => body));
  return [
    k.loop(block, end, [...(fills ? panel.fill : []), ...products], { step: width, mode: "parallel", role: "n" }),
  ];
}
