import { concat, scalar, type Tensor } from "../../graph/tensor.ts";
import { solveLower } from "../../numerics/cholesky.ts";
import { logGamma } from "../../numerics/logGamma.ts";
import { data } from "../data.ts";
import type { Argument } from "./operands.ts";

/** Dirichlet distribution of x [..., K] on the simplex, over the last axis: sum (a_k - 1) log x_k - log B(a). */
export function dirichlet(x: Argument, concentration: Argument): Tensor {
  const value = data(x);
  const size = value.shape.at(-1) as number;
  const a = scalar(0).broadcastTo([size]).add(data(concentration));
  const normalizer = logGamma(a.sum(-1)).sub(logGamma(a).sum(-1));
  return a.sub(1).mul(value.log()).sum(-1).add(normalizer);
}

/**
 * Multivariate normal distribution with the covariance L L^T, over the last axis: x and mean [..., D], L [..., D, D] lower
 * triangular.
 */
export function multivariateNormal(x: Argument, mean: Argument, cholesky: Tensor): Tensor {
  const residual = data(x).sub(data(mean));
  const size = cholesky.shape.at(-1) as number;
  const { shape, rank } = residual;
  // The vectors as columns: [N, D] has one for each draw, and [n, D] or [N, n, D] has n of them.
  const isSingle = rank === 1 || (rank === 2 && shape[0] === "N");
  const order = shape.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));
  const columns = isSingle ? residual.reshape([...shape, 1]) : residual.transpose(order);
  const squares = solveLower(cholesky, columns).square();
  const quadratic = isSingle ? squares.sum([-2, -1]) : squares.sum(-2);
  return quadratic
    .mul(-0.5)
    .sub(logDiagonal(cholesky).sum(-1))
    .sub(0.5 * size * Math.log(2 * Math.PI));
}

/**
 * The distribution of Lewandowski, Kurowicka and Joe (2009) of correlation matrices, as a density of their Cholesky factor L [..., K, K]:
 * p(L L^T) is proportional to det(L L^T)^(eta - 1), so that p(L) is proportional to the product over k = 2, ..., K of L_kk^(K - k + 2 eta - 2).
 * It is uniform over correlation matrices for eta = 1.
 */
export function lkjCholesky(cholesky: Tensor, eta: Argument): Tensor {
  const size = cholesky.shape.at(-1) as number;
  const shape = data(eta);
  const logs = logDiagonal(cholesky);
  let result = logGamma(shape.add(0.5 * (size - 1))).mul(size - 1);
  for (let k = 1; k < size; k++) {
    const exponent = shape.mul(2).add(size - k - 3);
    result = result
      .sub(logGamma(shape.add(0.5 * (size - 1 - k))))
      .sub(0.5 * k * Math.log(Math.PI))
      .add(exponent.mul(logs.slice(-1, k, k + 1).sum(-1)));
  }
  return result;
}

/** The logarithms of the diagonal of matrices [..., D, D]: [..., D]. */
function logDiagonal(matrix: Tensor): Tensor {
  const size = matrix.shape.at(-1) as number;
  const axis = matrix.rank - 2;
  const elements = Array.from({ length: size }, (_, i) =>
    matrix.slice(axis, i, i + 1).slice(axis + 1, i, i + 1),
  );
  return concat(elements, axis + 1)
    .log()
    .sum(axis);
}
