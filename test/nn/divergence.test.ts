import { expect, test } from "vitest";
import { jacobian } from "../../src/graph/index.ts";
import { withDivergence } from "../../src/nn/divergence.ts";
import { MLP } from "../../src/nn/mlp.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { perturb } from "./perturb.ts";

test.each([[[]], [[7]], [[7, 5]], [[4, 6, 5]], [[3, 4, 5, 6]]])(
  "the divergence of a network with hidden layers %j is the trace of its Jacobian",
  async (hidden) => {
    const network = new MLP(5, 3, { hidden, activation: "tanh", residual: false }, new Random(1));
    perturb(parametersOf(network), 0.5);
    const run = compile(
      (x, e) => ({
        ...withDivergence(network, x),
        along: withDivergence(network, x, e).divergence,
        direct: network.apply(x),
        jacobian: jacobian(network.apply(x), x),
      }),
      [
        ["N", 5],
        ["N", 3],
      ],
      { precision: "float64" },
    );
    const rows = 4;
    const e = new Random(3).normal(new Float64Array(3 * rows));
    const {
      value,
      divergence,
      along,
      direct,
      jacobian: all,
    } = await run(new Random(2).normal(new Float64Array(5 * rows)), e);
    expect([...value]).toEqual([...direct]);
    for (let r = 0; r < rows; r++) {
      const trace = [0, 1, 2].reduce((sum, i) => sum + all[r * 15 + i * 5 + i], 0);
      expect(divergence[r]).toBeCloseTo(trace, 12);
      const quadratic = [0, 1, 2].flatMap((i) =>
        [0, 1, 2].map((j) => e[3 * r + i] * all[r * 15 + i * 5 + j] * e[3 * r + j]),
      );
      expect(along[r]).toBeCloseTo(
        quadratic.reduce((a, b) => a + b),
        12,
      );
    }
  },
);
