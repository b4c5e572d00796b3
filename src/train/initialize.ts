import type { DataRows } from "../bijections/bijection.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import type { Flow } from "../flows/flow.ts";
import { type Limits, limitRules } from "../limits.ts";
import { checkOptions } from "../options.ts";

/**
 * Data-dependent initialization: sets the parameters that are estimated from data (standardization, actnorm, components of a
 * mixture). Layers are initialized from the data to the base, each from the output of the previous layers. The base may use
 * held-out rows, for example to choose the number of mixture components.
 */
export async function initialize(
  flow: Flow,
  data: InMemoryDataset,
  heldOut?: InMemoryDataset,
  limits: Limits = {},
): Promise<void> {
  checkOptions("initialize", limits, limitRules);
  await flow.fitToData?.(asDataRows(data), heldOut && asDataRows(heldOut), limits);
}

/** The rows of a dataset in the form that `fitToData` of a module takes. */
export const asDataRows = ({
  rows,
  features,
  values,
  weights,
  context,
  contextFeatures,
}: InMemoryDataset): DataRows => ({
  rows,
  features,
  values,
  weights,
  ...(contextFeatures > 0 && { context }),
});
