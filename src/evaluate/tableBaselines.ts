import type { InMemoryDataset } from "../dataset/index.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { KernelDensity } from "../distributions/kernelDensity.ts";
import { LatentClasses } from "../distributions/latentClasses.ts";
import { Flow, type RunOptions } from "../flows/index.ts";
import { checkOptions } from "../options.ts";
import { Random } from "../random/index.ts";
import { runRules } from "../runtime/options.ts";
import { tableHeads } from "../tables/columnHeads.ts";
import type { TableColumn } from "../tables/tableColumn.ts";
import { type Baseline, gaussianBaseline } from "./gaussianBaseline.ts";
import { independentBaseline } from "./independentBaseline.ts";

/** A baseline with its name in a report. */
export interface NamedBaseline extends Baseline {
  readonly name: string;
}

const ROWS_PER_CLASS = 40;
const MAX_CLASSES = 32;
const MAX_CENTERS = 2000;
/** Mixtures of wide tables take long to fit. */
const MAX_FEATURES_OF_MIXTURES = 100;

/**
 * Simpler densities to compare the model of a table with, fitted to its training rows: independent columns, a mixture of products of
 * independent columns (latent classes), a kernel density, and a Gaussian if all columns are continuous without missing values. Tables of more
 * than 100 features are compared without latent classes and kernel density.
 */
export async function tableBaselines(
  columns: readonly TableColumn[],
  training: InMemoryDataset,
  run: RunOptions = {},
): Promise<NamedBaseline[]> {
  checkOptions("tableBaselines", run, runRules);
  const heads = tableHeads(columns, training);
  const baselines: NamedBaseline[] = [
    { name: "independent columns", ...(await independentBaseline(columns, training, run)) },
  ];
  if (columns.every(({ kind, gaps }) => !gaps && (kind === "continuous" || kind === "constant"))) {
    const gaussian = await gaussianBaseline(training, run);
    if (gaussian) baselines.push({ name: "Gaussian", ...gaussian });
  }
  if (heads.length > MAX_FEATURES_OF_MIXTURES) return baselines;
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
