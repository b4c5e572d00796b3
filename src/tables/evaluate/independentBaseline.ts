import { anyValue, checkOptions } from "../../check/index.ts";
import type { Dataset } from "../../dataset/index.ts";
import type { Atoms } from "../../distributions/index.ts";
import { Flow, type RunOptions } from "../../flows/index.ts";
import { Random } from "../../random/index.ts";
import { runRules } from "../../runtime/index.ts";
import { type TableColumn, tableHeads } from "../columns/index.ts";
import { MixedMade } from "../densities/index.ts";
import type { Baseline } from "./gaussianBaseline.ts";

/** Options of `independentBaseline`. */
export interface IndependentBaselineOptions extends RunOptions {
  /** The values that have probabilities under the model to compare with (`Flow.atoms`). Default: the frequent values. */
  readonly atoms?: readonly Atoms[] | undefined;
}

/**
 * The density under which the columns of a table are independent, each with about its marginal distribution in the training rows. What a
 * model gains over it is what the model has learned about the dependence between columns. A context and the weights of rows have no effect.
 * Throws `ARGUMENT` if the options are not valid.
 */
export async function independentBaseline(
  columns: readonly TableColumn[],
  training: Dataset,
  options: IndependentBaselineOptions = {},
): Promise<Baseline> {
  checkOptions("independentBaseline", options, { ...runRules, atoms: anyValue });
  const { atoms, ...run } = options;
  const { sample } = training;
  const heads = tableHeads(columns, sample, { atoms });
  // Initially the weights of a MixedMade are 0, and its biases are fitted to the marginal distributions. Without a hidden layer it would have
  // a weight from each input to each output, too many for a table of a thousand columns.
  const made = new MixedMade({ columns: heads, network: { hidden: [1] } }, new Random(0));
  await made.fitToData({ rows: sample.rows, features: sample.features, values: sample.values });
  const flow = new Flow(made);
  return { logDensities: (rows) => flow.logProb(rows.values, undefined, run) };
}
