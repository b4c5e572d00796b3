import { breakStick, clampExponent, Ordered } from "../bijections/index.ts";
import { concat, stack, type Tensor } from "../graph/index.ts";
import { type Constraint, checkSize } from "./constraint.ts";

/**
 * `size` positive numbers with the sum 1, by stick-breaking: [N, size]. See `StickBreaking`. Throws `ARGUMENT` if the size is not an
 * integer of at least 2.
 */
export function simplex(size: number): Constraint {
  checkSize("simplex", size, 2);
  return {
    shape: [size],
    size: size - 1,
    constrain(u) {
      const { logParts, logDet } = breakStick(u);
      return { value: logParts.exp(), logDet };
    },
  };
}

/** Increasing numbers x_1 < x_2 < ...: [N, size]. See `Ordered`. Throws `ARGUMENT` if the size is not a positive integer. */
export function ordered(size: number): Constraint {
  checkSize("ordered", size);
  return { shape: [size], size, constrain: (u) => new Ordered({ features: size }).forward(u) };
}

/**
 * Positive, increasing numbers x_k = exp(u_1) + ... + exp(u_k): [N, size]. Throws `ARGUMENT` if the size is not a positive integer.
 */
export function positiveOrdered(size: number): Constraint {
  checkSize("positiveOrdered", size);
  return {
    shape: [size],
    size,
    constrain(u) {
      const exponents = clampExponent(u);
      return { value: exponents.exp().cumsum(-1), logDet: exponents.sum(-1) };
    },
  };
}

/**
 * The Cholesky factor L of a correlation matrix L L^T: lower triangular with a positive diagonal and rows of norm 1, [N, size, size].
 *
 * L_ij = tanh(u_ij) sqrt(1 - sum_{k<j} L_ik^2) for j < i, and L_ii = sqrt(1 - sum_{k<i} L_ik^2) (Lewandowski, Kurowicka and Joe 2009;
 * Stan Reference Manual, "Cholesky factors of correlation matrices"). The determinant is that of the map to the elements below the
 * diagonal. It follows that 1 - sum_{k<=j} L_ik^2 is the product of sech^2(u_ik) for k <= j, whose logarithm is summed.
 *
 * Throws `ARGUMENT` if the size is not an integer of at least 2.
 */
export function choleskyCorrelation(size: number): Constraint {
  checkSize("choleskyCorrelation", size, 2);
  return {
    shape: [size, size],
    size: (size * (size - 1)) / 2,
    constrain(u) {
      const logDets: Tensor[] = [];
      const byRow = u.split(
        1,
        Array.from({ length: size - 1 }, (_, i) => i + 1),
      );
      const rows = byRow.map((coordinates, i) => {
        const logSquares = logSechSquared(coordinates);
        const logRemaining = logSquares.cumsum(-1);
        const logBefore = logRemaining.sub(logSquares);
        logDets.push(logSquares.add(logBefore.mul(0.5)).sum(-1));
        const diagonal = logRemaining
          .slice(1, i, i + 1)
          .mul(0.5)
          .exp();
        const belowDiagonal = coordinates.tanh().mul(logBefore.mul(0.5).exp());
        return concat([belowDiagonal, diagonal], 1).pad(1, 0, size - 2 - i);
      });
      const firstRow = u
        .slice(1, 0, 1)
        .mul(0)
        .add(1)
        .pad(1, 0, size - 1);
      return {
        value: stack([firstRow, ...rows], 1),
        logDet: logDets.reduce((sum, logDet) => sum.add(logDet)),
      };
    },
  };
}

/** log sech^2(u) = 2 (log 2 - |u| - log(1 + exp(-2 |u|))), without overflow. */
function logSechSquared(u: Tensor): Tensor {
  const magnitude = u.abs();
  return magnitude.add(magnitude.mul(-2).softplus()).sub(Math.log(2)).mul(-2);
}
