import { constant, type Tensor } from "../graph/index.ts";
import type { Random } from "../random/index.ts";

/**
 * The number of different noise offsets of rows. It is a prime whose square is below 2^22, so that `modulo` is exact for products
 * of two numbers below it.
 */
const ROW_OFFSETS = 2039;

/** Noise is at least this far from 0 and 1, where a logit or a normal quantile is infinite. */
const MIN_UNIFORM = 1e-6;

/** The number of values of each feature; null for real numbers. */
export type ValueCounts = readonly (number | null)[];

/** Options of `uniformDraws`. */
interface UniformDrawOptions {
  /** [D] */
  readonly counts: ValueCounts;
  /** The number of uniform numbers that a draw has for each row. */
  readonly size: number;
  /** The number of draws. */
  readonly samples: number;
  readonly random: Random;
}

/**
 * Draws of uniform noise in (0, 1), each [N, size], for an evaluation that is a function of the rows x [N, D]: the noise follows from
 * `random` and the row. The draws are the same for all rows, and each row adds an offset of its own modulo 1 (Cranley-Patterson
 * rotation). If all rows shared their noise, the error of the mean over rows would not decrease with their number.
 */
export function uniformDraws(x: Tensor, { counts, size, samples, random }: UniformDrawOptions): Tensor[] {
  const fixed = x.stopGradient();
  const offset = rowOffsets(
    selectFeatures(counts, fixed, realCodes(fixed)),
    counts,
    size,
    random.split("rows"),
  );
  return Array.from({ length: samples }, (_, k) => {
    const draw = random.split(k).uniform(new Float64Array(size));
    const shifted = offset.add(constant(draw, [size]));
    return shifted.sub(shifted.floor()).clip(MIN_UNIFORM, 1 - MIN_UNIFORM);
  });
}

/**
 * Offsets [N, size] in [0, 1), a hash of the codes of each row. The hash multiplies integers below 2^22 and reduces them modulo a
 * prime, which is exact in float32, so that all engines agree.
 */
function rowOffsets(codes: Tensor, counts: ValueCounts, size: number, random: Random): Tensor {
  const integers = (name: string, length: number, below: number) =>
    constant(
      random
        .split(name)
        .uniform(new Float64Array(length))
        .map((u) => Math.floor(u * below)),
      [length],
    );
  // Weights are integers below this. For very long rows they are 0 or 1, and the weighted sum may exceed 2^22 and be rounded.
  const sum = counts.reduce<number>((total, count) => total + (count ?? REAL_CODES) - 1, 0);
  const largest = Math.max(2, Math.floor(2 ** 22 / Math.max(1, sum)));
  const hash = modulo(
    codes.mul(integers("weights", counts.length, largest)).sum(1, { keepAxes: true }),
    ROW_OFFSETS,
  );
  const factors = integers("factors", size, ROW_OFFSETS - 1).add(1);
  return modulo(hash.mul(factors), ROW_OFFSETS).mul(1 / ROW_OFFSETS);
}

/** An integer below 2^23 modulo a prime. One half is added so that rounding cannot move the quotient across an integer. */
const modulo = (x: Tensor, prime: number): Tensor =>
  x.sub(
    x
      .add(0.5)
      .mul(1 / prime)
      .floor()
      .mul(prime),
  );

/** The code of a real number x is floor(4096 x) modulo this prime. */
const REAL_CODES = 61;
const CELLS_PER_UNIT = 4096;

/**
 * The codes of real numbers, from 0 to 60, which differ for most pairs of different numbers. Codes of numbers up to 2^11 are
 * exact in float32. For larger numbers, engines that round differently may give different codes.
 */
const realCodes = (x: Tensor): Tensor =>
  modulo(x.mul(CELLS_PER_UNIT).floor(), REAL_CODES).clip(0, REAL_CODES - 1);

/** `[N, D]`: `ofWhole` for the features of integers, and `ofReal` for the features of real numbers. */
export function selectFeatures(counts: ValueCounts, ofWhole: Tensor, ofReal: Tensor | number): Tensor {
  if (!counts.includes(null)) return ofWhole;
  const isWhole = constant(
    counts.map((count) => (count === null ? 0 : 1)),
    [counts.length],
  );
  return isWhole.greater(0).where(ofWhole, ofReal);
}
