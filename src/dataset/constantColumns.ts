import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** The values of constant columns, by their place among the features and among the context features. */
export interface Constants {
  readonly values: ReadonlyMap<number, number>;
  readonly context: ReadonlyMap<number, number>;
}

const NO_CONSTANTS: Constants = { values: new Map(), context: new Map() };

/** The columns that have the same value in all rows. */
export function constantColumns(data: InMemoryDataset): Constants {
  if (data.rows === 0) return NO_CONSTANTS;
  const ofFirstRow = (table: Float64Array, width: number) => new Map(table.subarray(0, width).entries());
  const first = {
    values: ofFirstRow(data.values, data.features),
    context: ofFirstRow(data.context, data.contextFeatures),
  };
  return sameConstants(first, data);
}

/** Those of `constants` that further rows have too. */
export function sameConstants(constants: Constants, data: InMemoryDataset): Constants {
  const same = (known: ReadonlyMap<number, number>, table: Float64Array, width: number) =>
    new Map([...known].filter(([column, value]) => isConstant(table, width, column, value)));
  return {
    values: same(constants.values, data.values, data.features),
    context: same(constants.context, data.context, data.contextFeatures),
  };
}

function isConstant(table: Float64Array, width: number, column: number, value: number): boolean {
  for (let i = column; i < table.length; i += width) if (table[i] !== value) return false;
  return true;
}

/** Columns to leave out, by their place among the features. */
export type Columns = Pick<ReadonlySet<number>, "has" | "size">;

/** The constants of rows without some of their features: the places of those that are left. */
export function constantsWithout({ values, context }: Constants, columns: Columns): Constants {
  const left = [...values].filter(([column]) => !columns.has(column));
  const removedBefore = (column: number) =>
    Array.from({ length: column }, (_, i) => i).filter((i) => columns.has(i)).length;
  return { values: new Map(left.map(([column, value]) => [column - removedBefore(column), value])), context };
}

/** Rows without some of their features. */
export function withoutFeatures(data: InMemoryDataset, columns: Columns): InMemoryDataset {
  if (columns.size === 0) return data;
  return data.with({
    features: data.features - columns.size,
    values: data.values.filter((_, i) => !columns.has(i % data.features)),
    columns: data.columns?.filter((_, i) => !columns.has(i)),
  });
}
