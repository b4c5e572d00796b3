import type { DataRows } from "../../bijections/index.ts";
import type { Limits } from "../../check/index.ts";
import { featureColumn } from "../../dataset/index.ts";
import { kMeans, MAX_NUMBERS } from "../../distributions/index.ts";
import type { Random } from "../../random/index.ts";
import { compile, type Floats } from "../../runtime/index.ts";
import { valueCodes } from "./heads/columnHead.ts";
import { LINEAR_SCORE_BOUND } from "./heads/isolatedAtoms.ts";
import type { MixedGaussianMixture } from "./mixedGaussianMixture.ts";

/** Rows as expectation maximization needs them. They do not depend on the number of components. */
export interface PreparedRows {
  readonly data: DataRows;
  /** For each group and each of its columns, [N] `valueCodes`. */
  readonly codes: readonly (readonly Int32Array[])[];
  /** [N, M] numbers on the linear scale, and 1 for those that have a density. */
  readonly scores: Floats;
  readonly isSmooth: Floats;
  /** [M], the means and variances of the numeric columns in the training rows, and the variance within a cell of a lattice. */
  readonly means: Float64Array;
  readonly variances: Float64Array;
  readonly cellVariances: Float64Array;
}

/** Training rows and held-out rows, prepared for all mixtures with the columns of this one. */
export async function prepareRows(
  model: MixedGaussianMixture,
  training: DataRows,
  heldOut: DataRows,
): Promise<{ training: PreparedRows; heldOut: PreparedRows }> {
  const [ofTraining, ofHeldOut] = await scoresOf(model, [training.values, heldOut.values]);
  const prepared = prepareTraining(model, training, ofTraining);
  const ofRows = { data: heldOut, codes: codesOf(model, heldOut), ...ofHeldOut };
  return { training: prepared, heldOut: { ...prepared, ...ofRows } };
}

function prepareTraining(
  model: MixedGaussianMixture,
  data: DataRows,
  { scores, isSmooth }: LinearScores,
): PreparedRows {
  const { features, groups, numericColumns } = model;
  const { rows, values, weights } = data;
  const M = numericColumns.length;
  const means = new Float64Array(M);
  const variances = new Float64Array(M).fill(1);
  for (let d = 0; d < M; d++) {
    let [total, sum, squares] = [0, 0, 0];
    for (let n = 0, i = d; n < rows; n++, i += M) {
      const weight = (weights?.[n] ?? 1) * isSmooth[i];
      total += weight;
      sum += weight * scores[i];
      squares += weight * scores[i] ** 2;
    }
    if (total === 0) continue;
    means[d] = sum / total;
    const variance = squares / total - means[d] ** 2;
    if (variance > 0) variances[d] = variance;
  }
  /** The average width of a cell of a lattice on the linear scale. */
  const cellWidth = (d: number, cells: Float64Array): number => {
    let [low, high] = [-1, -1];
    for (let n = 0; n < rows; n++) {
      // Scores of outliers are clamped to the bound, so distances from them are too small.
      if (isSmooth[n * M + d] === 0 || Math.abs(scores[n * M + d]) >= LINEAR_SCORE_BOUND) continue;
      if (low < 0 || cells[n] < cells[low]) low = n;
      if (high < 0 || cells[n] > cells[high]) high = n;
    }
    if (low < 0 || cells[high] === cells[low]) return 0;
    return (scores[high * M + d] - scores[low * M + d]) / (cells[high] - cells[low]);
  };
  const cellVariances = new Float64Array(M);
  for (const { head, numeric } of groups) {
    if (head.type !== "lattice") continue;
    for (const d of numeric)
      cellVariances[d] = cellWidth(d, featureColumn(values, features, numericColumns[d])) ** 2 / 12;
  }
  return { data, codes: codesOf(model, data), scores, isSmooth, means, variances, cellVariances };
}

/** For each group and each of its columns, [N] `valueCodes`. */
const codesOf = ({ groups, features }: MixedGaussianMixture, { values }: DataRows): Int32Array[][] =>
  groups.map(({ head, columns }) =>
    columns.map((d, i) => valueCodes(head.heads[i], featureColumn(values, features, d))),
  );

/** The numeric columns of rows on the linear scale, and which values have a density: [N, M]. */
type LinearScores = Pick<PreparedRows, "scores" | "isSmooth">;

async function scoresOf(
  model: MixedGaussianMixture,
  parts: readonly Float64Array[],
): Promise<LinearScores[]> {
  const none = new Float64Array(0);
  if (model.numericColumns.length === 0) return parts.map(() => ({ scores: none, isSmooth: none }));
  const run = compile(
    (x) => {
      const { scores, isSmooth } = model.scores(x);
      return { scores: scores.transpose(), isSmooth: isSmooth.transpose() };
    },
    [["N", model.features]],
  );
  try {
    const scores: LinearScores[] = [];
    for (const values of parts) scores.push(await run(values));
    return scores;
  } finally {
    await run.release();
  }
}

/**
 * Responsibilities [N, C] that are 1 for the k-means cluster of a row, and 0 for all components of rows that k-means did not use. The
 * clusters are those of numbers with variance 1, and of indicators of the other values of a column with a total variance of 1.
 */
export async function initialResponsibilities(
  { data, codes, scores, isSmooth, means, variances }: PreparedRows,
  components: number,
  random: Random,
  limits: Limits,
): Promise<Float64Array> {
  const { rows, weights } = data;
  if (components === 1) return new Float64Array(rows).fill(1);
  const M = means.length;
  const indicators = codes.flat().map((ofColumn) => indicatorsOf(ofColumn));
  const features = indicators.reduce((sum, { positions }) => sum + positions.size, M);
  const used = Math.min(rows, Math.max(components, Math.floor(MAX_NUMBERS / features)));
  const values = new Float64Array(used * features);
  for (let n = 0; n < used; n++) {
    const point = values.subarray(n * features, (n + 1) * features);
    for (let d = 0; d < M; d++) {
      const i = n * M + d;
      point[d] = isSmooth[i] * ((scores[i] - means[d]) / Math.sqrt(variances[d]));
    }
    let first = M;
    for (const { ofColumn, positions, height } of indicators) {
      if (positions.size > 0) point[first + positions.get(ofColumn[n])!] = height;
      first += positions.size;
    }
  }
  const clusters = await kMeans(
    { rows: used, features, values, ...(weights && { weights: weights.subarray(0, used) }) },
    Math.min(components, used),
    random,
    limits,
  );
  const responsibilities = new Float64Array(rows * components);
  clusters.forEach((cluster, n) => {
    responsibilities[n * components + cluster] = 1;
  });
  return responsibilities;
}

/** The indicators of the distinct codes of a column: their positions, and the value `height` with which their total variance is 1. */
function indicatorsOf(ofColumn: Int32Array): {
  ofColumn: Int32Array;
  positions: Map<number, number>;
  height: number;
} {
  const counts = new Map<number, number>();
  for (const code of ofColumn) counts.set(code, (counts.get(code) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / ofColumn.length);
  const variance = shares.reduce((sum, share) => sum + share * (1 - share), 0);
  // A constant column has no indicators.
  const codes = variance > 0 ? [...counts.keys()] : [];
  return {
    ofColumn,
    positions: new Map(codes.map((code, i) => [code, i])),
    height: 1 / Math.sqrt(variance),
  };
}
