import { anyValue, checkOptions, PushforwardError } from "../../check/index.ts";
import {
  checkColumns,
  type Dataset,
  dataset,
  type ExpectedColumns,
  InMemoryDataset,
  isDataset,
  type RowsInput,
} from "../../dataset/index.ts";
import type { Flow, RunOptions } from "../../flows/index.ts";
import { estimate, type MeanEstimate } from "../../numerics/index.ts";
import { runRules } from "../../runtime/index.ts";
import { compareDensities } from "./compareDensities.ts";
import { type Baseline, gaussianBaseline } from "./gaussianBaseline.ts";
import { logDensities } from "./logDensities.ts";

/** Options of `evaluate`. */
export interface EvaluateOptions extends RunOptions {
  /** `[N, C]`: the context of each row. A `dataset(...)` has its own. Default none. */
  readonly context?: RowsInput | undefined;
  /**
   * The rows that the flow was fitted to. A Gaussian is fitted to the same rows, and the flow is compared with this Gaussian. Default
   * none.
   */
  readonly training?: RowsInput | Dataset | undefined;
  /** A density to compare the flow with. With it, no Gaussian is fitted, and `training` is not read. Default none. */
  readonly baseline?: Baseline | undefined;
}

/** Log-densities of rows under a flow and under a baseline, in nats and data units. */
export interface EvaluateResult {
  /** The log-density of each row under the flow: [N]. */
  readonly logDensities: Float64Array;
  /** Mean log-density under the flow. The higher it is, the better the flow describes the rows. */
  readonly logDensity: MeanEstimate;
  /** Mean log-density under the baseline; undefined without one, and if there are too few training rows for a Gaussian. */
  readonly baseline?: MeanEstimate;
  /**
   * Mean of the differences, row by row: by how much the log-density under the flow is higher. Its standard error is usually
   * much smaller than those of the two means, because both densities are low in the same rows.
   */
  readonly gain?: MeanEstimate;
}

/**
 * Evaluates a flow on rows that it was not fitted to: the mean log-density with its standard error, and with `training`
 * also how much better the flow is than a Gaussian with full covariance (`gaussianBaseline`). Means are weighted if the rows
 * are a `dataset(...)` with weights.
 *
 * @throws SHAPE or DATA for rows and training rows that the flow does not accept, such as a dataset whose columns are in another order than
 *   those of the flow; SHAPE if only one of the training rows and the evaluated rows have a context; ARGUMENT for a context beside a dataset;
 *   NUMERIC when a log-density is NaN.
 */
export async function evaluate<Row extends object>(
  flow: Flow,
  rows: RowsInput<Row> | InMemoryDataset,
  options: EvaluateOptions = {},
): Promise<EvaluateResult> {
  checkOptions("evaluate", options, {
    ...runRules,
    context: anyValue,
    training: anyValue,
    baseline: anyValue,
  });
  const { context, training, baseline, ...run } = options;
  if (rows instanceof InMemoryDataset && context !== undefined) {
    throw new PushforwardError(
      "ARGUMENT",
      "the option context of evaluate cannot be combined with a dataset",
      {
        hint: "Make it a part of the rows: dataset(rows, { context }).",
      },
    );
  }
  const { features, columns, contextColumns } = flow;
  const shape = { features, columns, contextColumns };
  const heldOut = rows instanceof InMemoryDataset ? rows : dataset(rows, { ...shape, context });
  if (heldOut.rows === 0) {
    throw new PushforwardError("DATA", "there are no rows to evaluate the flow on", {
      expected: "at least 1 row",
    });
  }
  const scores = await logDensities(flow, heldOut, run);
  const result = { logDensities: scores, logDensity: estimate(scores, heldOut) };
  const reference = baseline ?? (await gaussianOf(flow, training, shape));
  if (!reference) return result;
  const named = { name: "baseline", logDensities: (of: InMemoryDataset) => reference.logDensities(of) };
  const [compared] = await compareDensities(scores, heldOut, [named]);
  return { ...result, baseline: compared.logDensity, gain: compared.gain };
}

async function gaussianOf(
  { embedding }: Flow,
  training: EvaluateOptions["training"],
  shape: ExpectedColumns,
): Promise<Baseline | undefined> {
  if (training === undefined) return undefined;
  const rows = isDataset(training) ? training : dataset(training, shape);
  checkColumns(rows, shape, { rows: "training rows", owner: "the flow" });
  return gaussianBaseline(rows, { embedding });
}
