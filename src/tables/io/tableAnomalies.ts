import { interruptedError } from "../../files/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import type { AnomalyReason } from "../anomalies/index.ts";
import { featureNames, type TableColumn, type TableRow, typedText } from "../columns/index.ts";
import type { TableModel } from "../model/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import { ANOMALY_COLUMNS, addedNames } from "./addedColumns.ts";
import { withDates } from "./contentsOfText.ts";
import { nanToNull } from "./copy.ts";
import { type Chunks, textLiteral } from "./database.ts";
import { fileColumns } from "./fileColumns.ts";
import { noScoredRow } from "./noScoredRow.ts";
import type { Column } from "./relation.ts";
import { scanFeatures } from "./scanFeatures.ts";
import type { Table } from "./table.ts";
import { numberExpression, textExpression } from "./valueExpressions.ts";
import { isDelimited, writeJoined } from "./writeJoined.ts";
import { outputColumns } from "./writeScored.ts";

/** Options of `scoreAnomalies`. */
interface ScoreAnomaliesOptions extends RunOptions {
  /** Called after each block with the number of rows that are done. */
  onProgress?: ((rows: number) => void) | undefined;
}

/**
 * The anomaly scores of all rows of a table (`TableModel.anomalies`); NaN for rows with a missing value in a column that had no missing values in training.
 *
 * @throws ARGUMENT if the model cannot score anomalies; DATA if a column is missing or has a different type from the one that the model learned, and for
 *   infinite values; FILE; INTERRUPTED.
 */
export async function scoreAnomalies(
  model: TableModel,
  table: Table,
  { onProgress, ...run }: ScoreAnomaliesOptions = {},
): Promise<Float64Array> {
  const scan = await scanFeatures(table, model.columns, { positions: true });
  const scores = new Float64Array(table.rows).fill(Number.NaN);
  for await (const { start, rows, status } of scan.blocks()) {
    if (table.database.signal?.aborted) throw interruptedError(table.source);
    // The file has grown since it was opened: the scan throws an error at its end.
    if (start - 1 + rows.rows > table.rows) continue;
    scores.set(await model.anomalyScores(rows.values, status, run), start - 1);
    onProgress?.(start - 1 + rows.rows);
  }
  if (scores.every(Number.isNaN)) throw await noScoredRow(table, scan);
  return scores;
}

/**
 * The reasons for the scores of some rows, which `selected` lists by their index, counted from 0. Reads the table twice, and throws the
 * errors of `scoreAnomalies`.
 */
export async function explainTableRows(
  model: TableModel,
  table: Table,
  selected: readonly number[],
  run: RunOptions = {},
): Promise<AnomalyReason[][]> {
  if (selected.length === 0) return [];
  const D = model.columns.flatMap(featureNames).length;
  const features = new Float64Array(selected.length * D);
  const scan = await scanFeatures(table, model.columns, { positions: true });
  for await (const { start, rows } of scan.blocks()) {
    for (const [i, row] of selected.entries()) {
      const n = row - (start - 1);
      if (n >= 0 && n < rows.rows) features.set(rows.values.subarray(n * D, (n + 1) * D), i * D);
    }
  }
  const values = await readValues(table, model.columns, selected);
  return model.anomalyReasons({ positions: features, present: (n) => values.get(selected[n]!) ?? {} }, run);
}

/** The values of the selected rows in the columns of a model, by the index of the row. */
async function readValues(
  table: Table,
  columns: readonly TableColumn[],
  selected: readonly number[],
): Promise<Map<number, TableRow>> {
  const values: string[] = [];
  for (const learned of columns) {
    const column = table.columns.find(({ name }) => name === learned.name)!;
    values.push(
      `CAST(${await valueExpression(table, column, learned)} AS VARCHAR) AS ${quotedIdentifier(learned.name)}`,
    );
  }
  const numbered = `SELECT ${values.join(", ")}, row_number() OVER () - 1 AS "row number of pushforward" FROM ${table.relation.sql}`;
  const found = await table.database.run(
    `SELECT * FROM (${numbered}) WHERE "row number of pushforward" IN (${selected.join(", ")})`,
  );
  return new Map(
    found.map((row) => [
      Number(row[columns.length]),
      Object.fromEntries(
        columns.map((column, c) => [column.name, presentValue(column, row[c] as string | null)]),
      ),
    ]),
  );
}

/**
 * The SQL of the value of a column that reasons show. Text and numbers are shown as they are written. Booleans, dates and times are shown as the
 * model has learned them, whatever their notation in this table.
 */
async function valueExpression(table: Table, column: Column, { type }: TableColumn): Promise<string> {
  if (type === "text" || type === "number" || type === "integer") return textExpression(table, column);
  return numberExpression(table, await withDates(table, column, type), type)!;
}

function presentValue({ type }: TableColumn, text: string | null): TableRow[string] {
  if (text === null || text.trim() === "") return null;
  if (type === "text") return text;
  if (/^[-+]?nan$/i.test(text.trim())) return null;
  const value = Number(text);
  if (type === "boolean") return value === 1;
  // A number with a decimal comma is shown as it is written.
  if (type === "number" || type === "integer") return Number.isNaN(value) ? text : value;
  return typedText(type, value);
}

/** What `writeAnomalies` writes beside each row. */
interface WrittenAnomalies {
  readonly scores: Float64Array;
  readonly pValues: Float64Array;
  /** The first reason of some rows: the name of a column, by the index of the row. */
  readonly reasons: ReadonlyMap<number, string>;
}

/**
 * Writes the table with the additional columns `anomaly_score`, `p_value` and `reason`, as `writeScored` writes it with log-densities. A
 * reason is missing in rows without one, and all are missing in rows without a score.
 *
 * A name that one of the `modelColumns` has gets the suffix `_2`.
 *
 * @throws DATA if the table has another column of these names; and what `writeScored` throws.
 */
export async function writeAnomalies(
  table: Table,
  { scores, pValues, reasons }: WrittenAnomalies,
  destination: string | NodeJS.WritableStream,
  modelColumns: readonly string[],
): Promise<void> {
  const ofFiles = fileColumns(table);
  const added = addedNames(table, [...ofFiles.map(({ name }) => name), ...ANOMALY_COLUMNS], modelColumns);
  const names = [...new Set(reasons.values())];
  const chunks: Chunks = [
    Float64Array.from({ length: 3 * scores.length }, (_, i) => {
      const row = Math.floor(i / 3);
      const reason = reasons.get(row);
      return [scores[row]!, pValues[row]!, reason === undefined ? Number.NaN : names.indexOf(reason)][i % 3]!;
    }),
  ];
  const labels = names.map((name, i) => `WHEN ${i} THEN ${textLiteral(name)}`).join(" ");
  const reason = names.length === 0 ? "CAST(NULL AS VARCHAR)" : `CASE computed.c2 ${labels} END`;
  const { sql, text = sql } = table.relation;
  await writeJoined(table, { what: "The scores", width: 3, chunks }, destination, async (format) => ({
    columns: [
      ...(await outputColumns(table, modelColumns, format)),
      ...[
        ...ofFiles,
        { type: "DOUBLE", value: nanToNull("computed.c0") },
        { type: "DOUBLE", value: nanToNull("computed.c1") },
        { type: "VARCHAR", value: reason },
      ].map((column, i) => ({ ...column, name: added[i]! })),
    ],
    original: isDelimited(format) ? text : sql,
  }));
}
