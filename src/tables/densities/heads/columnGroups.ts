import { type ColumnHead, shapeKey } from "./columnHead.ts";
import { HeadGroup } from "./headGroup.ts";

/** Columns whose distributions are computed together. */
export interface ColumnGroup {
  readonly head: HeadGroup;
  /** The indices of the columns. */
  readonly columns: readonly number[];
}

/** The columns whose heads have equal keys, for each key. */
export function columnsByKey(heads: readonly ColumnHead[], keyOf: (head: ColumnHead) => string): number[][] {
  const byKey = new Map<string, number[]>();
  for (const [i, head] of heads.entries()) {
    const key = keyOf(head);
    const columns = byKey.get(key);
    if (columns) columns.push(i);
    else byKey.set(key, [i]);
  }
  return [...byKey.values()];
}

/** All columns in groups whose parameters and encodings have equal shapes. */
export const columnsOfEqualShapes = (heads: readonly ColumnHead[]): ColumnGroup[] =>
  columnsByKey(heads, shapeKey).map((columns) => columnGroup(heads, columns));

/** A group of these columns of a table with these heads. */
export const columnGroup = (heads: readonly ColumnHead[], columns: readonly number[]): ColumnGroup => ({
  head: new HeadGroup(columns.map((i) => heads[i])),
  columns,
});
