import { anyValue, checkOptions, PushforwardError } from "../../check/index.ts";
import { type Dataset, type InMemoryDataset, joinColumns, withMeanWeightOne } from "../../dataset/index.ts";
import type { Atoms, ContextEmbedding } from "../../distributions/index.ts";
import { type TableColumn, tableHeads } from "../columns/index.ts";
import { FeatureScaling, type GaussianFeature } from "./gaussianFeatures.ts";
import { LinearGaussian } from "./linearGaussian.ts";

/** Added to the variance of standardized columns: keeps the covariance of perfectly correlated columns invertible. */
const RIDGE = 1e-9;
/**
 * The largest number of products in the covariance, N (D + C)^2, which take about half a minute. There is no Gaussian for larger tables.
 */
const MAX_PRODUCTS = 5e10;

/** A density to compare a flow with. */
export interface Baseline {
  /** The log-density of each row, in nats and data units: [N]. */
  logDensities(rows: InMemoryDataset): Promise<Float64Array>;
}

/** Options of `gaussianBaseline`. */
export interface GaussianBaselineOptions {
  /** The embedding of the flow to compare with; it says which columns of the context are class labels. Default none. */
  readonly embedding?: ContextEmbedding | undefined;
  /**
   * Columns that have no density, by their index among the features, with their only value. They add nothing to the
   * log-density, and a row with another value has -Infinity. Default: the columns with one value in all training rows, or none with `columns`.
   */
  readonly constants?: ReadonlyMap<number, number> | undefined;
  /** The columns of a table, if the rows are their features. Default: all features are real numbers. */
  readonly columns?: readonly TableColumn[] | undefined;
  /** The values of `columns` that have probabilities under the model to compare with (`Flow.atoms`). Default: the frequent ones. */
  readonly atoms?: readonly Atoms[] | undefined;
}

/**
 * Fits a Gaussian with full covariance to rows by maximum likelihood. With a context, each column also depends on the context by linear
 * regression; a class label is coded by an indicator column for each class except the first. Of a streamed dataset it uses the sample.
 *
 * With `columns`, values have probabilities where they have them under the model of a table: a cell of a lattice has the probability of the
 * normal distribution between its edges, given the columns before, and atoms and missing values have probabilities (`LinearGaussian`).
 *
 * Returns undefined if there are too few rows for a covariance, at most D + C + 1, if the covariance would take minutes, and if a column is
 * categorical, since labels have no normal distribution. Throws `ARGUMENT` for an unknown option. Its `logDensities` throws `SHAPE` for
 * rows with another number of context features than the training rows.
 */
export async function gaussianBaseline(
  training: Dataset,
  options: GaussianBaselineOptions = {},
): Promise<Baseline | undefined> {
  checkOptions("gaussianBaseline", options, {
    embedding: anyValue,
    constants: anyValue,
    columns: anyValue,
    atoms: anyValue,
  });
  const { embedding, columns, atoms } = options;
  const constants = options.constants ?? (columns ? new Map() : training.constants.values);
  const prepare = (rows: InMemoryDataset) => withIndicators(rows.withoutColumns(constants), embedding);
  const rows = withMeanWeightOne(prepare(training.sample));
  const width = rows.features + rows.contextFeatures;
  if (rows.rows <= width + 1 || rows.rows * width ** 2 > MAX_PRODUCTS) return undefined;
  const columnFeatures = columns
    ? gaussianFeatures(columns, training.sample, atoms)
    : Array.from({ length: rows.features }, () => ({ type: "continuous" }) as const);
  if (!columnFeatures) return undefined;
  const context = Array.from({ length: rows.contextFeatures }, () => ({ type: "context" }) as const);
  const all = withContext(rows);
  const scaling = new FeatureScaling([...context, ...columnFeatures], all);
  const gaussian = new LinearGaussian(scaling, scaling.standardized(all), rows.weights, RIDGE);
  return {
    async logDensities(given) {
      checkContext(given, training);
      const logDensities = gaussian.logDensities(scaling.standardized(withContext(prepare(given))));
      return logDensities.map((logDensity, row) =>
        hasConstants(given, row, constants) ? logDensity : Number.NEGATIVE_INFINITY,
      );
    },
  };
}

function checkContext({ contextFeatures }: InMemoryDataset, training: Dataset): void {
  if (contextFeatures === training.contextFeatures) return;
  throw new PushforwardError(
    "SHAPE",
    "the training rows and the evaluated rows have different numbers of context features",
    {
      expected: `${training.contextFeatures}, as in the training rows`,
      received: `${contextFeatures}`,
      hint: "Give both with their context: dataset(rows, { context }).",
    },
  );
}

/** The features of the columns of a table for a Gaussian; undefined if a column is categorical. */
export function gaussianFeatures(
  columns: readonly TableColumn[],
  training: InMemoryDataset,
  atoms: readonly Atoms[] | undefined,
): GaussianFeature[] | undefined {
  if (columns.some(({ kind }) => kind === "categorical")) return undefined;
  return tableHeads(columns, training, { atoms }).filter((head) => head.type !== "categorical");
}

/** The features after those of the context. */
const withContext = ({ rows, values, context, weights }: InMemoryDataset) => ({
  rows,
  values: joinColumns(context, values, rows),
  weights,
});

/** Rows whose context has indicator columns, 0 or 1, in place of class labels. */
function withIndicators(rows: InMemoryDataset, embedding: ContextEmbedding | undefined): InMemoryDataset {
  const { numbers = 0, classes = [] } = embedding?.describe() ?? {};
  if (classes.length === 0) return rows;
  const width = numbers + classes.length;
  const columns = classes.reduce((total, count) => total + count - 1, numbers);
  const context = new Float64Array(rows.rows * columns);
  for (let row = 0; row < rows.rows; row++) {
    const labelled = rows.context.subarray(row * width, (row + 1) * width);
    context.set(labelled.subarray(0, numbers), row * columns);
    let first = row * columns + numbers;
    classes.forEach((count, k) => {
      const label = labelled[numbers + k]!;
      if (label > 0) context[first + label - 1] = 1;
      first += count - 1;
    });
  }
  return rows.with({ context });
}

const hasConstants = (
  { values, features }: InMemoryDataset,
  row: number,
  constants: ReadonlyMap<number, number>,
): boolean => [...constants].every(([column, value]) => values[row * features + column] === value);
