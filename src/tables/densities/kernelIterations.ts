import { type Limits, limitReached } from "../../check/index.ts";

/**
 * If an iteration uses only some of the rows, steps shrink like 1/2, 1/3, ... after this many iterations, so that the noise of the rows
 * averages out. With fewer whole steps, bandwidths that are much narrower than at the start were not reached (bench/tables/EXPERIMENTS.md).
 */
const WHOLE_STEPS = 20;

/** Iterations on batches of rows. */
export interface KernelIterations {
  readonly rows: number;
  readonly batchSize: number;
  readonly maxIterations: number;
  /** If each iteration uses all rows, they end when the mean log-likelihood increases by less than this, in nats. */
  readonly tolerance: number;
}

/**
 * Runs iterations of expectation maximization on successive batches of rows, until they no longer improve the likelihood or a limit is
 * reached. `iterate` moves the parameters by `step` towards those that maximize the expected log-likelihood of a batch. It returns the mean
 * log-likelihood of the batch before the step, or undefined if the batch has none, which ends the iterations.
 */
export async function iterateKernels(
  { rows, batchSize, maxIterations, tolerance }: KernelIterations,
  limits: Limits,
  iterate: (batchRows: readonly number[], step: number) => number | undefined,
): Promise<void> {
  if (rows < 2) return;
  let previous = Number.NEGATIVE_INFINITY;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (await limitReached(limits)) return;
    const batchRows = Array.from({ length: batchSize }, (_, b) => (iteration * batchSize + b) % rows);
    const step = batchSize === rows || iteration < WHOLE_STEPS ? 1 : 1 / (iteration - WHOLE_STEPS + 2);
    const logLikelihood = iterate(batchRows, step);
    if (logLikelihood === undefined) return;
    if (batchSize === rows && logLikelihood < previous + tolerance) return;
    previous = logLikelihood;
  }
}
