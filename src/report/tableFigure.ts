import { checkOptions, seedValue } from "../check/index.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import type { Flow, RunOptions } from "../flows/index.ts";
import { runRules } from "../runtime/index.ts";
import { decodeRows, type TableColumn } from "../tables/columns/index.ts";
import { drawnSamples } from "./drawnSamples.ts";
import { pairFigure } from "./pairFigure.ts";

/** Options of `tableFigure`. */
export interface TableFigureOptions extends RunOptions {
  /** Seed of the samples. Default 0. */
  readonly seed?: number | undefined;
}

/**
 * Rows of a table beside samples of its model, as an SVG document; see `pairFigure`. It shows the columns of numbers, and the rows in which
 * none of their values is missing. Undefined if there is no column of numbers, or if fewer than two rows are complete. The samples of a
 * conditional model have the contexts of the first rows.
 *
 * @throws ARGUMENT for options that are not valid; and what `pairFigure` throws.
 */
export async function tableFigure(
  table: readonly TableColumn[],
  flow: Flow,
  rows: InMemoryDataset,
  options: TableFigureOptions = {},
): Promise<string | undefined> {
  checkOptions("tableFigure", options, { ...runRules, seed: seedValue });
  const { seed = 0, ...run } = options;
  const isNumeric = ({ kind }: TableColumn) => kind === "continuous" || kind === "lattice";
  const columns = table.filter(isNumeric).map(({ name }) => name);
  const drawn = await drawnSamples(flow, rows, { ...run, seed });
  const numbers = (features: ArrayLike<number>): Float64Array => {
    const values = decodeRows(table, features).filter((_, c) => isNumeric(table[c]!));
    const complete = Array.from(values[0] ?? [], (_, n) => n).filter((n) =>
      values.every((column) => !Number.isNaN(column[n]!)),
    );
    return Float64Array.from(complete.flatMap((n) => values.map((column) => column[n]!)));
  };
  const [data, samples] = [numbers(rows.values), numbers(drawn)];
  if (columns.length === 0 || Math.min(data.length, samples.length) < 2 * columns.length) return undefined;
  return pairFigure({ columns, data, samples });
}
