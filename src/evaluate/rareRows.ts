import type { RunOptions } from "../flows/index.ts";
import type { TableModel } from "../flows/tableModel.ts";
import type { TableRow } from "../tables/tableRows.ts";
import type { ScoredRows } from "./report.ts";

/** A row with a low log-density, and its least probable values. */
export interface RareRow {
  readonly row: TableRow;
  readonly logDensity: number;
  /**
   * The log-density of the value of each column given all other values, in nats, the lowest first, compared with its median over held-out
   * rows. Empty if the model has no exact conditional distributions.
   */
  readonly reasons: readonly {
    readonly name: string;
    readonly logDensity: number;
    readonly typical: number;
  }[];
}

const MAX_RARE_ROWS = 8;
/** Held-out rows that the medians are computed from. */
const MAX_TYPICAL_ROWS = 100;

/** The held-out rows with the lowest log-densities, and which of their values are improbable given the others. */
export async function rareRows(
  model: TableModel,
  { rows, logDensities }: ScoredRows,
  run: RunOptions = {},
): Promise<RareRow[]> {
  const order = Array.from(rows.keys()).sort((a, b) => logDensities[a] - logDensities[b]);
  const rarest = order.slice(0, MAX_RARE_ROWS);
  const scored = [...rarest, ...Array.from(rows.keys()).slice(0, MAX_TYPICAL_ROWS)].map((n) => rows[n]);
  const names = model.columns.flatMap(({ name, kind }) => (kind === "constant" ? [] : [name]));
  const reasons =
    model.hasConditionals && names.length > 1 ? await conditionals(model, scored, names, run) : [];
  return rarest.map((n, i) => ({
    row: rows[n],
    logDensity: logDensities[n],
    reasons: reasons
      .map(({ name, values }) => ({
        name,
        logDensity: values[i],
        typical: median(values.subarray(rarest.length)),
      }))
      .sort((a, b) => a.logDensity - a.typical - (b.logDensity - b.typical)),
  }));
}

/** log p(value | all other values) of each row, column by column. */
async function conditionals(
  model: TableModel,
  rows: readonly TableRow[],
  names: readonly string[],
  run: RunOptions,
): Promise<{ name: string; values: Float64Array }[]> {
  const conditional: { name: string; values: Float64Array }[] = [];
  for (const name of names) {
    const given = names.filter((each) => each !== name);
    conditional.push({ name, values: await model.score(rows, { of: [name], given, ...run }) });
  }
  return conditional;
}

const median = (values: Float64Array): number => values.slice().sort()[Math.floor(values.length / 2)];
