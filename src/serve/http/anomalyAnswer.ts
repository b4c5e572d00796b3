import type { AnomalyReason } from "../../tables/anomalies/index.ts";
import type { TableRow } from "../../tables/columns/index.ts";
import type { TableAnomalies } from "../../tables/model/index.ts";
import type { ServedColumn } from "../index.ts";
import { jsonNumber } from "./bodies.ts";

/** The columns of an answer that is a table. `pushforward anomalies` writes the same columns beside its rows. */
export const ANOMALY_COLUMNS: readonly Pick<ServedColumn, "name" | "type">[] = [
  { name: "anomaly_score", type: "number" },
  { name: "p_value", type: "number" },
  { name: "reason", type: "text" },
];

/** The anomalies of a request in JSON: the scores and p-values of all rows, and the most unusual rows with their reasons. */
export const anomalyAnswer = ({
  scores,
  pValues,
  anomalies,
  calibrationRows,
  expectedFalseAlarms,
  discoveries,
}: TableAnomalies) => ({
  anomaly_score: Array.from(scores, jsonNumber),
  p_value: Array.from(pValues, jsonNumber),
  anomalies: anomalies.map(({ row, score, pValue, reasons }) => ({
    row,
    anomaly_score: jsonNumber(score),
    p_value: pValue,
    reasons: reasons.map(inJson),
  })),
  calibration_rows: calibrationRows,
  expected_false_alarms: expectedFalseAlarms,
  ...(discoveries !== undefined && { discoveries }),
});

const inJson = (reason: AnomalyReason) => ({ ...reason, gain: jsonNumber(reason.gain) });

/** The anomalies of a request as a table. The reason of a reported row is the column that makes it most unusual; for other rows it is null. */
export function anomalyRows({ scores, pValues, anomalies }: TableAnomalies): TableRow[] {
  const reasons = new Map(anomalies.map(({ row, reasons: [first] }) => [row, first?.column]));
  const number = (value: number) => (Number.isNaN(value) ? null : value);
  return Array.from(scores, (score, n) => ({
    anomaly_score: number(score),
    p_value: number(pValues[n]!),
    reason: reasons.get(n) ?? null,
  }));
}
