import type { StoredArray } from "../parts/index.ts";

/**
 * The names of the arrays of a reference for anomalies in a model file begin with this. No parameter of a flow begins with it, because its
 * path begins with a part of the flow.
 */
export const ANOMALY_PREFIX = "anomalies.";

/** The arrays of a model file that are parameters of its flow, and those of its reference for anomalies, without the prefix. */
export interface SplitArrays {
  readonly flowArrays: Map<string, StoredArray>;
  readonly anomalyArrays: Map<string, StoredArray>;
}

/** Separates the arrays of a model file by their names. */
export function splitAnomalyArrays(arrays: ReadonlyMap<string, StoredArray>): SplitArrays {
  const flowArrays = new Map<string, StoredArray>();
  const anomalyArrays = new Map<string, StoredArray>();
  for (const [name, array] of arrays) {
    if (name.startsWith(ANOMALY_PREFIX)) anomalyArrays.set(name.slice(ANOMALY_PREFIX.length), array);
    else flowArrays.set(name, array);
  }
  return { flowArrays, anomalyArrays };
}
