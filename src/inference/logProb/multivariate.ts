import { isMissing } from "../../distributions/index.ts";
import { diagonal, logGamma, scalar, solveLower, type Tensor } from "../../graph/index.ts";
import { data } from "../data.ts";
import type { Argument } from "./operands.ts";

/**
 * Sums of values that should be 1 may differ from it by this much: in float32, the sum of thousands of values has a rounding error of this
 * order.
 */
const SUM_TOLERANCE = 1e-4;

/**
 * Dirichlet distribution of x [..., K] on the simplex, over the last axis: sum (a_k - 1) log x_k - log B(a). The values of x must be
 * positive, and their sum 1 within 0.0001.
 */
export function dirichlet(x: Argument, concentration: Argument): Tensor {
  const value = data(x);
  const size = value.shape.at(-1) as number;
  const a = scalar(0).broadcastTo([size]).add(data(concentration));
  const normalizer = logGamma(a.sum(-1)).sub(logGamma(a).sum(-1));
  const sum = value.sum(-1);
  const isInside = isPositive(value).and(isOne(sum));
  const inside = isInside.reshape([...isInside.shape, 1]).where(value, 1 / size);
  return isInside.where(a.sub(1).mul(inside.log()).sum(-1).add(normalizer), outsideValue(sum));
}

/**
 * Multivariate normal distribution with the covariance L L^T, over the last axis: x and mean [..., D], L [..., D, D] lower triangular:
 * -|L^-1 (x - mean)|^2 / 2 - sum log L_ii - D log(2 pi) / 2.
 */
export function multivariateNormal(x: Argument, mean: Argument, cholesky: Argument): Tensor {
  const residual = data(x).sub(data(mean));
  const factor = data(cholesky);
  const size = factor.shape.at(-1) as number;
  const { shape, rank } = residual;
  // The vectors as columns: [N, D] has one for each draw, and [n, D] or [N, n, D] has n of them.
  const isSingle = rank === 1 || (rank === 2 && shape[0] === "N");
  const order = shape.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis));
  const columns = isSingle ? residual.reshape([...shape, 1]) : residual.transpose(order);
  const squares = solveLower(factor, columns).square();
  const quadratic = isSingle ? squares.sum([-2, -1]) : squares.sum(-2);
  return quadratic
    .mul(-0.5)
    .sub(diagonal(factor).log().sum(-1))
    .sub(0.5 * size * Math.log(2 * Math.PI));
}

/**
 * The distribution of Lewandowski, Kurowicka and Joe (2009) of correlation matrices, as a density of their Cholesky factor L [..., K, K]:
 * p(L L^T) is proportional to det(L L^T)^(eta - 1), so that p(L) is proportional to the product over k = 2, ..., K of L_kk^(K - k + 2 eta - 2).
 * It is uniform over correlation matrices for eta = 1. The diagonal of L must be positive, and the sum of the squares of each row 1 within
 * 0.0001. The upper triangle is not read.
 */
export function lkjCholesky(cholesky: Argument, eta: Argument): Tensor {
  const [factor, shape] = [data(cholesky), data(eta)];
  const size = factor.shape.at(-1) as number;
  const diagonals = diagonal(factor);
  const squares = factor.lowerTriangle().square().sum(-1);
  const areRowsUnit = isOne(squares).not().toFloat().sum(-1).equal(0);
  const isInside = isPositive(diagonals).and(areRowsUnit);
  const logs = isInside
    .reshape([...isInside.shape, 1])
    .where(diagonals, 1)
    .log();
  let result = logGamma(shape.add(0.5 * (size - 1))).mul(size - 1);
  for (let k = 1; k < size; k++) {
    const exponent = shape.mul(2).add(size - k - 3);
    result = result
      .sub(logGamma(shape.add(0.5 * (size - 1 - k))))
      .sub(0.5 * k * Math.log(Math.PI))
      .add(exponent.mul(logs.slice(-1, k, k + 1).sum(-1)));
  }
  return isInside.where(result, outsideValue(squares.sum(-1)));
}

/** Whether all values of the last axis are positive. */
const isPositive = (values: Tensor): Tensor => values.neg().max(-1).less(0);

/** The log-density outside of the support, -Infinity, or NaN if a value of the sum is NaN. */
const outsideValue = (sum: Tensor): Tensor => isMissing(sum).where(Number.NaN, Number.NEGATIVE_INFINITY);

const isOne = (sums: Tensor): Tensor => sums.sub(1).abs().less(SUM_TOLERANCE);
