import { MAX_ROWS_OF_SMALL_TABLE } from "./tableFlows.ts";

/**
 * The learning rate and weight decay of the flows of `tableFlows`, for a number of training rows. Small tables need a large learning rate and
 * strong weight decay, large ones do not: measured in docs/defaults.md.
 */
export const tableFlowOptimizer = (rows: number): { learningRate: number; weightDecay: number } =>
  rows > MAX_ROWS_OF_SMALL_TABLE
    ? { learningRate: 1e-3, weightDecay: 0.01 }
    : { learningRate: 3e-3, weightDecay: 0.3 };
