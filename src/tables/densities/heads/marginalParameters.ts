import { inverseSoftClamp } from "../../../numerics/index.ts";
import { atomsOf, type ColumnHead, isNumeric, MISSING, parameterCount } from "./columnHead.ts";
import { LOCATION_BOUND, LOG_SCALE_BOUND } from "./headGroup.ts";
import { isolatedAtoms } from "./isolatedAtoms.ts";

/** The scale of each component if several components with different locations approximate the standard logistic distribution. */
const COMPONENT_SCALE = 0.84;
/** The standard deviation of a standard logistic distribution. */
const LOGISTIC_DEVIATION = Math.PI / Math.sqrt(3);
/**
 * The smallest scale that is fitted to scores z, so that a few equal values do not become a spike. The scores of all rows of a
 * column have a scale of about 1.
 */
const MIN_SCALE = 0.05;
/** Scores of outliers can be arbitrarily large. Moments are computed from scores that are clamped to ± this number. */
const MAX_SCORE = 10;

/** Options of `marginalParameters`. */
export interface MarginalOptions {
  /** A weight of each row: a row of weight 2 counts as two rows. Default 1. */
  readonly weights?: ArrayLike<number> | undefined;
  /**
   * The scores z = map(x) of the values, which are not read for a categorical column, nor at isolated atoms and missing values. They are
   * for a part of the rows, such as those of a latent class.
   */
  readonly z?: ArrayLike<number> | undefined;
}

/**
 * Parameters [parameterCount] (see `HeadGroup`) that approximate the distribution of a column with values of these `codes`
 * (`valueCodes`): atoms have their frequencies, and the components are in total about logistic.
 *
 * Without `z`, the components are standard logistic, as z is under the `QuantileMap` of the column. With it, they have the mean and the
 * variance of `z`.
 */
export function marginalParameters(
  head: ColumnHead,
  codes: Int32Array,
  { weights, z }: MarginalOptions = {},
): Float64Array {
  const atomWeights = new Float64Array(atomsOf(head).length);
  let missingWeight = 0;
  let otherWeight = 0;
  /** The sums of weight, weight z and weight z^2 of the components. */
  const moments = new Float64Array(3);
  // The components give atoms that are not isolated a probability too. So such an atom gets half of its rows and the components the other
  // half.
  const isolated = new Set(isolatedAtoms(head));
  const isShared = atomsOf(head).map((atom) => !isolated.has(atom));
  for (let n = 0; n < codes.length; n++) {
    const weight = weights === undefined ? 1 : weights[n];
    const code = codes[n];
    let ofComponents = 0;
    if (code >= 0) {
      atomWeights[code] += weight;
      if (isShared[code]) ofComponents = 0.5 * weight;
    } else if (code === MISSING) missingWeight += weight;
    else {
      otherWeight += weight;
      ofComponents = weight;
    }
    if (ofComponents === 0 || z === undefined) continue;
    const score = Math.max(-MAX_SCORE, Math.min(MAX_SCORE, z[n]));
    moments[0] += ofComponents;
    moments[1] += ofComponents * score;
    moments[2] += ofComponents * score * score;
  }
  // Half a row is added to each outcome, so that no logit is -Infinity. With `z` there may be few rows, so the half row is divided among
  // all outcomes.
  const outcomes = parameterCount(head) - (isNumeric(head) ? 3 * head.components - 1 : 0);
  const extraRows = z ? 0.5 / outcomes : 0.5;
  const logits = Array.from(atomWeights, (weight, a) =>
    Math.log((isShared[a] ? 0.5 : 1) * weight + extraRows),
  );
  if (head.gaps) logits.push(Math.log(missingWeight + extraRows));
  if (!isNumeric(head)) return Float64Array.from(logits);
  const K = head.components;
  const totalOfShared = atomWeights.reduce((sum, weight, a) => sum + (isShared[a] ? weight : 0), 0);
  const componentLogit = Math.log((otherWeight + 0.5 * totalOfShared + extraRows) / K);
  const { location, scale } = z ? logisticOfMoments(moments) : { location: 0, scale: 1 };
  const outermost = outermostLocation(K);
  const locations = Array.from(
    { length: K },
    (_, k) => location + scale * outermost * ((2 * k) / Math.max(1, K - 1) - 1),
  );
  const logScale = Math.log(K > 1 ? COMPONENT_SCALE * scale : scale);
  return Float64Array.from([
    ...logits,
    ...new Array(K).fill(componentLogit),
    ...locations.map((each) => inverseSoftClamp(each, LOCATION_BOUND)),
    ...new Array(K).fill(inverseSoftClamp(logScale, LOG_SCALE_BOUND)),
  ]);
}

/**
 * K equally weighted components of scale `COMPONENT_SCALE`, whose locations are equally spaced between -m and m for this number m, have in
 * total the variance of the standard logistic distribution. The variance of such locations is m^2 (K + 1) / (3 (K - 1)).
 */
function outermostLocation(K: number): number {
  if (K === 1) return 0;
  const variance = LOGISTIC_DEVIATION ** 2 * (1 - COMPONENT_SCALE ** 2);
  return Math.sqrt((variance * 3 * (K - 1)) / (K + 1));
}

/** The logistic distribution with the mean and variance of weighted scores, from the sums of weight, weight z and weight z^2. */
function logisticOfMoments([total, first, second]: Float64Array): { location: number; scale: number } {
  if (total === 0) return { location: 0, scale: 1 };
  const mean = first / total;
  const variance = Math.max(0, second / total - mean ** 2);
  return { location: mean, scale: Math.max(MIN_SCALE, Math.sqrt(variance) / LOGISTIC_DEVIATION) };
}
