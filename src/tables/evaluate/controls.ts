import { checkOptions, integerFrom, seedValue } from "../../check/index.ts";
import { Random } from "../../random/index.ts";
import { rowObjects, type TableInput } from "../columns/index.ts";

/** A statistic of generated rows, and its values for two other tables, which show its scale. */
export interface Controlled<T> {
  readonly generated: T;
  /** For copied training rows, which have the distribution of real rows, although a copy is worthless. */
  readonly copied: T;
  /** For training rows with independently shuffled columns, as a model without any dependence between columns would draw. */
  readonly shuffled: T;
}

/** Options of `controlTables`. */
export interface ControlOptions {
  /** Number of rows of each table; fewer if there are fewer training rows. Default: the number of training rows. */
  readonly rows?: number | undefined;
  /** Seed of the choice of rows and of the shuffling. Default 0. */
  readonly seed?: number | undefined;
}

/**
 * The tables that replace generated rows as controls: copied training rows, and the same rows with independently shuffled columns, both as
 * arrays of objects. Throws `ARGUMENT` if the options are not valid.
 */
export function controlTables(
  training: TableInput,
  options: ControlOptions = {},
): Omit<Controlled<TableInput>, "generated"> {
  checkOptions("controlTables", options, { rows: integerFrom(0), seed: seedValue });
  const { rows, seed = 0 } = options;
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

/**
 * Computes a statistic of generated rows and of both controls: `statistic` is called once for each of the three tables, which may have any
 * form, such as arrays of rows.
 */
export const withControls = <Rows, T>(
  tables: Controlled<Rows>,
  statistic: (rows: Rows) => T,
): Controlled<T> => ({
  generated: statistic(tables.generated),
  copied: statistic(tables.copied),
  shuffled: statistic(tables.shuffled),
});
