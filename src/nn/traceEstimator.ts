import * as z from "zod/mini";

/**
 * How training computes the trace of a Jacobian J: exactly, or by Hutchinson's unbiased estimate e^T J e, in which e has random
 * signs for every row (Hutchinson 1990). Outside of training the trace is always exact.
 */
export type TraceEstimator = "exact" | "hutchinson";

export const traceEstimatorSchema = z.enum(["exact", "hutchinson"]);

/** Up to this number of features the exact trace is the default, if it takes a Jacobian-vector product for each feature. */
export const MAX_FEATURES_FOR_EXACT_TRACE = 16;
