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
      (x) => ({
        ...withDivergence(network, x),
        direct: network.apply(x),
        jacobian: jacobian(network.apply(x), x),
      }),
      [["N", 5]],
      { precision: "float64" },
    );
    const rows = 4;
    const {
      value,
      divergence,
      direct,
      jacobian: all,
    } = await run(new Random(2).normal(new Float64Array(5 * rows)));
    expect([...value]).toEqual([...direct]);
    for (let r = 0; r < rows; r++) {
      const trace = [0, 1, 2].reduce((sum, i) => sum + all[r * 15 + i * 5 + i], 0);
      expect(divergence[r]).toBeCloseTo(trace, 12);
    }
  },
);
