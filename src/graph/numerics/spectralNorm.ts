import type { Tensor } from "../tensor.ts";

/** Iterations of the bound: the Gram matrix is raised to the power 2^5 = 32. */
const SQUARINGS = 5;
/** Smaller norms are replaced by this number, the square of which is a normal number in float32. */
const MIN_NORM = 1e-15;

/**
 * An upper bound of the spectral norm of a matrix [I, O] by Gram iteration (Delattre et al. 2023): with G = W W^T or W^T W,
 * whichever is smaller, ||W||^(2 * 32) = ||G^32|| <= ||G^32||_F.
 *
 * The bound exceeds the norm by a factor of at most S^(1/128) for G of size S: by 3% for S = 64. Power iteration would give only a
 * lower bound, and would keep a vector from step to step. Gradients flow through the bound.
 */
export function spectralBound(weight: Tensor): Tensor {
  const [rows, columns] = weight.shape as number[];
  let gram = weight.matmul(weight, rows < columns ? { transposeB: true } : { transposeA: true });
  let logBound = frobeniusNorm(gram).log();
  for (let k = 1; k <= SQUARINGS; k++) {
    const unit = gram.div(frobeniusNorm(gram));
    gram = unit.matmul(unit);
    logBound = logBound.add(
      frobeniusNorm(gram)
        .log()
        .mul(2 ** -k),
    );
  }
  return logBound.mul(0.5).exp();
}

/** The Frobenius norm, at least `MIN_NORM`, so that it can be divided by. */
const frobeniusNorm = (matrix: Tensor): Tensor =>
  matrix
    .square()
    .sum()
    .maximum(MIN_NORM ** 2)
    .sqrt();
