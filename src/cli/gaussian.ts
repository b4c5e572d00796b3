import { Standardize } from "../bijections/standardize.ts";
import { columnSummary } from "../data/index.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import { fitGaussianMixture } from "../distributions/expectationMaximization.ts";
import { GaussianMixture } from "../distributions/gaussianMixture.ts";
import { StandardNormal } from "../distributions/standardNormal.ts";
import { Flow, type RunOptions } from "../flows/index.ts";
import { Random } from "../random/index.ts";
import { sideBySide } from "./sideBySide.ts";

/** Keeps a covariance of perfectly correlated columns invertible, in units of their variances. */
const RIDGE = 1e-9;

/**
 * Fits a full-covariance Gaussian to rows by maximum likelihood and gives the log-density of others under it, in data
 * units. With context it is the Gaussian's conditional, log p(x, c) - log p(c), where the label of a class is a column of 0
 * and 1 for each class but the first. Columns that are `constants` by their place add nothing, and rows with another value
 * there get -Infinity. None if there are too few rows for a covariance.
 */
export async function gaussianFor(
  labelled: InMemoryDataset,
  {
    threads,
    embedding,
    constants = new Map(),
  }: RunOptions & { embedding?: Flow["embedding"]; constants?: ReadonlyMap<number, number> } = {},
): Promise<((rows: InMemoryDataset) => Promise<Float64Array>) | undefined> {
  const { numbers = 0, classes = [] } = embedding?.describe() ?? {};
  const numeric = (all: InMemoryDataset) => {
    const rows = all.withoutColumns(constants);
    return classes.length > 0 ? rows.with({ context: indicators(rows, numbers, classes) }) : rows;
  };
  const training = numeric(labelled);
  const options = { threads, precision: "float64" } as const;
  const { features: width, contextFeatures: conditions } = training;
  if (training.rows <= width + conditions + 1) return undefined;
  const joint = await fittedGaussian(together(training), width + conditions, options);
  const marginal = conditions > 0 ? await fittedGaussian(training.context, conditions, options) : undefined;
  return async (given) => {
    const rows = numeric(given);
    const both = await joint.logProb(together(rows), undefined, options);
    const condition = await marginal?.logProb(rows.context, undefined, options);
    const scores = condition ? both.map((value, i) => value - condition[i]!) : both;
    const { values, features: width } = given;
    const possible = (row: number) => [...constants].every(([i, value]) => values[row * width + i] === value);
    return scores.map((score, row) => (possible(row) ? score : Number.NEGATIVE_INFINITY));
  };
}

async function fittedGaussian(values: Float64Array, features: number, options: RunOptions): Promise<Flow> {
  const rows = values.length / features;
  const columns = Array.from({ length: features }, (_, d) => `${d}`);
  const summaries = columnSummary({ columns, rows, values });
  const standardize = new Standardize({ features });
  standardize.center.value = Float64Array.from(summaries, ({ mean }) => mean);
  standardize.scale.value = Float64Array.from(summaries, ({ std }) => std || 1);
  const toUnitScale = new Flow(new StandardNormal({ features }), standardize);
  const scaled = await toUnitScale.toLatent(values, undefined, options);

  const gaussian = new GaussianMixture({ features, components: 1 }, new Random(0));
  for (const parameter of [gaussian.logWeights, gaussian.means, gaussian.logDiagonal, gaussian.lower]) {
    parameter.take(Float64Array.from(parameter.numbers));
  }
  gaussian.assign(await fitGaussianMixture({ rows, features, values: scaled }, 1, { ridge: RIDGE }));
  return new Flow(gaussian, standardize);
}

/** Contexts with columns of 0 and 1 in place of the labels behind their `numbers`. */
function indicators(
  { rows, context }: InMemoryDataset,
  numbers: number,
  classes: readonly number[],
): Float64Array {
  const width = numbers + classes.length;
  const columns = classes.reduce((total, count) => total + count - 1, numbers);
  const out = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const own = context.subarray(row * width, (row + 1) * width);
    out.set(own.subarray(0, numbers), row * columns);
    let first = row * columns + numbers;
    classes.forEach((count, k) => {
      const label = own[numbers + k]!;
      if (label > 0) out[first + label - 1] = 1;
      first += count - 1;
    });
  }
  return out;
}

/** [rows, D + C]: each row with its context behind it. */
const together = ({ rows, values, context }: InMemoryDataset) => sideBySide(values, context, rows);
