import type { Bijection } from "../bijections/bijection.ts";
import { Chain } from "../bijections/chain.ts";
import { Identity } from "../bijections/identity.ts";
import { Invert } from "../bijections/invert.ts";
import { needsFloat64, Standardize } from "../bijections/standardize.ts";
import { StandardizeContext } from "../bijections/standardizeContext.ts";
import { ConstantFeatures } from "../distributions/constantFeatures.ts";
import type { ContextEmbedding } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { Ensemble } from "../distributions/ensemble.ts";
import { Mixture } from "../distributions/mixture.ts";
import { TransformedDistribution } from "../distributions/transformedDistribution.ts";
import { partsOfClass } from "../nn/module.ts";

/**
 * The standardization that stands next to the data: the last bijection, also in nested chains, or where a distribution is no
 * more than its base or its components, that of the base or of the first component which has one.
 */
export function dataStandardization(distribution: Distribution): Standardize | undefined {
  if (distribution instanceof TransformedDistribution) {
    const { base, bijection } = distribution;
    return isIdentity(bijection) ? dataStandardization(base) : lastStandardize(bijection);
  }
  if (distribution instanceof Ensemble) return dataStandardization(distribution.distribution);
  if (!(distribution instanceof Mixture)) return undefined;
  for (const component of distribution.distributions) {
    const found = dataStandardization(component);
    if (found) return found;
  }
  return undefined;
}

/**
 * The distribution of u = (x - center) / scale where `distribution` is that of x: each standardization next to the data keeps
 * its difference to `outer`, which is computed in float64. All other parts are shared.
 */
export function relativeToData(
  distribution: TransformedDistribution,
  outer: Standardize,
): TransformedDistribution;
export function relativeToData(distribution: Distribution, outer: Standardize): Distribution;
export function relativeToData(distribution: Distribution, outer: Standardize): Distribution {
  const within = (part: Distribution) => relativeToData(part, outer);
  if (distribution instanceof TransformedDistribution) {
    const { base, bijection, embedding } = distribution;
    return isIdentity(bijection)
      ? new TransformedDistribution(within(base), bijection, embedding)
      : new TransformedDistribution(base, followedByInverse(bijection, outer), embedding);
  }
  if (distribution instanceof Ensemble) {
    return copyWith(distribution, { distribution: within(distribution.distribution) });
  }
  if (distribution instanceof Mixture) {
    return copyWith(distribution, { distributions: distribution.distributions.map(within) });
  }
  return new TransformedDistribution(distribution, relativeStandardization(undefined, outer));
}

/**
 * The standardization of the context, if every part of a distribution that uses the context standardizes it; the first one if
 * they use several.
 */
export function contextStandardization(distribution: Distribution): Standardize | undefined {
  const all = contextScalers(distribution);
  return all.includes(undefined) ? undefined : all[0];
}

/**
 * The distribution conditional on u = (context - center) / scale, where `distribution` is conditional on the context and all
 * of its parts standardize it.
 */
export function relativeToContext(
  distribution: TransformedDistribution,
  outer: Standardize,
): TransformedDistribution;
export function relativeToContext(distribution: Distribution, outer: Standardize): Distribution;
export function relativeToContext(distribution: Distribution, outer: Standardize): Distribution {
  const within = (part: Distribution) => relativeToContext(part, outer);
  if (distribution instanceof TransformedDistribution) {
    const { base, bijection, embedding } = distribution;
    return embedding
      ? new TransformedDistribution(base, bijection, relativeEmbedding(embedding, outer))
      : new TransformedDistribution(within(base), relativeBijection(bijection, outer));
  }
  if (distribution instanceof Ensemble || distribution instanceof ConstantFeatures) {
    return copyWith(distribution, { distribution: within(distribution.distribution) });
  }
  if (distribution instanceof Mixture) {
    return copyWith(distribution, { distributions: distribution.distributions.map(within) });
  }
  return distribution;
}

/** A column that needs float64: neighboring float32 numbers are too far apart for it. */
export interface Float64Column {
  readonly column: number;
  readonly center: number;
  readonly deviation: number;
}

/** The first column that needs float64 of a standardization next to the data, or of the context. */
export const float64Column = (standardize: Standardize): Float64Column | undefined =>
  columnWithin(standardize, 0);

/**
 * The first column that needs float64 of the standardizations inside a part. Their inputs were computed by other layers from
 * numbers of any size, so they are taken to have rounding errors at least as large as those of 1.
 */
export function nestedFloat64Column(part: object): Float64Column | undefined {
  for (const standardize of partsOfClass(part, Standardize)) {
    const found = columnWithin(standardize, 1);
    if (found) return found;
  }
  return undefined;
}

/** Numbers of the column count as at least `minSize` in absolute value. */
function columnWithin({ center, scale }: Standardize, minSize: number): Float64Column | undefined {
  const column = scale.numbers.findIndex((deviation, c) =>
    needsFloat64(Math.max(minSize, Math.abs(center.numbers[c])), deviation),
  );
  if (column < 0) return undefined;
  return { column, center: center.numbers[column], deviation: scale.numbers[column] };
}

/** Whether a bijection is nothing but identities. */
export const isIdentity = (bijection: Bijection): boolean =>
  bijection instanceof Identity || (bijection instanceof Chain && bijection.bijections.every(isIdentity));

function lastStandardize(bijection: Bijection): Standardize | undefined {
  if (bijection instanceof Standardize) return bijection;
  if (bijection instanceof StandardizeContext) return lastStandardize(bijection.bijection);
  if (!(bijection instanceof Chain)) return undefined;
  const last = bijection.bijections.findLast((part) => !isIdentity(part));
  return last && lastStandardize(last);
}

/** A bijection followed by the inverse of `outer`. */
function followedByInverse(bijection: Bijection, outer: Standardize): Bijection {
  if (bijection instanceof Standardize) return relativeStandardization(bijection, outer);
  if (!lastStandardize(bijection)) return new Chain([bijection, relativeStandardization(undefined, outer)]);
  if (bijection instanceof StandardizeContext) {
    return copyWith(bijection, { bijection: followedByInverse(bijection.bijection, outer) });
  }
  const parts = (bijection as Chain).bijections.filter((part) => !isIdentity(part));
  const last = followedByInverse(parts.pop()!, outer);
  const rest = isIdentity(last) ? parts : [...parts, last];
  return rest.length > 0 ? new Chain(rest) : last;
}

/** For each part that uses the context, the standardization that is applied to it before, if there is one. */
function contextScalers(part: Distribution | Bijection): (Standardize | undefined)[] {
  if (part.context === 0) return [];
  if (part instanceof TransformedDistribution) {
    const { base, bijection, embedding } = part;
    return embedding ? [embeddingScaler(embedding)] : [base, bijection].flatMap(contextScalers);
  }
  if (part instanceof Ensemble || part instanceof ConstantFeatures) return contextScalers(part.distribution);
  if (part instanceof Mixture) return part.distributions.flatMap(contextScalers);
  if (part instanceof Chain) return part.bijections.flatMap(contextScalers);
  if (part instanceof Invert) return contextScalers(part.bijection);
  return [part instanceof StandardizeContext ? part.scaler : undefined];
}

function relativeBijection(bijection: Bijection, outer: Standardize): Bijection {
  const within = (part: Bijection) => relativeBijection(part, outer);
  if (bijection instanceof Chain) return new Chain(bijection.bijections.map(within));
  if (bijection instanceof Invert) return new Invert(within(bijection.bijection));
  if (!(bijection instanceof StandardizeContext)) return bijection;
  const scaler = relativeStandardization(bijection.scaler, outer);
  return scaler instanceof Standardize ? copyWith(bijection, { scaler }) : bijection.bijection;
}

/** The standardization of all columns of a context: labels stay as they are. */
function embeddingScaler({ context, scaler }: ContextEmbedding): Standardize | undefined {
  if (!scaler) return undefined;
  const { center, scale } = scaler;
  const labels = context - scaler.features;
  return standardizeBy(
    [...center.numbers, ...new Array<number>(labels).fill(0)],
    [...scale.numbers, ...new Array<number>(labels).fill(1)],
  );
}

function relativeEmbedding(embedding: ContextEmbedding, outer: Standardize): ContextEmbedding {
  const { scaler } = embedding;
  if (!scaler) return embedding;
  const [center, scale] = [outer.center, outer.scale].map(({ numbers }) =>
    Array.from(numbers.subarray(0, scaler.features)),
  );
  return copyWith(embedding, { scaler: composed(scaler, standardizeBy(center, scale)) });
}

/** A standardization (the identity if there is none) followed by the inverse of `outer`. */
function relativeStandardization(own: Standardize | undefined, outer: Standardize): Standardize | Identity {
  const { features } = outer;
  if (own === outer) return new Identity({ features });
  const { center, scale } = composed(own ?? new Standardize({ features }), outer);
  const same = center.numbers.every((c) => c === 0) && scale.numbers.every((s) => s === 1);
  return same ? new Identity({ features }) : standardizeBy(center.numbers, scale.numbers);
}

/** The map z -> ((z scale + center) - outer.center) / outer.scale, computed in float64. */
function composed({ center, scale }: Standardize, outer: Standardize): Standardize {
  const scales = outer.scale.numbers;
  return standardizeBy(
    outer.toLatent(center.numbers),
    Array.from(scale.numbers, (s, i) => s / scales[i]),
  );
}

/** The map z -> z scale + center with these numbers. */
export function standardizeBy(center: ArrayLike<number>, scale: ArrayLike<number>): Standardize {
  const standardize = new Standardize({ features: center.length });
  standardize.center.take(Float64Array.from(center));
  standardize.scale.take(Float64Array.from(scale));
  return standardize;
}

/** A copy of a part with other values of some fields. It shares the parameters of all other fields. */
const copyWith = <T extends object>(part: T, fields: Partial<T>): T =>
  Object.assign(Object.create(Object.getPrototypeOf(part)), part, fields);
