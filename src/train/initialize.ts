import type { DataRows } from "../bijections/index.ts";
import { checkOptions, type Limits, limitRules } from "../check/index.ts";
import { type InMemoryDataset, withMeanWeightOne } from "../dataset/index.ts";
import type { Flow } from "../flows/index.ts";

/**
 * Pixels are stored as bytes, and take 8 times the memory in float64. So the rows that are converted have at most about this many numbers
 * (16 MB).
 */
const MAX_CONVERTED_NUMBERS = 2 ** 21;
/** At least this many rows are converted, even if they have more numbers. */
const MIN_CONVERTED_ROWS = 100;

/**
 * Data-dependent initialization: sets the parameters that are estimated from data (standardization, actnorm, components of a
 * mixture). Layers are initialized from the data to the base, each from the output of the previous layers. The base may use
 * held-out rows, for example to choose the number of mixture components. Throws `ARGUMENT` for limits that are not valid.
 */
export async function initialize(
  flow: Flow,
  data: InMemoryDataset,
  heldOut?: InMemoryDataset,
  limits: Limits = {},
): Promise<void> {
  checkOptions("initialize", limits, limitRules);
  await flow.fitToData?.(
    asDataRows(convertedRows(data)),
    heldOut && asDataRows(convertedRows(heldOut)),
    limits,
  );
}

/** All rows if they are stored as numbers, or evenly spaced ones if they are stored as bytes, which have to be converted. */
function convertedRows(data: InMemoryDataset): InMemoryDataset {
  if (!data.hasBytes) return data;
  return data.spaced(Math.max(MIN_CONVERTED_ROWS, Math.floor(MAX_CONVERTED_NUMBERS / data.features)));
}

/** The rows of a dataset in the form that `fitToData` of a module takes. Their weights have the mean 1 (`withMeanWeightOne`). */
function asDataRows(dataset: InMemoryDataset): DataRows {
  const { rows, features, values, weights, context, contextFeatures } = withMeanWeightOne(dataset);
  return { rows, features, values, weights, ...(contextFeatures > 0 && { context }) };
}
