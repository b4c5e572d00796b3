import { describe, expect, test } from "vitest";
import { Planar } from "../../src/bijections/index.ts";
import {
  Bernoulli,
  DiagonalNormal,
  StandardNormal,
  TransformedDistribution,
  VariationalAutoencoder,
} from "../../src/distributions/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { input, scalar } from "../../src/graph/index.ts";
import { substitute } from "../../src/graph/substitute.ts";
import { traceLoss } from "../../src/graph/tracing/training.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { buildDistribution } from "../../src/tables/model/index.ts";
import { lineRule, square } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";
import { draw, logProb } from "./evaluate.ts";
import { exactGradient, exactLogProb, linearGaussian, posteriorVariances } from "./linearGaussian.ts";

const rows = [
  [0.5, -1, 2],
  [2, 0.3, 1.5],
  [-1, -1.5, 3],
  [0, 2, 0.25],
];
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b) / values.length;

describe("a linear Gaussian model", () => {
  test("with the exact posterior has a bound that equals the log-density, for every draw", async () => {
    for (const seed of [0, 1, 2]) {
      const values = await logProb(linearGaussian({ seed }), rows.flat());
      values.forEach((value, n) => {
        expect(value).toBeCloseTo(exactLogProb(rows[n]), 5);
      });
    }
  });

  test("with a wrong posterior has a bound that is lower by the KL divergence", async () => {
    const stretch = 1.5;
    const divergence = 2 * (0.5 * stretch ** 2 - 0.5 - Math.log(stretch));
    const weights = await logWeights(linearGaussian({ stretch }), rows, 20_000);
    rows.forEach((row, n) => {
      // The standard deviation of a draw is 1.25.
      expect(Math.abs(mean(weights[n]) - (exactLogProb(row) - divergence))).toBeLessThan(0.035);
    });
  });

  test("with a wrong posterior has an importance-sampled estimate that converges to the log-density", async () => {
    const weights = await logWeights(linearGaussian({ stretch: 1.5 }), rows, 32_000);
    /** The mean over rows and draws of the log-density minus its estimate from K draws. */
    const error = (samples: number) =>
      mean(
        rows.flatMap((row, n) =>
          Array.from({ length: weights[n].length / samples }, (_, i) => {
            const draws = weights[n].slice(i * samples, (i + 1) * samples);
            return exactLogProb(row) - Math.log(mean(draws.map(Math.exp)));
          }),
        ),
      );
    expect(error(10)).toBeLessThan(error(1) / 5);
    // The expected error is the variance of a weight, 0.5, divided by 2 K.
    expect(Math.abs(error(200))).toBeLessThan(0.005);
  });

  test("averages over the draws of an evaluation, which depend on the seed and the row", async () => {
    const deviationOf = async (samples: number) => {
      const same = Array.from({ length: 100 }, (_, n) => [0.01 * n, 0, 1]);
      const values = await logProb(linearGaussian({ stretch: 1.5, samples }), same.flat());
      const errors = Array.from(values, (value, n) => exactLogProb(same[n]) - value);
      return Math.sqrt(mean(errors.map((error) => (error - mean(errors)) ** 2)));
    };
    expect(await deviationOf(1)).toBeGreaterThan(0.5);
    expect(await deviationOf(16)).toBeLessThan(0.35);
  });

  test("with the exact posterior has a bound with the gradient of the log-density", async () => {
    const model = linearGaussian();
    const { mean: ofData } = model.decoder as DiagonalNormal;
    const { mean: ofPosterior } = model.posterior as DiagonalNormal;
    const gradients = compile(
      (x, noise) => {
        const { logLikelihood, divergence } = model.boundTerms(x, [noise]);
        return grad(logLikelihood.sub(divergence).mean(), [ofData, ofPosterior]);
      },
      [
        ["N", 3],
        ["N", 2],
      ],
    );
    const draws = 20_000;
    const noise = new Random(1).normal(new Float64Array(2 * draws));
    for (const row of rows) {
      const [data, posterior] = await gradients(new Array(draws).fill(row).flat(), noise);
      // One draw has a gradient with deviations of at most sqrt(v_k) |w_k| / s^2 = 1.5.
      exactGradient(row).forEach((each, d) => {
        expect(Math.abs(data[d] - each)).toBeLessThan(0.04);
      });
      // The bound has its maximum at the exact posterior.
      for (const each of posterior) expect(Math.abs(each)).toBeLessThan(0.04);
    }
  });

  test("encodes a row as a draw from the posterior", async () => {
    const model = linearGaussian();
    const encode = compile(
      (x, noise) => model.encode(x, [noise]).samples,
      [
        ["N", 3],
        ["N", 2],
      ],
    );
    const variance = posteriorVariances();
    const [a, b] = [await encode(rows[1], [0, 0]), await encode(rows[1], [1, -2])];
    expect(b[0] - a[0]).toBeCloseTo(Math.sqrt(variance[0]), 5);
    expect(b[1] - a[1]).toBeCloseTo(-2 * Math.sqrt(variance[1]), 5);
  });
});

/** log p(x | z) p(z) / q(z | x) of each row for many draws of z: the draws of each row. */
async function logWeights(
  model: VariationalAutoencoder,
  rows: readonly (readonly number[])[],
  draws: number,
): Promise<number[][]> {
  const weight = compile(
    (x, noise) => {
      const { logLikelihood, divergence } = model.boundTerms(x, [noise]);
      return logLikelihood.sub(divergence);
    },
    [
      ["N", model.features],
      ["N", model.latentFeatures],
    ],
  );
  const noise = new Random(1).normal(new Float64Array(model.latentFeatures * draws));
  const weights: number[][] = [];
  for (const row of rows) weights.push([...(await weight(new Array(draws).fill(row).flat(), noise))]);
  return weights;
}

/** Two binary features, two latent features, and a posterior with a planar map whose parameters depend on the row. */
function binary(options: { samples?: number; seed?: number } = {}): VariationalAutoencoder {
  const network = { hidden: [] };
  const random = new Random(2);
  const base = new DiagonalNormal({ features: 2, context: 2, network, zeroInit: false }, random);
  const posterior = new TransformedDistribution(
    base,
    new Planar({ features: 2, context: 2, network }, random),
  );
  perturb(parametersOf(posterior), 0.2);
  // Wider than the prior, so that importance weights are bounded.
  base.logDeviation.value.fill(0.7);
  const decoder = new Bernoulli(
    { features: 2, context: 2, network: { hidden: [3], activation: "tanh" } },
    random,
  );
  perturb(parametersOf(decoder), 0.5);
  return new VariationalAutoencoder({
    prior: new StandardNormal({ features: 2 }),
    decoder,
    posterior,
    ...options,
  });
}

describe("a model of binary features whose posterior is an amortized flow", () => {
  const cells = [0, 0, 0, 1, 1, 0, 1, 1];

  /** log of the integral of p(x | z) p(z) over a grid of z. */
  async function integrals(): Promise<number[]> {
    const { decoder, prior } = binary();
    const rule = lineRule(101);
    const grid = square(rule, rule);
    const joint = compile(
      (x, z) => decoder.logProb(x, z).add(prior.logProb(z)),
      [
        ["N", 2],
        ["N", 2],
      ],
      {
        precision: "float64",
      },
    );
    const points = grid.weights.length;
    return Promise.all(
      [0, 1, 2, 3].map(async (cell) => {
        const x = new Array(points).fill(cells.slice(2 * cell, 2 * cell + 2)).flat();
        const values = await joint(x, grid.rows);
        return Math.log(
          Array.from(values).reduce((sum, value, i) => sum + grid.weights[i] * Math.exp(value), 0),
        );
      }),
    );
  }

  test("has an estimate that converges to the log-probability, and a lower bound below it", async () => {
    const exact = await integrals();
    expect(exact.reduce((sum, each) => sum + Math.exp(each), 0)).toBeCloseTo(1, 6);
    const weights = await logWeights(
      binary(),
      [0, 1, 2, 3].map((cell) => cells.slice(2 * cell, 2 * cell + 2)),
      20_000,
    );
    weights.forEach((ofCell, cell) => {
      expect(Math.abs(Math.log(mean(ofCell.map(Math.exp))) - exact[cell])).toBeLessThan(0.03);
      expect(mean(ofCell)).toBeLessThan(exact[cell] - 0.05);
    });
  });

  test("draws rows with these probabilities", async () => {
    const exact = await integrals();
    const drawn = await draw(binary(), 20_000);
    for (let cell = 0; cell < 4; cell++) {
      const count = Array.from({ length: 20_000 }, (_, n) => 2 * drawn[2 * n] + drawn[2 * n + 1]).filter(
        (each) => each === cell,
      ).length;
      const probability = Math.exp(exact[cell]);
      const deviation = Math.sqrt(20_000 * probability * (1 - probability));
      expect(Math.abs(count - 20_000 * probability)).toBeLessThan(4 * deviation);
    }
  });

  test("has probability 0 outside of its support, and NaN for NaN", async () => {
    const values = await logProb(binary(), [0.5, 1, 2, 0, Number.NaN, 1]);
    expect([...values]).toEqual([-Infinity, -Infinity, Number.NaN]);
  });
});

test("a loss draws new noise for each row and batch, and weights the divergence", async () => {
  const model = binary();
  const x = input("x", ["N", 2]);
  const bound = (weight: number) => traceLoss(() => model.weightedBound(x, scalar(weight)));
  const { randomInputs } = bound(1);
  expect(randomInputs.map(({ tensor, perRow }) => [tensor.shape, perRow])).toEqual([[["N", 2], true]]);
  const evaluate = (weight: number) =>
    compile(
      (rows, noise) => {
        const { result, randomInputs } = bound(weight);
        return substitute(
          [result],
          new Map([
            [x, rows],
            [randomInputs[0].tensor, noise],
          ]),
        )[0];
      },
      [
        ["N", 2],
        ["N", 2],
      ],
    )([1, 0], [0.3, -1]);
  const terms = compile(
    (rows, noise) => ({ ...model.boundTerms(rows, [noise]) }),
    [
      ["N", 2],
      ["N", 2],
    ],
  );
  const { logLikelihood, divergence } = await terms([1, 0], [0.3, -1]);
  for (const weight of [0, 0.25, 1])
    expect((await evaluate(weight))[0]).toBeCloseTo(logLikelihood[0] - weight * divergence[0], 5);
});

test("has parts with matching sizes, and is built from its description", () => {
  const parts = { prior: new StandardNormal({ features: 2 }), decoder: binary().decoder };
  expect(
    () => new VariationalAutoencoder({ ...parts, posterior: new StandardNormal({ features: 3 }) }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the posterior of a variational autoencoder has wrong sizes: expected 2 features and 2 context features, received 3 features and 0 context features.
    The decoder is conditional on the latent features, and the posterior on the data features.]
  `);
  expect(
    () => new VariationalAutoencoder({ ...parts, posterior: parts.prior, samples: 0 }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a variational autoencoder is not valid at samples: expected at least 1, received 0.]`,
  );
  const description = binary({ samples: 3, seed: 4 }).describe();
  expect(buildDistribution(JSON.parse(JSON.stringify(description)), new Random(0)).describe()).toEqual(
    description,
  );
});
