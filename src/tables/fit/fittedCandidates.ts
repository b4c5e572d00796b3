import { type Limits, limitReached } from "../../check/index.ts";
import { type Dataset, featureColumn, type InMemoryDataset } from "../../dataset/index.ts";
import { Flow } from "../../flows/index.ts";
import { mean } from "../../numerics/index.ts";
import type { Random } from "../../random/index.ts";
import { featuresOf, type TableColumn, tableHeads, withLinearScale } from "../columns/index.ts";
import {
  type ColumnHeadOptions,
  chooseMixedGaussianMixture,
  FULL_SHRINKAGE,
  fitCorrelatedKernels,
  KERNEL_WIDTHS,
  KernelDensity,
} from "../densities/index.ts";

/** A member that is fitted without gradients, such as a kernel density. */
export interface FittedCandidate {
  readonly name: string;
  fit(data: InMemoryDataset, heldOut: InMemoryDataset, limits: Limits): Promise<Flow>;
  /** Fits the density to all rows but the test rows, after `fit` and its validation. Undefined if this does not make the member better. */
  refit?(rows: InMemoryDataset, limits: Limits): Promise<Flow>;
  /** By how many nats more than other members `refit` raises the log-density in a cross-validated table. Default 0. */
  readonly refitGain?: number;
}

/** What the choice of these members depends on. */
export interface FittedTable {
  readonly columns: readonly TableColumn[];
  readonly heads: readonly ColumnHeadOptions[];
  readonly training: Dataset;
  readonly isLarge: boolean;
}

export const KERNEL_DENSITY = "kernel-density";
const CORRELATED_KERNELS = "correlated-kernels";
const GAUSSIAN_MIXTURE = "gaussian-mixture";
/** Whether the member of this name is a kernel density, which contains training rows. */
export const isKernelDensity = (name: string): boolean =>
  name === KERNEL_DENSITY || name === CORRELATED_KERNELS;
/**
 * Whether the member of this name is fitted without gradients, and so has no epochs. In later splits of a cross-validation, names have a number
 * at the end, such as `kernel-density-2`.
 */
export function isFittedWithoutGradients(name: string): boolean {
  const ofFirstSplit = name.replace(/-\d+$/, "");
  return isKernelDensity(ofFirstSplit) || ofFirstSplit === GAUSSIAN_MIXTURE;
}

/** Kernel densities take time for each center in each use, and gain little in larger tables. */
const MAX_ROWS_OF_KERNEL_DENSITY = 8000;
export const MAX_CENTERS = 4000;
/**
 * In cross-validation, a kernel density has 80% of the rows that it has afterwards. Its log-density of the test rows is higher than that of the
 * validation rows by 0.18 nats in the median of 70 tables, and that of other members by at most 0.06 (bench/tables/EXPERIMENTS.md).
 */
const REFIT_GAIN_NATS = 0.15;
/** In tables with more features, distances hardly distinguish near rows from far ones. */
const MAX_FEATURES_OF_KERNEL_DENSITY = 100;
/**
 * The time to score a row by correlated kernels is about proportional to the number of kernels times the sum of these costs over the
 * features. If it exceeds `MAX_COST_OF_KERNELS`, a table does not have this member: with fewer kernels than rows it did not help
 * (bench/tables/EXPERIMENTS.md).
 */
const MAX_COST_OF_KERNELS = 60_000;
const COST_OF_NUMBER = 1;
/** The probability of a cell takes about this many times as long as a density. */
const COST_OF_LATTICE = 4;
/** The cost of each category, and of each single value with a probability. */
const COST_OF_LOGIT = 0.25;
/** If columns follow from others, kernels need less shrinkage of their covariance. */
const WEAK_SHRINKAGE = 0.1;
/**
 * The weak shrinkage must increase the mean log-density of the held-out rows by more than this. A smaller increase is often due to chance,
 * and if columns follow from others, it is several nats.
 */
const MIN_GAIN_OF_WEAK_SHRINKAGE_NATS = 0.1;
/** Covariances of more features are too many for tables of a few thousand rows. */
const MAX_FEATURES_OF_GAUSSIANS = 64;

/** A kernel density, unless the table has too many rows or features for one. */
export function kernelDensity({ heads, training: { rows } }: FittedTable, random: Random): FittedCandidate[] {
  if (rows > MAX_ROWS_OF_KERNEL_DENSITY || heads.length > MAX_FEATURES_OF_KERNEL_DENSITY) return [];
  const refit = async (data: InMemoryDataset, limits: Limits) => {
    const options = { columns: [...heads], centers: Math.min(data.rows, MAX_CENTERS) };
    const density = new KernelDensity(options, random.split("kernel"));
    await density.fitToData(data, undefined, limits);
    return new Flow(density);
  };
  // Held-out rows choose nothing, because the bandwidths have the highest leave-one-out likelihood.
  const fit: FittedCandidate["fit"] = (data, _heldOut, limits) => refit(data, limits);
  return [{ name: KERNEL_DENSITY, fit, refit, refitGain: REFIT_GAIN_NATS }];
}

/**
 * A kernel density whose kernels follow the correlations of numbers, unless there are fewer than two of them or the table is too large. The
 * held-out rows choose the scales of the columns (`fitBestScales`), and then the shrinkage of the covariance. `refit` uses the same choice. In a
 * cross-validation, this is the choice of the first split.
 */
export function correlatedKernels(table: FittedTable): FittedCandidate[] {
  const { heads, training } = table;
  const costOfKernel = heads.reduce((sum, head) => {
    if (head.type === "categorical") return sum + COST_OF_LOGIT * head.categories;
    const ofValue = head.type === "lattice" ? COST_OF_LATTICE : COST_OF_NUMBER;
    return sum + ofValue + COST_OF_LOGIT * (head.atoms?.length ?? 0);
  }, 0);
  const cost = KERNEL_WIDTHS.length * training.rows * costOfKernel;
  if (countOfNumbers(heads) < 2 || cost > MAX_COST_OF_KERNELS || heads.length > MAX_FEATURES_OF_GAUSSIANS)
    return [];
  let best = { heads, shrinkage: FULL_SHRINKAGE };
  const fitKernels = async (choice: typeof best, data: InMemoryDataset, limits: Limits) =>
    new Flow(await fitCorrelatedKernels([...choice.heads], data, limits, choice.shrinkage));
  const fit: FittedCandidate["fit"] = async (data, heldOut, limits) => {
    const ofScale = (choice: readonly ColumnHeadOptions[]) =>
      fitKernels({ heads: choice, shrinkage: FULL_SHRINKAGE }, data, limits);
    const shrunk = await fitBestScales(table, ofScale, heldOut, limits);
    best = { heads: shrunk.heads, shrinkage: FULL_SHRINKAGE };
    if (await limitReached(limits)) return shrunk.flow;
    const weak = { ...best, shrinkage: WEAK_SHRINKAGE };
    const flow = await fitKernels(weak, data, limits);
    const gain = mean(await flow.logProb(heldOut.values)) - shrunk.score;
    const isBetter =
      gain > MIN_GAIN_OF_WEAK_SHRINKAGE_NATS &&
      !(await isCrowdedAtBound({ flow, heads: best.heads }, training.sample.values));
    await (isBetter ? shrunk.flow : flow).release();
    if (!isBetter) return shrunk.flow;
    best = weak;
    return flow;
  };
  return [{ name: CORRELATED_KERNELS, fit, refit: (data, limits) => fitKernels(best, data, limits) }];
}

/**
 * A mixture of Gaussians, unless the table has too many rows or features, or only one numeric feature beside categories. The held-out rows
 * choose the scales of the columns (`fitBestScales`).
 */
export function gaussianMixture(table: FittedTable): FittedCandidate[] {
  const { heads, isLarge } = table;
  const numbers = countOfNumbers(heads);
  const hasNumbers = numbers >= 2 || (numbers === 1 && heads.length === 1);
  if (isLarge || !hasNumbers || heads.length > MAX_FEATURES_OF_GAUSSIANS) return [];
  const fit: FittedCandidate["fit"] = async (data, heldOut, limits) => {
    const fitHeads = async (choice: readonly ColumnHeadOptions[]) =>
      new Flow(await chooseMixedGaussianMixture([...choice], data, heldOut, limits));
    return (await fitBestScales(table, fitHeads, heldOut, limits)).flow;
  };
  return [{ name: GAUSSIAN_MIXTURE, fit }];
}

/**
 * Fits a density that has linear regressions between columns: on the scales of the columns, with linear scales of the lattices, and with
 * linear scales of the continuous columns too, because equations such as age = entry + time hold on linear scales. Returns the one with the
 * highest mean log-density of the held-out rows, without those whose draws crowd at a bound (`isCrowdedAtBound`).
 */
async function fitBestScales(
  { columns, heads, training: { sample } }: FittedTable,
  fit: (heads: readonly ColumnHeadOptions[]) => Promise<Flow>,
  heldOut: InMemoryDataset,
  limits: Limits,
): Promise<{ readonly flow: Flow; readonly heads: readonly ColumnHeadOptions[]; readonly score: number }> {
  const features = featuresOf(columns);
  const evaluated = async (flow: Flow, choice: readonly ColumnHeadOptions[]) => ({
    flow,
    heads: choice,
    score: mean(await flow.logProb(heldOut.values)),
  });
  let best = await evaluated(await fit(heads), heads);
  let previous = columns;
  for (const kind of ["lattice", "continuous"]) {
    const linear = previous.map((column, i) => {
      if (column.kind !== kind) return column;
      return withLinearScale(column, featureColumn(sample.values, sample.features, features[i][0]));
    });
    const isNew = linear.some((column, i) => column !== previous[i]);
    previous = linear;
    if (!isNew) continue;
    if (await limitReached(limits)) break;
    const choice = tableHeads(linear, sample);
    const fitted = await evaluated(await fit(choice), choice);
    const isBetter = fitted.score > best.score && !(await isCrowdedAtBound(fitted, sample.values));
    await (isBetter ? best : fitted).flow.release();
    if (isBetter) best = fitted;
  }
  return best;
}

/** A density is refused if the share of its draws within a unit of the bound of a column exceeds that of the training rows by more than this. */
const MAX_EXCESS_AT_BOUND = 0.1;
const DRAWS = 2000;

/**
 * Whether too many draws of a density are near the bound of a column with the scale `inverseSoftplus`. The part of a normal distribution that
 * would be below the bound is near it on this scale. Held-out rows cannot show this, since it lowers their log-density only a little.
 */
async function isCrowdedAtBound(
  { flow, heads }: { readonly flow: Flow; readonly heads: readonly ColumnHeadOptions[] },
  training: Float64Array,
): Promise<boolean> {
  const bounded = heads.flatMap((head, d) =>
    "scale" in head && head.scale?.type === "inverseSoftplus"
      ? [{ d, end: head.scale.low + head.scale.unit }]
      : [],
  );
  if (bounded.length === 0) return false;
  const draws = await flow.sample(DRAWS, { seed: 0 });
  const shareBelow = (values: Float64Array, d: number, end: number) =>
    mean(featureColumn(values, heads.length, d).map((value) => (value < end ? 1 : 0)));
  return bounded.some(
    ({ d, end }) => shareBelow(draws, d, end) - shareBelow(training, d, end) > MAX_EXCESS_AT_BOUND,
  );
}

const countOfNumbers = (heads: readonly ColumnHeadOptions[]): number =>
  heads.filter(({ type }) => type !== "categorical").length;
