import type { InMemoryDataset } from "./inMemoryDataset.ts";
import { range } from "./range.ts";
import { emptyLike, type StoredValues } from "./selectRows.ts";

/** The values of constant columns, by their index among the features and among the context features. */
export interface Constants {
  readonly values: ReadonlyMap<number, number>;
  readonly context: ReadonlyMap<number, number>;
}

const NO_CONSTANTS: Constants = { values: new Map(), context: new Map() };

/** Finds the columns that have the same value in all rows. */
export function constantColumns(data: InMemoryDataset): Constants {
  if (data.rows === 0) return NO_CONSTANTS;
  const constants = (table: StoredValues, width: number) => {
    const columns = range(width).filter((column) => isConstant(table, width, column, table[column]!));
    return new Map(Array.from(columns, (column) => [column, table[column]!] as const));
  };
  return {
    values: constants(data.storedValues, data.features),
    context: constants(data.context, data.contextFeatures),
  };
}

/** The constants that also have the same value in all rows of `data`. */
export function sameConstants(constants: Constants, data: InMemoryDataset): Constants {
  const same = (candidates: ReadonlyMap<number, number>, table: StoredValues, width: number) =>
    new Map([...candidates].filter(([column, value]) => isConstant(table, width, column, value)));
  return {
    values: same(constants.values, data.storedValues, data.features),
    context: same(constants.context, data.context, data.contextFeatures),
  };
}

function isConstant(table: StoredValues, width: number, column: number, value: number): boolean {
  for (let i = column; i < table.length; i += width) if (table[i] !== value) return false;
  return true;
}

/** Columns to remove, by their index among the features. */
export type Columns = Pick<ReadonlySet<number>, "has" | "size">;

/** The constants that are left when some features are removed, by their index among the remaining features. */
export function removeConstants({ values, context }: Constants, columns: Columns): Constants {
  const remaining = [...values].filter(([column]) => !columns.has(column));
  const removedBefore = (column: number) =>
    Array.from({ length: column }, (_, i) => i).filter((i) => columns.has(i)).length;
  return {
    values: new Map(remaining.map(([column, value]) => [column - removedBefore(column), value])),
    context,
  };
}

/** A dataset without some of its features. */
export function removeFeatures(data: InMemoryDataset, columns: Columns): InMemoryDataset {
  if (columns.size === 0) return data;
  const kept = range(data.features).filter((column) => !columns.has(column));
  // A loop, since `filter` of 16 million numbers needs 600 MB.
  const values = emptyLike(data.storedValues, data.rows * kept.length);
  for (let row = 0, i = 0; row < data.rows; row++)
    for (const column of kept) values[i++] = data.storedValues[row * data.features + column]!;
  return data.with({
    features: kept.length,
    values,
    columns: data.columns?.filter((_, i) => !columns.has(i)),
  });
}
