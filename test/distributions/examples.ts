import { identityOrder, randomOrder, reverseOrder } from "../../src/bijections/index.ts";
import type { DistributionDescription } from "../../src/distributions/index.ts";
import { Random } from "../../src/random/index.ts";
import type { TableDensityDescription } from "../../src/tables/densities/registry.ts";
import { examplesOf } from "../examples.ts";

/** The map of a column to logistic scores: a straight line, since quadrature needs more derivatives than a spline has. */
const knots = { x: [-1, 0, 2], z: [-1.5, 0, 3], slope: [1.5, 1.5, 1.5] };

/**
 * Example options of every distribution, which together use all options. The tests of invariants use them: integrals of the
 * density, the distribution of samples, gradients, saving, hostile model files and more.
 */
export const distributionExamples = examplesOf<
  DistributionDescription["type"] | TableDensityDescription["type"]
>({
  bernoulli: (features) => [
    { features },
    { features, context: 2, network: { hidden: [6], activation: "tanh" } },
  ],
  cauchy: (features) => [{ features }],
  constantFeatures: (features) =>
    features === 1
      ? []
      : [
          {
            distribution: { type: "diagonalNormal", features: features - 1 },
            constant: [features - 1],
          },
          {
            distribution: {
              type: "diagonalNormal",
              features: 1,
              context: 2,
              network: { hidden: [6], activation: "tanh" },
            },
            constant: identityOrder(features - 1),
          },
        ],
  // The density of other distributions is estimated: dequantized.test.ts compares it with the integral over cells, also with real numbers.
  dequantized: (features) => [
    { distribution: { type: "uniform", features, low: 0, high: 2 }, values: 2 },
    { distribution: { type: "uniform", features, low: 0, high: 2 }, values: 2, samples: 3, seed: 1 },
    { distribution: { type: "uniform", features, low: 0, high: 2 }, values: new Array(features).fill(2) },
  ],
  diagonalNormal: (features) => [
    { features },
    { features, context: 2, network: { hidden: [8], activation: "tanh" } },
    { features, context: 1, network: { hidden: [8], activation: "tanh" }, zeroInit: false },
  ],
  discretizedLogistic: (features) => [
    { features, values: 2 },
    { features, values: 2, context: 2, network: { hidden: [6], activation: "tanh" } },
  ],
  ensemble: (features) => [
    {
      variants: 3,
      distribution: {
        type: "made",
        order: identityOrder(features),
        masks: 3,
        orderAgnostic: true,
        network: { hidden: [6], activation: "tanh" },
      },
    },
  ],
  gaussianMixture: (features) => [
    { features, components: 1 },
    { features, components: 4 },
  ],
  generalizedNormal: (features) => [{ features }, { features, exponent: 6 }],
  kernelDensity: (features) => [
    {
      columns: new Array(features).fill({ type: "continuous", knots, components: 2 }),
      centers: 5,
      widths: 2,
    },
  ],
  laplace: (features) => [{ features }],
  latentClasses: (features) => [
    { columns: new Array(features).fill({ type: "continuous", knots, components: 2 }), classes: 3 },
  ],
  logistic: (features) => [{ features }],
  made: (features) => [
    { order: identityOrder(features), outputs: "bernoulli", network: { hidden: [8] } },
    {
      order: randomOrder(features, new Random(1)),
      context: 1,
      outputs: "bernoulli",
      hiddenOrder: "random",
      direct: true,
      network: { hidden: [6, 6], residual: true, activation: "elu" },
    },
    { order: reverseOrder(features), network: { hidden: [8, 6], activation: "tanh" } },
    {
      order: identityOrder(features),
      context: 2,
      hiddenOrder: "random",
      seed: 5,
      direct: true,
      network: { hidden: [8], activation: "tanh" },
    },
    {
      order: randomOrder(features, new Random(3)),
      outputs: "mixture",
      components: 3,
      direct: true,
      network: { hidden: [8], activation: "tanh" },
    },
    {
      order: randomOrder(features, new Random(4)),
      context: 1,
      direct: true,
      masks: 3,
      orderAgnostic: true,
      network: { hidden: [8, 8], activation: "tanh" },
    },
  ],
  mixedGaussianMixture: (features) => [
    { columns: new Array(features).fill({ type: "continuous", knots }), components: 2 },
    { columns: new Array(features).fill({ type: "continuous", knots }), components: 3, covariance: "shared" },
  ],
  mixedMade: (features) => [
    {
      columns: new Array(features).fill({ type: "continuous", knots, components: 3 }),
      network: { hidden: [8] },
    },
    {
      columns: new Array(features).fill({ type: "continuous", knots, components: 2, periods: [7] }),
      context: 1,
      anyOrder: false,
      network: { hidden: [8, 8], activation: "tanh", residual: true },
    },
  ],
  mixture: (features) => [
    {
      distributions: [
        { type: "standardNormal", features },
        { type: "diagonalNormal", features, context: 1, network: { hidden: [] } },
      ],
    },
    {
      learned: false,
      distributions: [
        {
          type: "transformedDistribution",
          base: { type: "standardNormal", features },
          bijection: {
            type: "autoregressive",
            order: identityOrder(features),
            network: { hidden: [4], activation: "tanh" },
          },
        },
        { type: "logistic", features },
        { type: "mixture", distributions: [{ type: "diagonalNormal", features }] },
      ],
    },
    {
      learned: false,
      distributions: [identityOrder(features), reverseOrder(features)].map((order) => ({
        type: "made",
        order,
        outputs: "bernoulli",
        network: { hidden: [6] },
      })),
    },
  ],
  // With a single row, the transformer would have no inputs: pixelAutoregressive.test.ts has images of several columns.
  pixelAutoregressive: (features) =>
    features === 1
      ? []
      : [
          {
            image: [features, 1, 1],
            values: 2,
            components: 2,
            atoms: 2,
            radius: 1,
            context: 2,
            transformer: { width: 4, layers: 1, heads: 2 },
            network: { width: 6, blocks: 1 },
          },
        ],
  resampled: (features) => [{ features, truncation: 4, network: { hidden: [8], activation: "tanh" } }],
  standardNormal: (features) => [{ features }],
  studentT: (features) => [{ features }, { features, degreesOfFreedom: 1.5 }],
  transformedDistribution: (features) => [
    transformed(features, 1),
    { ...transformed(features, 4), embedding: { numbers: 1, classes: [3] } },
    {
      ...transformed(features, 2),
      embedding: { numbers: 2, classes: [2, 3], size: 2, network: { hidden: [5] } },
    },
  ],
  uniform: (features) => [{ features }, { features, low: -1.5, high: 2 }],
  // The density is estimated: variationalAutoencoder.test.ts compares it with integrals over z.
  variationalAutoencoder: (features) => [
    { prior: { type: "standardNormal", features: 2 }, ...coders(features, "bernoulli") },
    {
      prior: {
        type: "transformedDistribution",
        base: { type: "standardNormal", features: 2 },
        bijection: { type: "autoregressive", order: [1, 0], network: { hidden: [4], activation: "tanh" } },
      },
      ...coders(features, "diagonalNormal"),
      samples: 3,
      seed: 1,
    },
  ],
  vonMises: (features) => [{ features }, { features, concentration: 30 }],
});

/** A decoder of two latent features, and a posterior whose planar map has the outputs of an encoder as its context. */
const coders = (features: number, decoder: "bernoulli" | "diagonalNormal") => ({
  decoder: { type: decoder, features, context: 2, network: { hidden: [4], activation: "tanh" } },
  posterior: {
    type: "transformedDistribution",
    base: { type: "diagonalNormal", features: 2, context: 3, network: { hidden: [] }, zeroInit: false },
    bijection: { type: "planar", features: 2, context: 3, network: { hidden: [] } },
    embedding: {
      numbers: features,
      size: 3,
      network: { hidden: [5], activation: "tanh" },
      outputActivation: true,
    },
  },
});

const transformed = (features: number, context: number) => ({
  base: {
    type: "diagonalNormal",
    features,
    context,
    network: { hidden: [4], activation: "tanh" },
  },
  bijection: {
    type: "autoregressive",
    order: reverseOrder(features),
    context,
    network: { hidden: [6], activation: "tanh" },
  },
});
