import type { TrainingRows } from "./rows.ts";

/** The values of constant columns, by their place among those of the data and of the context. */
export interface Constants {
  readonly values: ReadonlyMap<number, number>;
  readonly context: ReadonlyMap<number, number>;
}

const NO_CONSTANTS: Constants = { values: new Map(), context: new Map() };

/** The columns that have the same value in all rows. */
export function constantColumns({ rows, values, context }: TrainingRows): Constants {
  if (rows === 0) return NO_CONSTANTS;
  const ofFirstRow = (table: Float64Array) => new Map(table.subarray(0, table.length / rows).entries());
  const first = { values: ofFirstRow(values), context: ofFirstRow(context) };
  return sameConstants(first, { rows, values, context });
}

/** Those of `constants` that further rows have too. */
export function sameConstants(
  constants: Constants,
  { rows, values, context }: Pick<TrainingRows, "rows" | "values" | "context">,
): Constants {
  const same = (known: ReadonlyMap<number, number>, table: Float64Array) =>
    new Map([...known].filter(([column, value]) => isConstant(table, table.length / rows, column, value)));
  return { values: same(constants.values, values), context: same(constants.context, context) };
}

function isConstant(table: Float64Array, width: number, column: number, value: number): boolean {
  for (let i = column; i < table.length; i += width) if (table[i] !== value) return false;
  return true;
}

/** Columns to leave out. */
export type Columns = Pick<ReadonlySet<number>, "has" | "size">;

/** The constants of rows without some of their columns: the places of those that are left. */
export function constantsWithout({ values, context }: Constants, columns: Columns): Constants {
  const left = [...values].filter(([column]) => !columns.has(column));
  const removedBefore = (column: number) =>
    Array.from({ length: column }, (_, i) => i).filter((i) => columns.has(i)).length;
  return { values: new Map(left.map(([column, value]) => [column - removedBefore(column), value])), context };
}

/** Rows without some of their columns. */
export function rowsWithout<T extends Pick<TrainingRows, "rows" | "values">>(data: T, columns: Columns): T {
  if (columns.size === 0) return data;
  const width = data.values.length / data.rows;
  return { ...data, values: data.values.filter((_, i) => !columns.has(i % width)) };
}
