import type { Tensor } from "../graph/tensor.ts";

const SQUARINGS = 5;
/** The square of it is a number in float32. */
const TINY = 1e-15;

/**
 * An upper bound of the spectral norm of a matrix [I, O] by Gram iteration (Delattre et al. 2023): with G = W W^T or W^T W,
 * whichever is smaller, ||W||^(2 * 32) = ||G^32|| <= ||G^32||_F.
 *
 * It is never below the norm, and above it by a factor of at most S^(1/128), S the size of G: 3 % for 64. It has no state, where
 * power iteration comes from below and needs one; gradients flow through it.
 */
export function spectralBound(weight: Tensor): Tensor {
  const [rows, columns] = weight.shape as number[];
  let gram = weight.matmul(weight, rows < columns ? { transposeB: true } : { transposeA: true });
  let logBound = scale(gram).log();
  for (let k = 1; k <= SQUARINGS; k++) {
    const unit = gram.div(scale(gram));
    gram = unit.matmul(unit);
    logBound = logBound.add(
      scale(gram)
        .log()
        .mul(2 ** -k),
    );
  }
  return logBound.mul(0.5).exp();
}

/** The Frobenius norm, or what is a little more where it vanishes. */
const scale = (matrix: Tensor): Tensor =>
  matrix
    .square()
    .sum()
    .maximum(TINY ** 2)
    .sqrt();
