import type { DataRows } from "../../bijections/index.ts";
import { type Limits, limitReached } from "../../check/index.ts";
import { featureColumn } from "../../dataset/index.ts";
import { kMeans, MAX_NUMBERS, selectDataRows, shuffledRows } from "../../distributions/index.ts";
import { concat, filled, type Tensor } from "../../graph/index.ts";
import { Random } from "../../random/index.ts";
import { compile, type Floats } from "../../runtime/index.ts";
import { valueCodes } from "./heads/columnHead.ts";
import { marginalParameters } from "./heads/marginalParameters.ts";
import type { LatentClasses } from "./latentClasses.ts";
import { meanOfPossible } from "./meanOfPossible.ts";

/** Expectation maximization uses a random subset of this many rows, to save time. */
const MAX_ROWS = 5_000;
const MAX_ITERATIONS = 50;
/**
 * The number of iterations before convergence is tested. The log-likelihood increases steadily only after the first iterations,
 * which replace the distances of k-means by likelihoods.
 */
const MIN_ITERATIONS = 5;
/** The iteration ends when the mean log-likelihood increases by less than this, in nats. */
const TOLERANCE = 5e-4;
/**
 * The distribution of a class is fitted to its rows and, with this weight, to all rows, so that it gives no row a probability of
 * 0.
 */
const SMOOTHING = 0.02;

/**
 * Fits latent classes by expectation maximization, initialized by k-means. The M-step sets the components of a column from the
 * mean and variance of its rows, which is only close to the maximum, so the log-likelihood can also decrease a little.
 */
export async function fitLatentClasses(
  model: LatentClasses,
  data: DataRows,
  limits: Limits = {},
): Promise<void> {
  const random = new Random(0).split("latent classes");
  const rows = selectDataRows(data, shuffledRows(data, random).subarray(0, MAX_ROWS));
  const encode = compile((x) => encodeColumns(model, x), [["N", model.features]]);
  const scores = compile((x) => scoresOf(model, x), [["N", model.features]]);
  const evaluate = compile(
    (x) => ({ posterior: model.classProbabilities(x), logProb: model.logProb(x) }),
    [["N", model.features]],
  );
  try {
    const columns = columnsOf(model, rows, await scores(rows.values));
    const clusters = await clustersOf(model, rows, encode, random.split("kmeans"), limits);
    mStep(model, columns, clusters, rows.weights);
    let previous = Number.NEGATIVE_INFINITY;
    for (let iteration = 0; iteration < MAX_ITERATIONS && !(await limitReached(limits)); iteration++) {
      const { posterior, logProb } = await evaluate(rows.values);
      const logLikelihood = meanOfPossible(logProb, rows.weights);
      if (iteration >= MIN_ITERATIONS && !(logLikelihood > previous + TOLERANCE)) break;
      previous = logLikelihood;
      // The posterior of a row that is impossible under all classes is NaN.
      const responsibilities = posterior.map((p) => (Number.isNaN(p) ? 0 : p));
      mStep(model, columns, responsibilities, rows.weights);
    }
  } finally {
    for (const compiled of [encode, scores, evaluate]) await compiled.release();
  }
}

/** The encodings of all columns, [N, E]. */
const encodeColumns = (model: LatentClasses, x: Tensor): Tensor =>
  concat(
    model.groups.map(({ head, columns }) =>
      head
        .encode(x.transpose().gather(0, columns))
        .reshape([columns.length * head.inputCount, "N"])
        .transpose(),
    ),
    1,
  );

/** The scores z = map(x) of all columns in the order of the groups, [N, D]; 0 for categorical ones. */
const scoresOf = (model: LatentClasses, x: Tensor): Tensor =>
  concat(
    model.groups.map(({ head, columns }) => {
      if (!head.components) return filled(0, ["N", columns.length]);
      return head.components.scores(x.transpose().gather(0, columns)).transpose();
    }),
    1,
  );

/** Responsibilities [N, C] that are 1 for the k-means cluster of a row, and 0 for all classes of rows that k-means did not use. */
async function clustersOf(
  { classes, groups, features }: LatentClasses,
  { rows, values, weights }: DataRows,
  encode: (values: Float64Array) => Promise<Floats>,
  random: Random,
  limits: Limits,
): Promise<Float64Array> {
  const inputCounts = groups.flatMap(({ head, columns }) => columns.map(() => head.inputCount));
  const size = inputCounts.reduce((sum, count) => sum + count, 0);
  const used = Math.max(1, Math.min(rows, Math.floor(MAX_NUMBERS / size)));
  const encoded = Float64Array.from(await encode(values.subarray(0, used * features)));
  equalizeVariances(encoded, used, inputCounts);
  const data = { rows: used, features: size, values: encoded, weights: weights?.subarray(0, used) };
  const clusters = await kMeans(data, Math.min(classes, used), random, limits);
  const responsibilities = new Float64Array(rows * classes);
  clusters.forEach((cluster, row) => {
    responsibilities[row * classes + cluster] = 1;
  });
  return responsibilities;
}

/** Scales the encoding of each column to a total variance of 1, so that all columns count equally in distances. */
function equalizeVariances(encoded: Float64Array, rows: number, inputCounts: readonly number[]): void {
  const size = encoded.length / rows;
  let start = 0;
  for (const count of inputCounts) {
    let variance = 0;
    for (let i = start; i < start + count; i++) {
      let [sum, squares] = [0, 0];
      for (let n = i; n < encoded.length; n += size) {
        sum += encoded[n];
        squares += encoded[n] ** 2;
      }
      variance += Math.max(0, squares / rows - (sum / rows) ** 2);
    }
    const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    for (let n = 0; n < rows; n++) for (let i = start; i < start + count; i++) encoded[n * size + i] *= scale;
    start += count;
  }
}

/** A column as the M-step needs it. */
interface ClassColumnData {
  readonly group: LatentClasses["groups"][number];
  /** The position of the column in its group. */
  readonly position: number;
  /** [N] `valueCodes` and scores. */
  readonly codes: Int32Array;
  readonly z: Float64Array;
}

/** The columns in the order of the groups, from their scores [N, D]. */
function columnsOf({ groups, features }: LatentClasses, { values }: DataRows, z: Floats): ClassColumnData[] {
  return groups
    .flatMap((group) => group.columns.map((d, position) => ({ group, d, position })))
    .map(({ group, d, position }, i) => ({
      group,
      position,
      codes: valueCodes(group.head.heads[position], featureColumn(values, features, d)),
      z: featureColumn(z, features, i),
    }));
}

/** Sets the weight and the distributions of each class from the responsibilities [N, C] of rows with these weights. */
function mStep(
  { classes, classLogits, groups }: LatentClasses,
  columns: readonly ClassColumnData[],
  responsibilities: Floats,
  weights: Float64Array | undefined,
): void {
  const rows = responsibilities.length / classes;
  const classTotals = new Float64Array(classes);
  responsibilities.forEach((responsibility, i) => {
    classTotals[i % classes] += responsibility * (weights?.[Math.floor(i / classes)] ?? 1);
  });
  const total = classTotals.reduce((sum, each) => sum + each, 0);
  // Each class gets one row more, so that no weight is 0.
  const classWeights = classTotals.map((each) => (each + 1) / (total + classes));
  classLogits.value = Float32Array.from(classWeights, Math.log);
  for (const { parameters } of groups) parameters.value = new Float32Array(parameters.numbers.length);
  classWeights.forEach((classWeight, c) => {
    const rowWeights = Float64Array.from(
      { length: rows },
      (_, n) => (weights?.[n] ?? 1) * (responsibilities[n * classes + c] + SMOOTHING * classWeight),
    );
    for (const { group, position, codes, z } of columns) {
      const { head, parameters } = group;
      const classParameters = marginalParameters(head.heads[position], codes, { weights: rowWeights, z });
      classParameters.forEach((number, p) => {
        parameters.value[(position * head.parameterCount + p) * classes + c] = number;
      });
    }
  });
}
