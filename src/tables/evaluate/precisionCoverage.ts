import { checkOptions, integerFrom, PushforwardError } from "../../check/index.ts";
import type { TableInput } from "../columns/index.ts";
import { type CompareOptions, comparedRows, compareRules } from "./comparedRows.ts";
import { rowDistance, type ScaledRows, scaleRows } from "./rowDistance.ts";

/** Options of `precisionCoverage`. */
export interface PrecisionCoverageOptions extends CompareOptions {
  /** The radius of the ball around a row is the distance to its k-th nearest neighbor. Default 5. */
  readonly neighbors?: number | undefined;
}

/** The result of `precisionCoverage`. All numbers are shares, except the density, which is about 1 for equal distributions. */
export interface PrecisionCoverageResult {
  /** The share of the generated rows that are in the ball of a real row. */
  readonly precision: number;
  /** The share of the real rows that are in the ball of a generated row. */
  readonly recall: number;
  /** The mean number of balls of real rows that a generated row is in, divided by k. */
  readonly density: number;
  /** The share of the real rows whose ball contains a generated row. */
  readonly coverage: number;
}

/**
 * How much of the real distribution generated rows cover, and how many of them are where real rows are, by nearest neighbors: precision and
 * recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020). Distances are those of Gower (1971). Even for equal
 * distributions the shares are below 1, and coverage depends on the number of rows: compare with controls of the same size.
 *
 * @throws DATA if a table has at most k rows, or lacks a column.
 */
export function precisionCoverage<Real extends object, Generated extends object>(
  real: TableInput<Real>,
  generated: TableInput<Generated>,
  options: PrecisionCoverageOptions = {},
): PrecisionCoverageResult {
  checkOptions("precisionCoverage", options, { ...compareRules, neighbors: integerFrom(1) });
  const { neighbors: k = 5 } = options;
  const [first, second] = scaleRows(comparedRows({ real, generated }, options));
  for (const { rows } of [first, second]) {
    if (rows > k) continue;
    throw new PushforwardError("DATA", `there are too few rows for ${k} nearest neighbors`, {
      expected: `${k + 1} rows or more in each table`,
      received: `${rows}`,
    });
  }
  const [realRadii, generatedRadii] = [radii(first, k), radii(second, k)];
  const isRecalled = new Uint8Array(first.rows);
  const isCovered = new Uint8Array(first.rows);
  let [precise, balls] = [0, 0];
  for (let j = 0; j < second.rows; j++) {
    const before = balls;
    for (let i = 0; i < first.rows; i++) {
      const distance = rowDistance(first, i, second, j);
      if (distance <= realRadii[i]) {
        balls++;
        isCovered[i] = 1;
      }
      if (distance <= generatedRadii[j]) isRecalled[i] = 1;
    }
    if (balls > before) precise++;
  }
  const share = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
  return {
    precision: precise / second.rows,
    recall: share(isRecalled),
    density: balls / (k * second.rows),
    coverage: share(isCovered),
  };
}

/** The distance of each row to its k-th nearest neighbor in the same table. */
const radii = (table: ScaledRows, k: number): Float64Array =>
  Float64Array.from({ length: table.rows }, (_, i) => {
    const distances = new Float64Array(table.rows);
    for (let j = 0; j < table.rows; j++) distances[j] = rowDistance(table, i, table, j);
    // The first of the sorted distances is that of the row to itself, 0.
    return distances.sort()[k];
  });
