/**
 * Bits per dimension, -log2 P / D, of D integers with the log-probability log P in nats, such as the features of an image: the
 * mean number of bits per feature of a lossless code. Uniform pixels of 8 bits have 8 bits per dimension.
 *
 * If `logProbability` is the log-density of real numbers, it depends on their unit: for pixels that were divided by 256, log2 256 =
 * 8 must be added to the result. `Dequantized` has probabilities of integers, so nothing is added.
 */
export const bitsPerDimension = (logProbability: number, features: number): number =>
  -logProbability / (features * Math.LN2);
