/** A number of a column on its scale, with the edges of its cell in a lattice. */
export interface Point {
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** A logistic kernel in plain numbers: the density of y, or in a lattice the probability of a cell. */
export interface LogisticKernel {
  /** y of the center. A center at infinity has no kernel. */
  readonly center: number;
  /** 1 / h. */
  readonly inverse: number;
  readonly isLattice: boolean;
}

/** K at a point, without cancellation. */
export function kernelAt({ y, low, high }: Point, { center, inverse, isLattice }: LogisticKernel): number {
  if (center === Number.POSITIVE_INFINITY) return 0;
  if (!isLattice) {
    const tail = Math.exp(-Math.abs(y - center) * inverse);
    return (inverse * tail) / ((1 + tail) * (1 + tail));
  }
  return cellProbability((low - center) * inverse, (high - center) * inverse);
}

/** d log K / d log h at a point. */
export function bandwidthSlope(
  { y, low, high }: Point,
  { center, inverse, isLattice }: LogisticKernel,
): number {
  if (!isLattice) {
    const t = Math.abs(y - center) * inverse;
    return t * Math.tanh(t / 2) - 1;
  }
  const [a, b] = [(low - center) * inverse, (high - center) * inverse];
  const probability = cellProbability(a, b);
  return probability > 0 ? (weightedDensity(a) - weightedDensity(b)) / probability : 0;
}

/** h d log K / d center at a point. */
export function centerSlope({ y, low, high }: Point, { center, inverse, isLattice }: LogisticKernel): number {
  if (!isLattice) return Math.tanh(((y - center) * inverse) / 2);
  const [a, b] = [(low - center) * inverse, (high - center) * inverse];
  const probability = cellProbability(a, b);
  return probability > 0 ? (logisticDensity(a) - logisticDensity(b)) / probability : 0;
}

/** sigmoid(b) - sigmoid(a) for a < b. */
const cellProbability = (a: number, b: number): number =>
  -Math.expm1(a - b) / ((1 + Math.exp(a)) * (1 + Math.exp(-b)));

/** sigmoid'(x). */
function logisticDensity(x: number): number {
  const tail = Math.exp(-Math.abs(x));
  return tail / ((1 + tail) * (1 + tail));
}

/** x sigmoid'(x), which is 0 at infinite x. */
function weightedDensity(x: number): number {
  const density = logisticDensity(x);
  return density === 0 ? 0 : x * density;
}
