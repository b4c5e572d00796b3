import type { Case } from "./cases.ts";

/** How the layers of a flow look; a conditioner gives so many parameters for each feature. */
const FLOWS: Readonly<
  Record<string, { readonly layers: (dim: number) => Layers; readonly parameters: number }>
> = {
  maf: { layers: masked, parameters: 2 },
  iaf: { layers: masked, parameters: 2 },
  nsf: { layers: masked, parameters: 3 * 8 - 1 },
  realnvp: { layers: coupled, parameters: 2 },
  nice: { layers: coupled, parameters: 1 },
  glow: { layers: mixed, parameters: 2 },
  planar: { layers: bent, parameters: 0 },
};

/** Weights of each product of transform `index`, counted from the data. */
type Layers = (index: number, hidden: readonly number[], parameters: number) => number[];

/**
 * Floating-point operations of a case in products with weights, those that a mask takes out left away: for each weight and
 * row 2 forward. A training step has 3 times as many (the product, the gradient of the weights and that of the inputs), but
 * needs no gradient of the data. Sampling counts as one pass. Undefined for flows whose products are not known here, and for
 * continuous ones, whose steps depend on the field.
 */
export function flops(benchCase: Case): number | undefined {
  const { flow, dim, transforms, hidden = [] } = benchCase;
  const known = FLOWS[flow];
  if (!known || !transforms) return undefined;
  const layers = known.layers(dim);
  const weights = Array.from({ length: transforms }, (_, i) => layers(i, hidden, known.parameters));
  const all = weights.flat().reduce((a, b) => a + b, 0);
  return benchCase.job === "train"
    ? benchCase.batch * (6 * all - 2 * weights[0][0])
    : benchCase.rows * 2 * all;
}

/** MADE: a weight from degree a to degree b stands where a <= b, into the outputs where a < b. */
function masked(dim: number): Layers {
  const features = Array.from({ length: dim }, (_, i) => i + 1);
  return (_, hidden, parameters) => {
    const outputs = features.flatMap((degree) => new Array<number>(parameters).fill(degree));
    const degrees = [features, ...hidden.map((size) => hiddenDegrees(size, dim - 1)), outputs];
    return degrees
      .slice(1)
      .map((after, i) => pairs(degrees[i], after, (a, b) => (after === outputs ? a < b : a <= b)));
  };
}

/** Degrees 1 to `count` in equal shares, or where there are fewer units than degrees, spread over them. */
const hiddenDegrees = (size: number, count: number): number[] =>
  Array.from({ length: size }, (_, unit) =>
    size < count
      ? 1 + Math.floor((unit * (count - 1)) / Math.max(1, size - 1))
      : 1 + Math.floor((unit * count) / size),
  );

const pairs = (before: number[], after: number[], stands: (a: number, b: number) => boolean): number =>
  after.reduce((sum, b) => sum + before.filter((a) => stands(a, b)).length, 0);

/** Coupling: half of the features, in turn the larger and the smaller one, condition the others. */
function coupled(dim: number): Layers {
  return (index, hidden, parameters) => {
    const kept = index % 2 === 0 ? Math.ceil(dim / 2) : Math.floor(dim / 2);
    const sizes = [kept, ...hidden, (dim - kept) * parameters];
    return sizes.slice(1).map((size, i) => sizes[i] * size);
  };
}

/** Glow: an actnorm, which is a diagonal matrix, and a linear map before each coupling. */
function mixed(dim: number): Layers {
  const coupling = coupled(dim);
  return (...conditioner) => [dim, dim * dim, ...coupling(...conditioner)];
}

/** Planar: a row's product with w, and its step along u. */
function bent(dim: number): Layers {
  return () => [dim, dim];
}
