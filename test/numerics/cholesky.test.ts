import { describe, expect, test } from "vitest";
import { grad } from "../../src/graph/index.ts";
import { cholesky, solveLower } from "../../src/graph/numerics/cholesky.ts";
import { expectClose, run } from "../graph/run.ts";

// Two symmetric positive definite matrices.
const matrices = [4, 1, -0.5, 1, 3, 0.7, -0.5, 0.7, 2, 1, 0.2, 0.1, 0.2, 1, 0.3, 0.1, 0.3, 1];

describe("cholesky", () => {
  test("is lower triangular with a positive diagonal, and its product is the matrix", async () => {
    const { factor, product } = await run(
      (A) => {
        const factor = cholesky(A);
        return { factor, product: factor.matmul(factor, { transposeB: true }) };
      },
      [["N", 3, 3]],
      [matrices],
    );
    expectClose(product, matrices);
    for (const start of [0, 9]) {
      for (const above of [1, 2, 5]) expect(factor[start + above]).toBe(0);
      for (const diagonal of [0, 4, 8]) expect(factor[start + diagonal]).toBeGreaterThan(0);
    }
  });

  test("has the gradient of the log-determinant, the inverse", async () => {
    const { gradient, product } = await run(
      (A) => {
        const symmetric = A.add(A.transpose([0, 2, 1])).mul(0.5);
        const diagonal = cholesky(symmetric).gather(1, [0, 1, 2]);
        const logs = [0, 1, 2].map((i) =>
          diagonal
            .slice(1, i, i + 1)
            .slice(2, i, i + 1)
            .log(),
        );
        const logDet = logs
          .reduce((a, b) => a.add(b))
          .sum()
          .mul(2);
        const [gradient] = grad(logDet, [A]);
        return { gradient, product: A.matmul(gradient) };
      },
      [["N", 3, 3]],
      [matrices],
    );
    expect(gradient.length).toBe(18);
    const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    expectClose(product, [...identity, ...identity]);
  });

  test("is NaN for a matrix that is not positive definite", async () => {
    const { factor } = await run((A) => ({ factor: cholesky(A) }), [["N", 2, 2]], [[1, 2, 2, 1]]);
    expect(factor[3]).toBeNaN();
  });
});

test("solveLower solves by substitution, and broadcasts", async () => {
  const lower = [2, 0, 0, 1, 3, 0, -1, 0.5, 4];
  const right = [1, 2, 3, 4, 5, 6];
  const { product, single } = await run(
    (L, B) => ({
      product: L.matmul(solveLower(L, B)),
      single: L.slice(1, 0, 3).matmul(solveLower(L, B.sum(0))),
    }),
    [
      ["N", 3, 3],
      ["N", 3, 2],
    ],
    [lower, right],
  );
  expectClose(product, right);
  expectClose(single, right);
});
