import type { DataRows } from "../bijections/bijection.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import type { Flow } from "../flows/flow.ts";
import type { Limits } from "../limits.ts";

/**
 * Sets what a flow takes from data (scales, actnorm, mixture components), from the data side to the base: each part sees
 * the rows as the parts before it leave them. Held-out rows, as they arrive at the base, may decide between choices made there.
 */
export async function initialize(
  flow: Flow,
  data: InMemoryDataset,
  heldOut?: InMemoryDataset,
  limits: Limits = {},
): Promise<void> {
  await flow.fitToData?.(asDataRows(data), heldOut && asDataRows(heldOut), limits);
}

/** Rows as modules take them to be initialized from. */
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
