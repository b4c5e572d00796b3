import type { Case } from "./cases.ts";

/** The layers of each flow, and the number of parameters per feature that its conditioner outputs. */
const FLOWS: Readonly<
  Record<string, { readonly layers: (dim: number) => Layers; readonly parameters: number }>
> = {
  maf: { layers: maskedLayers, parameters: 2 },
  iaf: { layers: maskedLayers, parameters: 2 },
  nsf: { layers: maskedLayers, parameters: 3 * 8 - 1 },
  realnvp: { layers: couplingLayers, parameters: 2 },
  nice: { layers: couplingLayers, parameters: 1 },
  glow: { layers: glowLayers, parameters: 2 },
  planar: { layers: planarLayers, parameters: 0 },
};

/** Number of weights in each matrix product of transform `index`, where transform 0 is next to the data. */
type Layers = (index: number, hidden: readonly number[], parameters: number) => number[];

/**
 * Floating-point operations of a case in products with weights, without masked weights: 2 for each weight and row in a
 * forward pass. A training step has 3 times as many (the product, the gradient of the weights and the gradient of the
 * inputs), except that the data need no gradient. Sampling counts as one pass. Undefined for flows that are not in `FLOWS`,
 * such as continuous ones, whose number of steps depends on the field.
 */
export function flops(benchCase: Case): number | undefined {
  const { flow, dim, transforms, hidden = [] } = benchCase;
  const counts = FLOWS[flow];
  if (!counts || !transforms) return undefined;
  const layers = counts.layers(dim);
  const weights = Array.from({ length: transforms }, (_, i) => layers(i, hidden, counts.parameters));
  const totalWeights = weights.flat().reduce((a, b) => a + b, 0);
  return benchCase.job === "train"
    ? benchCase.batch * (6 * totalWeights - 2 * weights[0][0])
    : benchCase.rows * 2 * totalWeights;
}

/** MADE: a hidden unit of degree b is connected to degrees a <= b, an output to degrees a < b. */
function maskedLayers(dim: number): Layers {
  const features = Array.from({ length: dim }, (_, i) => i + 1);
  return (_, hidden, parameters) => {
    const outputs = features.flatMap((degree) => new Array<number>(parameters).fill(degree));
    const degrees = [features, ...hidden.map((size) => hiddenDegrees(size, dim - 1)), outputs];
    return degrees
      .slice(1)
      .map((after, i) => pairs(degrees[i], after, (a, b) => (after === outputs ? a < b : a <= b)));
  };
}

/** Degrees 1 to `count`, each for an equal share of the units; evenly spaced degrees if there are fewer units than degrees. */
const hiddenDegrees = (size: number, count: number): number[] =>
  Array.from({ length: size }, (_, unit) =>
    size < count
      ? 1 + Math.floor((unit * (count - 1)) / Math.max(1, size - 1))
      : 1 + Math.floor((unit * count) / size),
  );

const pairs = (before: number[], after: number[], connected: (a: number, b: number) => boolean): number =>
  after.reduce((sum, b) => sum + before.filter((a) => connected(a, b)).length, 0);

/** Coupling: half of the features condition the others. With an odd number, layers alternate between the larger and the smaller half. */
function couplingLayers(dim: number): Layers {
  return (index, hidden, parameters) => {
    const kept = index % 2 === 0 ? Math.ceil(dim / 2) : Math.floor(dim / 2);
    const sizes = [kept, ...hidden, (dim - kept) * parameters];
    return sizes.slice(1).map((size, i) => sizes[i] * size);
  };
}

/** Glow: each coupling follows an actnorm, which counts as a diagonal matrix, and a dense linear map. */
function glowLayers(dim: number): Layers {
  const coupling = couplingLayers(dim);
  return (...conditioner) => [dim, dim * dim, ...coupling(...conditioner)];
}

/** Planar: x = z + u h(w · z + b) has one product with w and one with u. */
function planarLayers(dim: number): Layers {
  return () => [dim, dim];
}
