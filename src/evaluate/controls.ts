import { Random } from "../random/index.ts";
import { rowObjects, type TableInput } from "../tables/tableRows.ts";

/** A statistic of generated rows, beside what it is for two tables that show its scale. */
export interface Controlled<T> {
  readonly generated: T;
  /** For copied training rows: what rows of the same distribution reach, although a copy is worthless. */
  readonly copied: T;
  /** For training rows whose columns are shuffled independently: what a model without any dependence between columns reaches. */
  readonly shuffled: T;
}

/** Options of `controlTables`. */
export interface ControlOptions {
  /** Number of rows of each table; fewer if there are fewer training rows. Default: that of the training rows. */
  readonly rows?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** The tables that stand in the place of generated rows as controls: copied training rows, and the same with shuffled columns. */
export function controlTables(
  training: TableInput,
  { rows, seed = 0 }: ControlOptions = {},
): Omit<Controlled<TableInput>, "generated"> {
  const all = rowObjects(training);
  const random = new Random(seed).split("controls");
  const copied = Array.from(random.permutation(all.length).subarray(0, rows ?? all.length), (n) => all[n]);
  const names = [...new Set(copied.flatMap((row) => Object.keys(row)))];
  const orders = names.map((name) => random.split(name).permutation(copied.length));
  const shuffled = copied.map((_, n) =>
    Object.fromEntries(names.map((name, c) => [name, copied[orders[c][n]][name]])),
  );
  return { copied, shuffled };
}

/** Computes a statistic of generated rows and of both controls. */
export const withControls = <Rows, T>(
  tables: Controlled<Rows>,
  statistic: (rows: Rows) => T,
): Controlled<T> => ({
  generated: statistic(tables.generated),
  copied: statistic(tables.copied),
  shuffled: statistic(tables.shuffled),
});
