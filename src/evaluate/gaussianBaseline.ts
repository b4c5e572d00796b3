import { Standardize } from "../bijections/standardize.ts";
import { columnSummary } from "../columns/index.ts";
import { type Dataset, InMemoryDataset } from "../dataset/index.ts";
import { joinColumns } from "../dataset/joinColumns.ts";
import type { ContextEmbedding } from "../distributions/contextEmbedding.ts";
import { fitGaussianMixture } from "../distributions/expectationMaximization.ts";
import { GaussianMixture } from "../distributions/gaussianMixture.ts";
import { StandardNormal } from "../distributions/standardNormal.ts";
import { Flow, type RunOptions } from "../flows/index.ts";
import { anyValue, checkOptions } from "../options.ts";
import { Random } from "../random/index.ts";
import { runRules } from "../runtime/options.ts";

/** Added to the diagonal of the covariance of standardized columns: keeps that of perfectly correlated columns invertible. */
const RIDGE = 1e-9;

/** A density to compare a flow with. */
export interface Baseline {
  /** The log-density of each row, in nats and data units: [N]. */
  logDensities(rows: InMemoryDataset): Promise<Float64Array>;
}

/** Options of `gaussianBaseline`. */
export interface GaussianBaselineOptions extends RunOptions {
  /** The embedding of the flow to compare with; it says which columns of the context are class labels. Default none. */
  readonly embedding?: ContextEmbedding | undefined;
  /**
   * Columns that have no density, by their index among the features, with their only value. They add nothing to the
   * log-density, and a row with another value has -Infinity. Default: the columns with one value in all training rows.
   */
  readonly constants?: ReadonlyMap<number, number>;
}

/**
 * Fits a Gaussian with full covariance to rows by maximum likelihood. With a context it is the conditional density
 * log p(x, c) - log p(c) of the joint Gaussian, that is linear regression on the context; a class label is coded by an
 * indicator column for each class except the first. Of a streamed dataset it uses the sample.
 *
 * Returns undefined if there are too few rows for a covariance: at most D + C + 1.
 */
export async function gaussianBaseline(
  training: Dataset,
  settings: GaussianBaselineOptions = {},
): Promise<Baseline | undefined> {
  checkOptions("gaussianBaseline", settings, { ...runRules, embedding: anyValue, constants: anyValue });
  const { embedding, constants = training.constants.values, ...run } = settings;
  const options = { ...run, precision: "float64" } as const;
  const prepare = (rows: InMemoryDataset) => withIndicators(rows.withoutColumns(constants), embedding);
  const rows = prepare(training.sample);
  const { features, contextFeatures } = rows;
  if (rows.rows <= features + contextFeatures + 1) return undefined;
  const joint = await fitGaussian(withContextColumns(rows), options);
  const marginal = contextFeatures > 0 ? await fitGaussian(contextOnly(rows), options) : undefined;
  return {
    async logDensities(given) {
      const rows = prepare(given);
      const logDensities = await joint.logProb(withContextColumns(rows).values, undefined, options);
      const ofContext = await marginal?.logProb(rows.context, undefined, options);
      return logDensities.map((logDensity, row) => {
        if (!hasConstants(given, row, constants)) return Number.NEGATIVE_INFINITY;
        return logDensity - (ofContext?.[row] ?? 0);
      });
    },
  };
}

async function fitGaussian(rows: InMemoryDataset, options: RunOptions): Promise<Flow> {
  const { features, values, weights } = rows;
  const names = Array.from({ length: features }, (_, d) => `${d}`);
  const summaries = columnSummary({ columns: names, rows: rows.rows, values });
  const standardize = Standardize.of(
    summaries.map(({ mean }) => mean),
    summaries.map(({ std }) => std || 1),
  );
  const toUnitScale = new Flow(new StandardNormal({ features }), standardize);
  const standardized = await toUnitScale.toLatent(values, undefined, options);

  const gaussian = new GaussianMixture({ features, components: 1 }, new Random(0));
  for (const parameter of [gaussian.logWeights, gaussian.means, gaussian.logDiagonal, gaussian.lower]) {
    // Parameters hold float32 by default.
    parameter.take(Float64Array.from(parameter.numbers));
  }
  const data = { rows: rows.rows, features, values: standardized, weights };
  gaussian.assign(await fitGaussianMixture(data, 1, { ridge: RIDGE }));
  return new Flow(gaussian, standardize);
}

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

/** The context as further features. */
function withContextColumns({ rows, features, contextFeatures, values, context, weights }: InMemoryDataset) {
  const joined = joinColumns(values, context, rows);
  return new InMemoryDataset({ features: features + contextFeatures, values: joined, weights });
}

const contextOnly = ({ contextFeatures, context, weights }: InMemoryDataset) =>
  new InMemoryDataset({ features: contextFeatures, values: context, weights });

const hasConstants = (
  { values, features }: InMemoryDataset,
  row: number,
  constants: ReadonlyMap<number, number>,
): boolean => [...constants].every(([column, value]) => values[row * features + column] === value);
