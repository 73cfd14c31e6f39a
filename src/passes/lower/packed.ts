// Loops over tiles whose columns are copied side by side first: the panel of a tile of columns, or those of a block of them, is filled
// before all rows go past it.

import { k } from "../../ir/kernel/build.ts";
import type { Expr, Stmt } from "../../ir/kernel/types.ts";
import type { Packed } from "./choice.ts";
import { type ColumnBlock, inColumnBlocks } from "./column-blocks.ts";
import { type Ahead, inLanes, nest, type Within } from "./draft.ts";
import type { Panel } from "./panel.ts";
import { type Arrangement, type Positions, panelAt, type Tiling } from "./tiling.ts";

/** Scratch arrays, and the loops that need them. */
export interface PackedLoops {
  readonly scratch: readonly Stmt[];
  readonly loops: readonly Stmt[];
  /** Where tiles of columns come in blocks. */
  readonly block: ColumnBlock | undefined;
  /** The panels of all columns, where what they are filled from is the same from run to run; then the loops fill none. */
  readonly ahead: Ahead | undefined;
}

export function lowerPacked(tiling: Tiling, { length, block, isAhead }: Packed): PackedLoops {
  const { draft, first, shape, order, arrangements, axisOf, tile } = tiling;
  const columns = order[0]!;
  const name = draft.fresh("panel");
  const { dtype } = first.node.results[0]!.type;
  const { lanes } = draft.tiles;
  const size = shape[columns.axis]!;
  // Whole vectors may leave some columns.
  const isUneven = columns.axis === tiling.lanes && (typeof size !== "number" || size % lanes !== 0);
  const tail = isUneven ? draft.fresh("tail") : undefined;
  type Some = (arranged: Arrangement, positions: Positions, within: Within) => readonly Stmt[];
  const overRows = (vector: boolean, some: Some): readonly Stmt[] =>
    arrangements.flatMap((arranged) =>
      nest(arranged.slice(1).map(axisOf), draft.fresh, (positions, { inside }) =>
        some(arranged, positions, { vector, inside }),
      ),
    );
  /** Panels that are kept lie side by side, those of scratch memory in each other's place. */
  const among = (at: readonly Expr[]) => (isAhead ? { distance: at[0]! } : {});
  const panelOf = (at: readonly Expr[], vector: boolean): Panel | undefined =>
    panelAt(tiling, first, name, at, vector, among(at));
  const paddedOf = (at: readonly Expr[], vector: boolean): Panel | undefined =>
    vector || !tail
      ? undefined
      : panelAt(tiling, first, name, at.slice(0, 1), true, { columns: at.length, ...among(at) });
  const fillOf = (panel: Panel | undefined): readonly Stmt[] => (isAhead ? [] : (panel?.fill ?? []));
  // Panels that are kept need no block to be filled together; it may still let rows be read once for several of them.
  const blocks =
    block && (block.rowsOutside || !isAhead)
      ? inColumnBlocks(
          draft,
          columns.width,
          block,
          (at, some) => (isAhead ? panelOf(at, true) : panelAt(tiling, first, name, at, true, some)),
          (panel, at, inBlock) =>
            overRows(true, (arranged, positions, within) => inBlock(tile(arranged, [at, ...positions], within, panel))),
          !isAhead,
        )
      : undefined;
  const outermost = blocks ? { ...axisOf(columns), from: block!.end } : axisOf(columns);
  const loops = nest([outermost], draft.fresh, ([at], { vector }) => {
    const padded = paddedOf(at!, vector);
    if (padded && tail) {
      const tiles = overRows(vector, (arranged, positions, { inside }) =>
        storeFromTail(tiling, arranged, [at!, ...positions], inside.length > 0, padded, tail),
      );
      return [...fillOf(padded), ...tiles];
    }
    const panel = panelOf(at!, vector);
    const tiles = overRows(vector, (arranged, positions, within) => tile(arranged, [at!, ...positions], within, panel));
    return [...fillOf(panel), ...tiles];
  });
  const most = Math.max(...arrangements.flat().map(({ role, width }) => (role === "m" ? width : 1)));
  const panels = blocks ? (length * block!.width) / columns.width : length;
  const whole = tiling.lanes === columns.axis ? lanes : 1;
  return {
    scratch: [
      ...(isAhead ? [] : [k.alloc(name, dtype, panels)]),
      ...(tail ? [k.alloc(tail, dtype, most * lanes)] : []),
    ],
    loops: [...(blocks ?? []), ...loops],
    block: blocks && block,
    ahead:
      isAhead && typeof size === "number"
        ? {
            name,
            dtype,
            length: (Math.ceil(size / whole) * whole * length) / columns.width,
            fill: nest(
              [axisOf(columns)],
              draft.fresh,
              ([at], { vector }) => (paddedOf(at!, vector) ?? panelOf(at!, vector))?.fill ?? [],
            ),
          }
        : undefined,
  };
}

/** A vector of columns that is not full: its sums go to scratch memory, one row behind the other, and what exists of them to the result. */
function storeFromTail(
  { draft, first, lane, accumulate, pointsAt, store }: Tiling,
  arranged: Arrangement,
  [columns, ...rows]: Positions,
  inside: boolean,
  panel: Panel,
  tail: string,
): readonly Stmt[] {
  const result = first.node.results[0]!;
  const { lanes } = draft.tiles;
  const sums = inLanes(lane.name, true, lane.role, (at: Expr) => {
    const points = pointsAt(arranged, [columns!.slice(0, 1), ...rows], at);
    const whole = accumulate(arranged, points, inside, panel);
    const stores = points.map((point, i) => k.store(tail, k.add(at, i * lanes), draft.elements.element(result, point)));
    return [...whole, ...stores];
  });
  const points = pointsAt(arranged, [columns!, ...rows], k.index(0));
  points.forEach((point, i) => {
    // Columns are the inner of both: see pointsOf.
    const [row, column] = [Math.floor(i / columns!.length), i % columns!.length];
    draft.elements.define(result, point, k.load(tail, row * lanes + column, result.type.dtype));
  });
  return [...sums, ...store(points)];
}
