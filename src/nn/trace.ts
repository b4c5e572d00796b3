import * as z from "zod/mini";

/**
 * Traces of Jacobians in training: exact, or Hutchinson's estimate, the product e^T J e with signs e that are drawn for every
 * row (Hutchinson 1990), whose mean is the trace. What is not training is exact.
 */
export type Trace = "exact" | "hutchinson";

export const traceSchema = z.enum(["exact", "hutchinson"]);

/** Features up to which an exact trace is the default where it takes a tangent for each of them. */
export const MOST_EXACT = 16;
