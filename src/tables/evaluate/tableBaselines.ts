import { anyValue, checkOptions } from "../../check/index.ts";
import type { Dataset, InMemoryDataset } from "../../dataset/index.ts";
import type { Atoms, Distribution } from "../../distributions/index.ts";
import { Flow, type RunOptions } from "../../flows/index.ts";
import { Random } from "../../random/index.ts";
import { runRules } from "../../runtime/index.ts";
import { type TableColumn, tableHeads } from "../columns/index.ts";
import { KernelDensity, LatentClasses } from "../densities/index.ts";
import type { NamedBaseline } from "./compareDensities.ts";
import {
  type Baseline,
  type GaussianBaselineOptions,
  gaussianBaseline,
  gaussianFeatures,
} from "./gaussianBaseline.ts";
import { gaussianMixtureBaseline } from "./gaussianMixtureBaseline.ts";
import { independentBaseline } from "./independentBaseline.ts";

/** A latent class that is fitted to fewer rows than this follows their noise. */
const ROWS_PER_CLASS = 40;
/** More latent classes or centers than these would make a comparison slow, and hardly more informative. */
const MAX_CLASSES = 32;
const MAX_CENTERS = 2000;
/** Mixtures of wide tables take long to fit. */
const MAX_FEATURES_OF_MIXTURES = 100;

/** Options of `tableBaselines`. */
export interface TableBaselinesOptions extends RunOptions {
  /** The values that have probabilities under the model to compare with (`Flow.atoms`). Default: the frequent values. */
  readonly atoms?: readonly Atoms[] | undefined;
}

export const GAUSSIAN = "Gaussian";
export const INDEPENDENT = "independent columns";

/**
 * The baselines that take the least time: independent columns, and a Gaussian if no column is categorical and the rows suffice. Only the
 * Gaussian depends on a context.
 */
export async function simpleBaselines(
  columns: readonly TableColumn[],
  training: Dataset,
  { atoms, embedding, ...run }: TableBaselinesOptions & Pick<GaussianBaselineOptions, "embedding"> = {},
): Promise<NamedBaseline[]> {
  const independent = await independentBaseline(columns, training, { atoms, ...run });
  const gaussian = await gaussianBaseline(training, { columns, atoms, embedding });
  return [{ name: INDEPENDENT, ...independent }, ...(gaussian ? [{ name: GAUSSIAN, ...gaussian }] : [])];
}

/**
 * Simpler densities to compare the model of a table with, fitted to its training rows: independent columns, a mixture of products of
 * independent columns (latent classes), and a kernel density; if no column is categorical also a Gaussian (`gaussianBaseline`) and a
 * mixture of Gaussians. All are in the measure of the model: the cells of lattices, atoms and missing values have probabilities. Tables of
 * more than 100 features are compared only with independent columns and the Gaussian. Throws `ARGUMENT` if the options are not valid.
 */
export async function tableBaselines(
  columns: readonly TableColumn[],
  training: InMemoryDataset,
  options: TableBaselinesOptions = {},
): Promise<NamedBaseline[]> {
  checkOptions("tableBaselines", options, { ...runRules, atoms: anyValue });
  const { atoms, ...run } = options;
  const heads = tableHeads(columns, training, { atoms });
  const isWide = heads.length > MAX_FEATURES_OF_MIXTURES;
  const baselines = await simpleBaselines(columns, training, options);
  const features = isWide ? undefined : gaussianFeatures(columns, training, atoms);
  if (features && baselines.some(({ name }) => name === GAUSSIAN)) {
    const { components, ...baseline } = await gaussianMixtureBaseline(features, training);
    if (components > 1) baselines.push({ name: `Gaussian mixture (${components})`, ...baseline });
  }
  if (isWide) return baselines;
  const random = new Random(0);
  const classes = Math.min(MAX_CLASSES, Math.max(2, Math.round(training.rows / ROWS_PER_CLASS)));
  const mixture = new LatentClasses({ columns: heads, classes }, random);
  const centers = Math.min(training.rows, MAX_CENTERS);
  const kernel = new KernelDensity({ columns: heads, centers }, random);
  for (const [name, base] of [
    [`latent classes (${classes})`, mixture],
    ["kernel density", kernel],
  ] as const) {
    await base.fitToData({ rows: training.rows, features: training.features, values: training.values });
    baselines.push({ name, ...flowBaseline(base, run) });
  }
  return baselines;
}

function flowBaseline(base: Distribution, run: RunOptions): Baseline {
  const flow = new Flow(base);
  return { logDensities: (rows) => flow.logProb(rows.values, undefined, run) };
}
