import { ROW_STATUS } from "../columns/index.ts";

/**
 * Replaces NaN by 0 in the features [N, D] of incomplete rows, since a flow may refuse NaN. `withStatus` makes the scores of
 * these rows NaN.
 */
export function withoutMissing(features: Float64Array, status: Uint8Array): Float64Array {
  const D = features.length / status.length;
  return features.map((value, i) =>
    Number.isNaN(value) && status[Math.floor(i / D)] === ROW_STATUS.incomplete ? 0 : value,
  );
}

/** Replaces the scores [N] of impossible rows by `ofImpossible` and those of incomplete rows by NaN. */
export const withStatus = (scores: Float64Array, status: Uint8Array, ofImpossible: number): Float64Array =>
  scores.map((score, n) =>
    status[n] === ROW_STATUS.impossible
      ? ofImpossible
      : status[n] === ROW_STATUS.incomplete
        ? Number.NaN
        : score,
  );
