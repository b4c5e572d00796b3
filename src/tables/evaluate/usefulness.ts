import {
  checkOptions,
  listedNames,
  nearestName,
  PushforwardError,
  seedValue,
  text,
} from "../../check/index.ts";
import { variance } from "../../numerics/index.ts";
import { Random } from "../../random/index.ts";
import { rowObjects, type TableInput } from "../columns/index.ts";
import { auroc } from "./auroc.ts";
import {
  type ComparedColumn,
  type ComparedRows,
  type CompareOptions,
  comparedRows,
  compareRules,
  labelCounts,
  selectComparedRows,
} from "./comparedRows.ts";
import { fitBoostedTrees, type Target } from "./trees/boostedTrees.ts";

/** Options of `usefulness`. */
export interface UsefulnessOptions extends CompareOptions {
  /** The column to predict from the others. Default: see `usefulness`. */
  readonly target?: string | undefined;
  /** Seed of the bootstrap. Default 0. */
  readonly seed?: number | undefined;
}

/** A score with its standard error. */
export interface ScoreEstimate {
  readonly value: number;
  readonly standardError: number;
}

/** The result of `usefulness`. */
export interface UsefulnessResult {
  readonly target: string;
  /** AUROC for labels: the mean over the labels, each against the others. R² for numbers: 1 - residual / total sum of squares. */
  readonly measure: "AUROC" | "R²";
  /** The score of trees that were trained on real rows. */
  readonly real: ScoreEstimate;
  /** The score of trees that were trained on generated rows. */
  readonly generated: ScoreEstimate;
  /** `generated` minus `real`, on the same test rows. */
  readonly difference: ScoreEstimate;
}

/** A target with more labels would take long to learn, and few rows would have each label. */
const MAX_LABELS = 20;
const MIN_ROWS_OF_LABEL = 5;
const RESAMPLES = 200;

/**
 * Train on synthetic, test on real (Esteban, Hyland and Rätsch 2017): gradient boosted trees predict a column from all others. They are
 * trained once on generated rows and once on real training rows, and tested on held-out real rows. Standard errors are from 200 bootstrap
 * samples of the test rows.
 *
 * The target is the last column with 2 to 20 labels, each in 5 test rows or more; without one, the column of numbers with the highest R²
 * after training on real rows. Labels that the test rows do not have are left out, and so are rows without a value of the target.
 *
 * @throws DATA if no column can be the target, or a table lacks a column.
 */
export function usefulness<Training extends object, HeldOut extends object, Generated extends object>(
  training: TableInput<Training>,
  heldOut: TableInput<HeldOut>,
  generated: TableInput<Generated>,
  options: UsefulnessOptions = {},
): UsefulnessResult {
  checkOptions("usefulness", options, { ...compareRules, target: text, seed: seedValue });
  const { target, seed = 0 } = options;
  const [real, test, drawn] = comparedRows({ training, heldOut, generated }, options);
  if (target !== undefined) {
    const names = options.columns?.map(({ name }) => name) ?? [
      ...new Set(rowObjects(training).flatMap(Object.keys)),
    ];
    checkIsColumn(target, names);
  }
  return usefulnessFrom(real, test, { target, seed })(drawn);
}

/**
 * The function that compares training on generated rows with training on these real rows, which is done only once. Throws `DATA` if no column can
 * be the target, or not the column with this name.
 */
export function usefulnessFrom(
  real: ComparedRows,
  test: ComparedRows,
  { target, seed = 0 }: Pick<UsefulnessOptions, "target" | "seed">,
): (generated: ComparedRows) => UsefulnessResult {
  if (target !== undefined) checkIsPossible(target, test);
  const column = chooseTarget(real, test, target);
  const task = predictionTask(column, test);
  const fromReal = task.predictions(real);
  return (generated) => {
    const fromGenerated = task.predictions(generated);
    const all = Array.from(task.values.keys());
    const score = (predictions: Float64Array[], rows: ArrayLike<number>) =>
      task.score(predictions, Int32Array.from(rows));
    const random = new Random(seed).split("bootstrap");
    const resampled = Array.from({ length: RESAMPLES }, (_, k) => {
      const uniform = random.split(k).uniform(new Float64Array(all.length));
      const rows = uniform.map((u) => Math.floor(u * all.length));
      return [score(fromReal, rows), score(fromGenerated, rows)];
    });
    const estimate = (of: (scores: number[]) => number): ScoreEstimate => ({
      value: of([score(fromReal, all), score(fromGenerated, all)]),
      standardError: Math.sqrt(variance(resampled.map(of).filter((value) => !Number.isNaN(value)))),
    });
    return {
      target: real.columns[column].name,
      measure: test.columns[column].labels ? "AUROC" : "R²",
      real: estimate(([ofReal]) => ofReal),
      generated: estimate(([, ofGenerated]) => ofGenerated),
      difference: estimate(([ofReal, ofGenerated]) => ofGenerated - ofReal),
    };
  };
}

function checkIsColumn(target: string, names: readonly string[]): void {
  if (names.includes(target)) return;
  const nearest = nearestName(target, names);
  throw new PushforwardError("DATA", `the target "${target}" is not a column of the tables`, {
    expected: `one of ${listedNames(names)}`,
    ...(nearest !== undefined && { hint: `Did you mean "${nearest}"?` }),
  });
}

function checkIsPossible(target: string, test: ComparedRows): void {
  const column = test.columns.find(({ name }) => name === target);
  if (column && isPossible(column)) return;
  throw new PushforwardError("DATA", `the column "${target}" cannot be the target`, {
    expected: `a varying column of numbers, or with 2 to ${MAX_LABELS} labels in ${MIN_ROWS_OF_LABEL} test rows or more each`,
    received: column ? describeValues(column) : "a column that is constant or that identifies the rows",
  });
}

/** What the values of a column are that cannot be the target. */
function describeValues(column: ComparedColumn): string {
  if (!column.labels) return "numbers that do not vary";
  const counts = labelCounts(column).filter((count) => count > 0);
  if (counts.length === 0) return "test rows with none of the labels of the training rows";
  if (counts.length === 1) return "test rows with a single label";
  return `${counts.length} labels, the rarest of which is in ${Math.min(...counts)} test rows`;
}

function chooseTarget(real: ComparedRows, test: ComparedRows, name: string | undefined): number {
  if (name !== undefined) return real.columns.findIndex((column) => column.name === name);
  const labelled = test.columns.findLastIndex((column) => column.labels && isPossible(column));
  if (labelled >= 0) return labelled;
  const scores = test.columns.map((column, c) => {
    if (column.labels || !isPossible(column)) return Number.NEGATIVE_INFINITY;
    const task = predictionTask(c, test);
    const score = task.score(task.predictions(real), Int32Array.from(task.values.keys()));
    // Squares of very large numbers overflow.
    return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
  });
  const best = scores.indexOf(Math.max(...scores));
  if (real.columns.length > 1 && scores[best] > Number.NEGATIVE_INFINITY) return best;
  throw new PushforwardError("DATA", "no column can be predicted from the others");
}

function isPossible(column: ComparedColumn): boolean {
  if (!column.labels) return new Set(column.values.filter((value) => !Number.isNaN(value))).size > 1;
  const counts = labelCounts(column).filter((count) => count > 0);
  return (
    counts.length >= 2 && counts.length <= MAX_LABELS && counts.every((count) => count >= MIN_ROWS_OF_LABEL)
  );
}

/** How trees predict a column from the others, and how their predictions for the test rows are scored. */
function predictionTask(column: number, test: ComparedRows) {
  const { labels } = test.columns[column];
  const counts = labelCounts(test.columns[column]);
  const classes = counts.flatMap((count, label) => (count > 0 ? [label] : []));
  /** Separates the target from the other columns: a number, or the index of a label that test rows have. Rows without such a target are left out. */
  const split = (rows: ComparedRows) => {
    const { values } = rows.columns[column];
    const known = Array.from(values.keys()).filter((n) =>
      labels ? classes.includes(values[n]) : !Number.isNaN(values[n]),
    );
    const selected = selectComparedRows(rows, known);
    return {
      features: { rows: known.length, columns: selected.columns.filter((_, c) => c !== column) },
      values: selected.columns[column].values.map((value) => (labels ? classes.indexOf(value) : value)),
    };
  };
  const { features, values } = split(test);
  return {
    values,
    predictions(rows: ComparedRows): Float64Array[] {
      const learned = split(rows);
      const target: Target = labels
        ? { kind: "class", classes: classes.length, values: learned.values }
        : { kind: "number", values: learned.values };
      return fitBoostedTrees(learned.features, target).predict(features);
    },
    score: (predictions: readonly Float64Array[], rows: Int32Array): number =>
      labels
        ? meanAuroc(predictions, rows, values)
        : explainedVariance(
            Float64Array.from(rows, (row) => predictions[0][row]),
            Float64Array.from(rows, (row) => values[row]),
          ),
  };
}

/** The mean of the AUROC of each class against the others. */
function meanAuroc(predictions: readonly Float64Array[], rows: Int32Array, values: Float64Array): number {
  const areas = predictions.map((scores, k) => {
    const ofSide = (isClass: boolean) =>
      Float64Array.from(rows.filter((row) => (values[row] === k) === isClass)).map((row) => scores[row]);
    return auroc(ofSide(true), ofSide(false)).value;
  });
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

function explainedVariance(predictions: Float64Array, values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = (prediction: (n: number) => number) =>
    values.reduce((sum, value, n) => sum + (value - prediction(n)) ** 2, 0);
  return 1 - squares((n) => predictions[n]) / squares(() => mean);
}
