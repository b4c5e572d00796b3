/**
 * Bits per dimension, -log2 P / D, of a log-probability in nats of D whole numbers, such as the pixels and channels of an image: the
 * mean number of bits of a lossless code for one of them. Uniform pixels of 8 bits have 8.
 *
 * For a density p of real numbers in place of the probability of integers, the unit of its numbers matters: if pixels were
 * divided by 256, log2 256 = 8 is added. `Dequantized` has the unit of whole numbers, so nothing is added.
 */
export const bitsPerDimension = (logProbability: number, features: number): number =>
  -logProbability / (features * Math.LN2);
