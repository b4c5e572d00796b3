import { createColors } from "picocolors";
import { count, counted, withDecimals } from "../check/index.ts";
import type { Anomaly, AnomalyReason } from "../tables/anomalies/index.ts";
import { expectedText, shortNumber, valueText } from "../tables/evaluate/index.ts";
import type { TableAnomalies } from "../tables/model/index.ts";
import { alignedRows, singleLine } from "./format.ts";
import { type Io, supportsColor } from "./io.ts";

/** A row that is reported, counted from 1. */
interface FoundAnomaly extends Anomaly {
  /** Only for several files: that of the row, and the number of the row there. */
  readonly file?: string;
  readonly fileRow?: number;
}

/** The anomalies of a table. */
interface FoundAnomalies extends TableAnomalies {
  readonly anomalies: readonly FoundAnomaly[];
  /** The name of the table. */
  readonly source: string;
}

/** The number of reasons that are shown for a row, at most: further ones rarely say more. */
const MAX_REASONS = 3;
/** Reasons with a smaller gain are not shown, except the first: the gain of an ordinary value is 0 on average. */
const MIN_GAIN_NATS = 1;
const MAX_VALUE_LENGTH = 40;

/** What `--json` prints. */
export function anomalyEvent({
  scores,
  calibrationRows,
  expectedFalseAlarms,
  discoveries,
  isTrainingTable,
  anomalies,
}: FoundAnomalies) {
  return {
    rows: scores.length,
    scored: scoredRows(scores),
    calibrationRows,
    expectedFalseAlarms,
    ...(discoveries !== undefined && { discoveries }),
    isTrainingTable,
    anomalies,
  };
}

/** The report for people. */
export function anomalyReport(found: FoundAnomalies, { stdout, env }: Io): string {
  const { bold } = createColors(supportsColor(stdout, env));
  const { anomalies, scores, calibrationRows, discoveries, source } = found;
  const scored = scoredRows(scores);
  const unscored = scores.length - scored;
  const smallest = twoDigits(1 / (calibrationRows + 1));
  const lines = [
    ...(discoveries === undefined
      ? []
      : [`${counted(discoveries, "row")} of ${count(scored)} selected by the false discovery rate.`]),
    `${heading(anomalies.length, `${counted(scored, "row")} of ${singleLine(source)}`)} p-values from ${counted(calibrationRows, "calibration row")}; the smallest possible is ${smallest}.`,
    ...(unscored > 0
      ? [
          `${counted(unscored, "row")} without a score: a value is missing in a column that had no missing values in training.`,
        ]
      : []),
    ...(found.isTrainingTable
      ? [
          "The model was fitted to this table. The p-values of the rows that it was trained on are too large. Only those of the calibration rows are valid. The ranking is useful for all rows.",
        ]
      : []),
    "",
    ...anomalies.flatMap(({ row, file, fileRow, pValue, score, reasons }) => [
      `${bold(file === undefined ? `Row ${row}` : `Row ${fileRow} of ${singleLine(file)}`)}  p = ${twoDigits(pValue)}, score ${shortNumber(score)}`,
      ...reasonLines(reasons),
      "",
    ]),
    ...falseAlarms(found),
  ];
  return `${lines.join("\n")}\n`;
}

function heading(reported: number, table: string): string {
  if (reported === 0) return `None of the ${table} is reported.`;
  return `The ${reported === 1 ? "" : `${count(reported)} `}most unusual of ${table}.`;
}

function falseAlarms({ anomalies, expectedFalseAlarms }: FoundAnomalies): string[] {
  const last = anomalies.at(-1);
  if (!last) return [];
  return [
    `If all rows were like those of the training table, about ${twoDigits(expectedFalseAlarms)} of them would have p-values up to ${twoDigits(last.pValue)}.`,
  ];
}

function reasonLines(reasons: readonly AnomalyReason[]): string[] {
  const shown = reasons.filter(({ gain }, i) => i === 0 || (i < MAX_REASONS && gain >= MIN_GAIN_NATS));
  const cells = shown.map(({ column, value, conditional, gain, expected }) => [
    text(column),
    valueText(value, text),
    `${conditional ? "expected" : "usually"} ${expectedText(expected, text)}`,
    gainText(conditional, gain),
  ]);
  return alignedRows(cells).map((line) => `  ${line}`);
}

function gainText(conditional: boolean, gain: number): string {
  if (!Number.isFinite(gain)) return "impossible for the model";
  return `${conditional ? "gain" : "rarer by"} ${withDecimals(gain, 1)} nats`;
}

const text = (value: string): string => singleLine(value, MAX_VALUE_LENGTH);
const scoredRows = (scores: Float64Array): number => scores.filter((score) => !Number.isNaN(score)).length;

const twoDigits = (x: number): string => String(Number(x.toPrecision(2)));
