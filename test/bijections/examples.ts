import {
  alternatingMask,
  type BijectionDescription,
  identityOrder,
  randomOrder,
  reverseOrder,
} from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { examplesOf } from "../examples.ts";
import { conditionedExamples, elementwiseExamples } from "./scalarTransformExamples.ts";

/**
 * Options of every bijection, which together use each option. Every invariant is tested with them: inverses, log-determinants,
 * gradients, saving, hostile model files and more.
 */
export const bijectionExamples = examplesOf<BijectionDescription["type"]>({
  actnorm: (features) => [{ features }],
  autoregressive: (features) => [
    ...conditionedExamples(features).map(({ transform, context }) => ({
      order: context === 0 ? identityOrder(features) : reverseOrder(features),
      context,
      transform,
      network: { hidden: [10] },
    })),
    {
      order: randomOrder(features, new Random(3)),
      network: { hidden: [7, 7, 7], residual: true, activation: "tanh" },
    },
    {
      order: randomOrder(features, new Random(4)),
      context: 1,
      network: { hidden: [3, 9], activation: "gelu" },
    },
    { order: reverseOrder(features), network: { hidden: [] } },
    {
      order: reverseOrder(features),
      context: 1,
      transform: { type: "rationalQuadraticSpline", bins: 3 },
      network: { hidden: [7, 7], activation: "tanh" },
      orders: 3,
      seed: 1,
    },
    ...[0, 2].map((context) => ({
      order: randomOrder(features, new Random(4)),
      context,
      conditioner: "separate",
      network: { hidden: [features + 2] },
    })),
  ],
  batchNorm: (features) => [{ features }, { features, decay: 0.9, epsilon: 1e-3 }],
  blockAutoregressive: (features) => [
    { features, units: 3, layers: 2 },
    { features, units: 4, layers: 1, context: 2 },
  ],
  chain: (features) => [
    { bijections: [{ type: "permutation", order: reverseOrder(features) }] },
    {
      bijections: [
        { type: "luLinear", features },
        { type: "autoregressive", order: identityOrder(features), context: 1, network: { hidden: [6] } },
        { type: "chain", bijections: [{ type: "actnorm", features }] },
        { type: "tails", features },
        { type: "standardize", features },
      ],
    },
  ],
  columnScales: (features) => [
    { scales: new Array(features).fill({ type: "asinh", unit: 2 }) },
    { scales: new Array(features).fill({ type: "inverseSoftplus", low: -20, unit: 2 }) },
    {
      scales: Array.from(
        { length: features },
        (_, i) =>
          [
            { type: "log", low: -20 },
            { type: "linear" },
            { type: "reversedLog", high: 20 },
            { type: "logit", low: -20, high: 20 },
          ][i % 4],
      ),
    },
  ],
  continuous: (features) => [
    // One feature needs no divergence of several, and solving takes seconds for any network.
    { features, frequencies: 1, network: { hidden: features === 1 ? [4] : [8, 8] } },
    // Networks of other depths compute the divergence in other ways. Two features suffice to test them.
    ...(features === 2
      ? [
          { features, context: 2, network: { hidden: [6], activation: "tanh" } },
          { features, network: { hidden: [6, 6, 6], activation: "softplus" } },
          { features, tolerance: 1e-11, network: { hidden: [] }, trace: "hutchinson" },
        ]
      : []),
  ],
  coupling: couplings,
  diagonalScaling: (features) => [{ features }],
  elementwise: (features) => elementwiseExamples(features).map((transform) => ({ features, transform })),
  exp: (features) => [{ features }],
  factorOut: (features) =>
    features === 1
      ? []
      : [
          { image: [1, 1, features], bijection: { type: "actnorm", features: 1 } },
          {
            image: [1, 1, features],
            bijection: {
              type: "coupling",
              mask: new Array(features - 1).fill(false),
              context: 2,
              network: { hidden: [6] },
            },
          },
        ],
  householder: (features) => [{ features }, ...(features > 1 ? [{ features, reflections: 2 }] : [])],
  identity: (features) => [{ features }],
  imageCoupling: (features) =>
    features === 1
      ? []
      : [
          { image: [1, 1, features], network: { width: 4, activation: "tanh" } },
          {
            image: [1, features, 1],
            mask: "checkerboard",
            inverted: true,
            context: 2,
            transform: { type: "rationalQuadraticSpline", bins: 3 },
            network: { block: "gated", width: 4, activation: "elu" },
          },
          {
            image: [features, 1, 1],
            mask: "checkerboard",
            context: [features, 1, 2],
            transform: { type: "additive" },
            network: { block: "residual", width: 3, blocks: 2, activation: "tanh" },
          },
        ],
  invert: (features) => [
    { bijection: { type: "luLinear", features } },
    { bijection: conditionalAffine(reverseOrder(features)) },
  ],
  luLinear: (features) => [
    { features },
    ...(features > 1 ? [{ features, permutation: randomOrder(features, new Random(5)) }] : []),
  ],
  matrixExponential: (features) => [{ features }],
  ordered: (features) => [{ features }],
  // A single patch has none before it.
  patchAutoregressive: (features) =>
    features === 1
      ? []
      : [
          { image: [1, features, 1], patch: 1, network: { width: 4, layers: 1, heads: 2 } },
          {
            image: [features, 1, 1],
            patch: 1,
            reversed: true,
            context: 2,
            network: { width: 2, layers: 2, heads: 1 },
          },
        ],
  perPixel: (features) => [
    { image: [features, 1, 1], bijection: { type: "actnorm", features: 1 } },
    {
      image: [1, 1, features],
      bijection: {
        type: "chain",
        bijections: [
          { type: "luLinear", features },
          { type: "qrLinear", features },
        ],
      },
    },
  ],
  permutation: (features) => [
    { order: reverseOrder(features) },
    { order: randomOrder(features, new Random(2)) },
  ],
  planar: (features) => [
    { features },
    { features, activation: "leakyRelu" },
    { features, context: 2, network: { hidden: [8] } },
    { features, activation: "leakyRelu", context: 2, network: { hidden: [8] } },
  ],
  power: (features) => [{ features }, { features, exponent: 0.5 }],
  qrLinear: (features) => [{ features }, ...(features > 1 ? [{ features, reflections: 2 }] : [])],
  radial: (features) => [{ features }, { features, context: 2, network: { hidden: [8] } }],
  realNVPCoupling: (features) => [
    ...(features > 1 ? [{ mask: alternatingMask(features), network: { hidden: [8] } }] : []),
    { mask: alternatingMask(features, false), context: 2, network: { hidden: [8] } },
  ],
  residual: (features) => [
    { features, hidden: [8, 6], lipschitz: 0.8 },
    { features, hidden: [8], context: 2, trace: "hutchinson" },
  ],
  sigmoid: (features) => [{ features }, { features, low: -1.5, high: 3 }],
  sinhArcsinh: (features) => [{ features }],
  softplus: (features) => [{ features }],
  softsign: (features) => [{ features }],
  // Only images of an even height and width can be squeezed.
  squeeze: (features) => (features % 4 === 0 ? [{ image: [2, features / 2, 1] }] : []),
  standardize: (features) => [{ features }],
  standardizeContext: (features) => [{ bijection: conditionalAffine(identityOrder(features)) }],
  stickBreaking: (features) => [{ features }],
  sylvester: (features) => [
    { features },
    { features, columns: Math.min(features, 2), context: 2, network: { hidden: [8] } },
    { features, columns: 1, reflections: 0 },
  ],
  tails: (features) => [{ features }, { features, start: 0.5 }],
  tanh: (features) => [{ features }],
});

const conditionalAffine = (order: number[]) => ({
  type: "autoregressive",
  order,
  context: 2,
  transform: { type: "affine" },
  network: { hidden: [6] },
});

function couplings(features: number): object[] {
  const network = { hidden: [8] };
  // One feature can only be conditioned on a context.
  if (features === 1) {
    return conditionedExamples(2)
      .filter(({ context }) => context > 0)
      .map(({ transform, context }) => ({ mask: [false], context, transform, network }));
  }
  return [
    ...conditionedExamples(features).map(({ transform, context }) => ({
      mask: alternatingMask(features, context === 0 || features % 2 === 0),
      context,
      transform,
      network,
    })),
    {
      mask: [...new Array(features - 1).fill(true), false],
      network: { hidden: [6, 6, 6], residual: true, activation: "silu" },
    },
    { mask: new Array(features).fill(false), context: 1, network: { hidden: [] } },
    {
      mask: alternatingMask(features),
      context: 1,
      transform: { type: "rationalQuadraticSpline", bins: 3 },
      network: { hidden: [7, 7], activation: "tanh" },
      masks: 3,
      seed: 1,
    },
  ];
}
