import type { InMemoryDataset } from "../dataset/index.ts";
import type { Flow, RunOptions } from "../flows/index.ts";

/** Enough samples for histograms and contours that do not change visibly with the seed. */
const SAMPLES = 5000;

/** Samples of a flow for a figure. Those of a conditional flow have the contexts of the first rows. */
export function drawnSamples(
  flow: Flow,
  rows: InMemoryDataset,
  options: RunOptions & { readonly seed: number },
): Promise<Float64Array> {
  if (flow.context === 0) return flow.sample(SAMPLES, options);
  const count = Math.min(rows.rows, SAMPLES);
  return flow.sample(count, { ...options, context: rows.context.subarray(0, count * flow.context) });
}
