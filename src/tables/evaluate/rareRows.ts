import type { RunOptions } from "../../flows/index.ts";
import type { AnomalyReason } from "../anomalies/index.ts";
import type { TableRow } from "../columns/index.ts";
import type { TableModel } from "../model/index.ts";
import type { ScoredRows } from "./report.ts";

/** A row with a low log-density, and which of its values are unusual. */
export interface RareRow {
  readonly row: TableRow;
  /** In nats and data units. */
  readonly logDensity: number;
  /**
   * How improbable the value of each column is given all other values, or how much rarer than an average value of the column
   * (`AnomalyReason.conditional`). Empty if the model has no exact conditional distributions.
   */
  readonly reasons: readonly AnomalyReason[];
}

const MAX_RARE_ROWS = 8;

/** The held-out rows with the lowest log-densities, and which of their values are unusual. */
export async function rareRows(
  model: TableModel,
  { rows, logDensities }: ScoredRows,
  run: RunOptions = {},
): Promise<RareRow[]> {
  const rarest = Array.from(rows.keys())
    .sort((a, b) => logDensities[a] - logDensities[b])
    .slice(0, MAX_RARE_ROWS);
  const { values, present } = model.positionsOf(rarest.map((n) => rows[n]));
  const reasons = model.hasConditionals
    ? await model.anomalyReasons({ positions: values, present }, run)
    : [];
  return rarest.map((n, i) => ({ row: rows[n], logDensity: logDensities[n], reasons: reasons[i] ?? [] }));
}
