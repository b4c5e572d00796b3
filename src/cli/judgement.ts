import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import type { Flow, RunOptions } from "../flows/index.ts";
import { gaussianFor } from "./gaussian.ts";
import { RunningMean } from "./runningMean.ts";
import { logDensities } from "./scoring.ts";

/** How good a fitted flow is on rows that were held out, beside a Gaussian that was fitted to the same training rows. */
export interface Judgement {
  /** The rows that it is judged by: those kept aside, or else the validation rows, which also ended training. */
  readonly by: "test" | "validation";
  /** Log-densities in nats. */
  readonly flow: RunningMean;
  readonly gaussian?: RunningMean;
  /** Row by row how much higher the log-density under the flow is. */
  readonly gain?: RunningMean;
  /** The Gaussian's mean log-density on the validation rows. */
  readonly validationGaussian?: number;
}

export interface HeldOut {
  readonly training: Dataset;
  readonly validation: InMemoryDataset;
  readonly test?: InMemoryDataset;
}

export async function judge(
  flow: Flow,
  { training, validation, test }: HeldOut,
  { constants, ...options }: RunOptions & { constants: ReadonlyMap<number, number> },
): Promise<Judgement> {
  const rows = test ?? validation;
  const by = test ? "test" : "validation";
  const scores = await logDensities(flow, rows.values, rows.context, options);
  const gaussian = await gaussianFor(training.sample, {
    ...options,
    constants,
    embedding: flow.embedding,
  });
  if (!gaussian) return { by, flow: meanOf(scores) };
  const reference = await gaussian(rows);
  return {
    by,
    flow: meanOf(scores),
    gaussian: meanOf(reference),
    gain: meanOf(scores.map((score, i) => score - reference[i]!)),
    validationGaussian: meanOf(test ? await gaussian(validation) : reference).mean,
  };
}

function meanOf(values: Float64Array): RunningMean {
  const total = new RunningMean();
  for (const value of values) total.add(value);
  return total;
}
