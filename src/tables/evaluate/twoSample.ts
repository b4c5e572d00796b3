import { checkOptions, integerFrom, PushforwardError, seedValue } from "../../check/index.ts";
import { equalRows, rowMajor } from "../../dataset/index.ts";
import { Random } from "../../random/index.ts";
import type { TableInput } from "../columns/index.ts";
import { auroc } from "./auroc.ts";
import {
  type ComparedRows,
  type CompareOptions,
  comparedRows,
  compareRules,
  joinRows,
  selectComparedRows,
} from "./comparedRows.ts";
import { fitBoostedTrees } from "./trees/boostedTrees.ts";

/** Options of `twoSample`. */
export interface TwoSampleOptions extends CompareOptions {
  /** Number of folds of the cross-validation. Default 5. */
  readonly folds?: number | undefined;
  /** Seed of the assignment to folds. Default 0. */
  readonly seed?: number | undefined;
}

/** The result of `twoSample`. */
export interface TwoSampleResult {
  /**
   * The area under the ROC curve of a classifier that tells generated rows from real ones: the probability that it scores a generated row
   * higher than a real one. 0.5 is chance, 1 is perfect separation. NaN, and with it all other numbers, if copies leave no fold with two
   * rows of each table.
   */
  readonly auroc: number;
  readonly standardError: number;
  /** The 95% confidence interval of the AUROC. */
  readonly interval: readonly [low: number, high: number];
  /** 2 (1 - max(AUROC, 1/2)): 1 if the classifier does not find a difference, 0 if it separates all rows. */
  readonly detectionScore: number;
  /** The columns by their share in the gain of the splits of the trees, in descending order. */
  readonly columns: readonly { readonly name: string; readonly importance: number }[];
}

const MIN_ROWS_PER_FOLD = 2;

/**
 * Classifier two-sample test (Lopez-Paz and Oquab 2017): gradient boosted trees learn to tell generated rows from real ones. They detect
 * differences in dependence too, in columns of any kind and with missing values. The AUROC is the mean over the held-out folds of a
 * stratified cross-validation. Its squared standard error is (1/K + t) v, with the number of folds K, the mean v of the squared errors in single
 * folds (DeLong et al. 1988), and t = 1 / (K - 1), the number of test rows divided by the number of training rows. The term t corrects for
 * training rows that folds have in common (Nadeau and Bengio 2003). Copies of a row are in the same fold, so that no row is tested by trees
 * that learned it. Folds without two rows of each table, which need copies, are left out.
 *
 * The model that generated rows must not have been trained on the real rows; otherwise a model that repeats its training rows would pass.
 *
 * @throws DATA if a table has fewer than two rows for each fold, or lacks a column.
 */
export function twoSample<Real extends object, Generated extends object>(
  real: TableInput<Real>,
  generated: TableInput<Generated>,
  options: TwoSampleOptions = {},
): TwoSampleResult {
  checkOptions("twoSample", options, { ...compareRules, folds: integerFrom(2), seed: seedValue });
  const { folds = 5, seed = 0 } = options;
  const [first, second] = comparedRows({ real, generated }, options);
  for (const [name, { rows }] of Object.entries({ real: first, generated: second })) {
    if (rows >= MIN_ROWS_PER_FOLD * folds) continue;
    throw new PushforwardError("DATA", "there are too few rows for a two-sample test", {
      expected: `${MIN_ROWS_PER_FOLD * folds} ${name} rows or more`,
      received: `${rows}`,
    });
  }
  const rows = joinRows(first, second);
  const isGenerated = Uint8Array.from({ length: rows.rows }, (_, row) => (row < first.rows ? 0 : 1));
  const foldOf = chooseFolds(rows, isGenerated, folds, seed);
  const importance = new Float64Array(rows.columns.length);
  let [used, sum, squares] = [0, 0, 0];
  for (let fold = 0; fold < folds; fold++) {
    const select = (isTest: boolean) =>
      Array.from(isGenerated.keys()).filter((row) => (foldOf[row] === fold) === isTest);
    const [learned, test] = [select(false), select(true)];
    if (![learned, test].every((ofFold) => hasBothClasses(ofFold, isGenerated))) continue;
    used++;
    const classes = learned.map((row) => isGenerated[row]);
    const trees = fitBoostedTrees(selectComparedRows(rows, learned), {
      kind: "class",
      classes: 2,
      values: classes,
    });
    const [, scores] = trees.predict(selectComparedRows(rows, test));
    const { value, standardError } = auroc(
      scores.filter((_, i) => isGenerated[test[i]] === 1),
      scores.filter((_, i) => isGenerated[test[i]] === 0),
    );
    sum += value;
    squares += standardError ** 2;
    trees.importance.forEach((share, c) => {
      importance[c] += share;
    });
  }
  const value = sum / used;
  const standardError = Math.sqrt((1 / used + 1 / (folds - 1)) * (squares / used));
  return {
    auroc: value,
    standardError,
    interval: [Math.max(0, value - 1.96 * standardError), Math.min(1, value + 1.96 * standardError)],
    detectionScore: 2 * (1 - Math.max(value, 0.5)),
    columns: rows.columns
      .map(({ name }, c) => ({ name, importance: importance[c] / used }))
      .sort((a, b) => b.importance - a.importance),
  };
}

/** Whether there are two of these rows in each class, which the standard error of the AUROC needs. */
function hasBothClasses(rows: readonly number[], classes: Uint8Array): boolean {
  const ofSecond = rows.filter((row) => classes[row] === 1).length;
  return Math.min(ofSecond, rows.length - ofSecond) >= MIN_ROWS_PER_FOLD;
}

/**
 * The fold of each row: [rows]. Groups of equal rows, which may have rows of both classes, go in random order to the fold in which they
 * increase the sum of the squared class sizes least. A group of one class goes to the fold with the fewest rows of this class.
 */
function chooseFolds(
  { rows, columns }: ComparedRows,
  classes: Uint8Array,
  folds: number,
  seed: number,
): Int32Array {
  const values = rowMajor(
    columns.map((column) => column.values),
    rows,
  );
  const { firstRows } = equalRows({ rows, values, context: [] });
  // Of each group, at the index of its first row.
  const groupSizes = [0, 1].map(() => new Float64Array(rows));
  for (let row = 0; row < rows; row++) groupSizes[classes[row]][firstRows[row]]++;
  const foldOf = new Int32Array(rows);
  const sizes = [0, 1].map(() => new Float64Array(folds));
  for (const row of new Random(seed).split("folds").permutation(rows)) {
    if (firstRows[row] !== row) continue;
    const [first, second] = groupSizes.map((ofClass) => ofClass[row]);
    // Half the increase of the sum of squares, up to a constant.
    const increases = sizes[0].map((size, fold) => first * size + second * sizes[1][fold]);
    foldOf[row] = increases.indexOf(Math.min(...increases));
    sizes[0][foldOf[row]] += first;
    sizes[1][foldOf[row]] += second;
  }
  return foldOf.map((_, row) => foldOf[firstRows[row]]);
}
