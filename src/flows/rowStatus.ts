import { ROW_STATUS } from "../tables/unlearned.ts";

/** Features [N, D] with 0 in place of NaN in incomplete rows, which have no log-density, since the flow may refuse NaN. */
export function withoutMissing(features: Float64Array, status: Uint8Array): Float64Array {
  const D = features.length / status.length;
  return features.map((value, i) =>
    Number.isNaN(value) && status[Math.floor(i / D)] === ROW_STATUS.incomplete ? 0 : value,
  );
}

/** The scores [N], but `ofImpossible` for impossible rows and NaN for incomplete ones. */
export const withStatus = (scores: Float64Array, status: Uint8Array, ofImpossible: number): Float64Array =>
  scores.map((score, n) =>
    status[n] === ROW_STATUS.impossible
      ? ofImpossible
      : status[n] === ROW_STATUS.incomplete
        ? Number.NaN
        : score,
  );
