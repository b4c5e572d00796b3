import type { ComparedRows } from "../comparedRows.ts";
import { binRows, chooseBins } from "./bins.ts";
import { addGains, fitTree, leafValue, type TreeNode } from "./tree.ts";

/** Options of `fitBoostedTrees`. */
export interface BoostedTreesOptions {
  /** Default 100. */
  readonly iterations?: number | undefined;
}

/** The default of scikit-learn. */
const LEARNING_RATE = 0.1;

/** A fitted model of a target column. */
export interface BoostedTrees {
  /** The probability of each class, [rows] for each; for a numeric target one array, the predicted values. */
  predict(rows: ComparedRows): Float64Array[];
  /** `[columns]`: the share of each column in the gain of all splits; all 0 without a split. */
  readonly importance: Float64Array;
}

/** The target to predict: numbers, or one of `classes` classes for each row, from 0. */
export type Target =
  | { readonly kind: "number"; readonly values: Float64Array }
  | { readonly kind: "class"; readonly classes: number; readonly values: ArrayLike<number> };

/**
 * Gradient boosting of regression trees (Friedman 2001) on binned columns, as in LightGBM (Ke et al. 2017) and scikit-learn's
 * HistGradientBoosting. For columns of numbers it has the defaults of HistGradientBoosting and gives the same predictions. The loss is the
 * squared error of a numeric target, the log-loss of a sigmoid for two classes, and the log-loss of a softmax for more. Missing values have
 * a bin of their own.
 */
export function fitBoostedTrees(
  features: ComparedRows,
  target: Target,
  { iterations = 100 }: BoostedTreesOptions = {},
): BoostedTrees {
  const columns = chooseBins(features);
  const bins = binRows(features, columns);
  const loss = lossOf(target);
  const rows = Int32Array.from({ length: features.rows }, (_, row) => row);
  const scores = loss.initial.map((score) => new Float64Array(features.rows).fill(score));
  const rounds: TreeNode[][] = [];
  const gains = new Float64Array(columns.length);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const trees = loss
      .derivatives(scores)
      .map(([gradients, hessians]) => fitTree({ columns, bins, gradients, hessians }, rows));
    trees.forEach(({ root, values }, k) => {
      for (const row of rows) scores[k][row] += LEARNING_RATE * values[row];
      addGains(root, gains);
    });
    rounds.push(trees.map(({ root }) => root));
  }
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  return {
    importance: gains.map((gain) => (total > 0 ? gain / total : 0)),
    predict(newRows) {
      const newBins = binRows(newRows, columns);
      const raw = loss.initial.map((score, k) =>
        Float64Array.from({ length: newRows.rows }, (_, row) =>
          rounds.reduce((sum, trees) => sum + LEARNING_RATE * leafValue(trees[k], newBins, row), score),
        ),
      );
      return loss.predictions(raw);
    },
  };
}

interface Loss {
  /** The score of all rows before the first tree, one for each tree of an iteration. */
  readonly initial: readonly number[];
  /** The first and second derivatives of the loss with respect to the scores, for each tree of an iteration. */
  derivatives(scores: readonly Float64Array[]): [gradients: Float64Array, hessians: Float64Array][];
  predictions(scores: readonly Float64Array[]): Float64Array[];
}

function lossOf(target: Target): Loss {
  if (target.kind === "number") return squaredError(target.values);
  return target.classes === 2 ? sigmoidLoss(target.values) : softmaxLoss(target.values, target.classes);
}

function squaredError(values: Float64Array): Loss {
  return {
    initial: [values.reduce((sum, value) => sum + value, 0) / values.length],
    derivatives: ([scores]) => [
      [scores.map((score, row) => score - values[row]), new Float64Array(values.length).fill(1)],
    ],
    predictions: (scores) => [...scores],
  };
}

/** Bounds the initial probability of a class that all rows or no row have: its score would be infinite. */
const MIN_PROBABILITY = 1e-9;

function sigmoidLoss(classes: ArrayLike<number>): Loss {
  const sigmoid = (score: number) => 1 / (1 + Math.exp(-score));
  const share = Array.from(classes).reduce((sum, each) => sum + each, 0) / classes.length;
  const clamped = Math.min(1 - MIN_PROBABILITY, Math.max(MIN_PROBABILITY, share));
  return {
    initial: [Math.log(clamped / (1 - clamped))],
    derivatives([scores]) {
      const probabilities = scores.map(sigmoid);
      return [[probabilities.map((p, row) => p - classes[row]), probabilities.map((p) => p * (1 - p))]];
    },
    predictions([scores]) {
      const probabilities = scores.map(sigmoid);
      return [probabilities.map((p) => 1 - p), probabilities];
    },
  };
}

function softmaxLoss(values: ArrayLike<number>, classes: number): Loss {
  const counts = new Float64Array(classes);
  for (let row = 0; row < values.length; row++) counts[values[row]]++;
  const softmax = (scores: readonly Float64Array[]): Float64Array[] => {
    const exponentials = scores.map((each) => each.slice());
    for (let row = 0; row < exponentials[0].length; row++) {
      const highest = Math.max(...scores.map((each) => each[row]));
      const sum = scores.reduce((total, each) => total + Math.exp(each[row] - highest), 0);
      for (const [k, each] of scores.entries()) exponentials[k][row] = Math.exp(each[row] - highest) / sum;
    }
    return exponentials;
  };
  const logs = Array.from(counts, (count) => Math.log(Math.max(MIN_PROBABILITY, count / values.length)));
  const center = logs.reduce((sum, log) => sum + log, 0) / classes;
  return {
    initial: logs.map((log) => log - center),
    derivatives: (scores) =>
      softmax(scores).map((probabilities, k) => [
        probabilities.map((p, row) => p - (values[row] === k ? 1 : 0)),
        probabilities.map((p) => p * (1 - p)),
      ]),
    predictions: softmax,
  };
}
