import {
  atomsOf,
  type ColumnHead,
  isCategorical,
  isLattice,
  MISSING,
  NO_ATOM,
  valueCodes,
} from "./heads/columnHead.ts";
import { scaledValue, scaleSlope } from "./heads/valueScale.ts";

/**
 * Bounds of lambda, the weight of the marginal distribution in each kernel. With a lambda below the lower bound, rows that are
 * far from all centers would have a probability of nearly 0.
 */
const MIN_LAMBDA = 1e-4;
const MAX_LAMBDA = 0.9;
/** A bandwidth changes by at most this factor in a step. */
const MAX_STEP_RATIO = 3;
/** The narrowest kernel is at least this fraction of the interquartile range, divided by the number of rows. */
const MIN_WIDTH = 0.1;

/** Replaces the infinite y of a value at a bound of the scale. Its distance from itself must be 0, and Infinity - Infinity is NaN. */
const LARGEST_Y = 1e30;

/** A number of a column on the scale of y, with the edges of its cell in a lattice. */
interface Point {
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

interface AtomOfColumn extends Point {
  /** P_v, the probability of the atom under the marginal distribution. */
  readonly probability: number;
}

/** The points at which kernels are evaluated for a value: that of its smooth kernel, and its atom. Undefined if it has none. */
interface PointsOfValue {
  readonly smooth: Point | undefined;
  readonly atom: AtomOfColumn | undefined;
}

/** A column of the rows to which a kernel density is fitted. */
interface KernelColumnData {
  readonly head: ColumnHead;
  /**
   * [N], NaN where missing. In a column that shares the gap of an earlier one, a missing value is replaced by that of another row, as in
   * the centers.
   */
  readonly values: Float64Array;
  /** [N], 1 where the value is missing together with the earlier one, else 0. Undefined if the column shares no gap. */
  readonly isMissing?: Float64Array;
  /** [N] log m(x), where m is the marginal distribution. */
  readonly logMarginal: ArrayLike<number>;
  /** [N] log f(x), where f is the smooth part of m, in the units of y. */
  readonly logSmooth: ArrayLike<number>;
  /** [A] the probabilities of the atoms under m. */
  readonly atomProbabilities: ArrayLike<number>;
  /** [W], descending. */
  readonly widths: readonly number[];
}

/**
 * The kernels p(x | c, s) of a column in plain numbers, for the fit of its bandwidth h and lambda. The N rows are both the centers and the
 * values. All kernels are divided by the marginal distribution m(x) of the value: a factor is p(x | c, s) / m(x). `KernelColumn` defines K,
 * f, P_v and b_v. Kernels are computed once for each of the U distinct values, because many columns have few of them. The
 * fit leaves out the factor 1 - unseen of a matching category, which is nearly 1.
 */
export class ColumnFactors {
  /** h and lambda. Their initial values are only the start of expectation maximization. */
  bandwidth: number;
  lambda = 0.05;
  /**
   * See `KernelColumnData`. The factor of a value that is missing together with the earlier one is 1, because the earlier gap determines
   * it.
   */
  private readonly isMissing: Float64Array | undefined;
  private readonly isCategorical: boolean;
  private readonly isLattice: boolean;
  private readonly widths: readonly number[];
  private readonly minBandwidth: number;
  /** [N] the index of the value of each row among the distinct values. */
  private readonly indices: Int32Array;
  /** [U] the number of the atom or category, see `valueCodes`. */
  private readonly codes: Int32Array;
  /** [U] y(x), or Infinity for missing values, which have no kernel. */
  private readonly y: Float64Array;
  /** [U] y at the edges of the cell of a lattice. */
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  /** [U] 1 / m, in the units of y for numbers of a continuous column. */
  private readonly inverseMarginal: Float64Array;
  /** [U] f. */
  private readonly smoothMarginal: Float64Array;
  private readonly atoms: readonly AtomOfColumn[];
  /** [W, U] for each width and center: 1 - sum b, 1 / (f + sum_v P_v K_v), and the sum of b_v d log K_v / d log h. */
  private readonly smoothShare: Float64Array;
  private readonly inverseMass: Float64Array;
  private readonly atomSlope: Float64Array;
  /** [W] 1 / (h s). */
  private readonly inverseSizes: Float64Array;
  /** [U] p(x | c, s) / m(x) for the current value x and width s, and a center c with each of the U distinct values. */
  private readonly factors: Float64Array;
  /**
   * [U] For the row of `addRow`: the kernel part of each factor, without lambda; its derivative with respect to log h; and whether both
   * were computed.
   */
  private readonly kernelShares: Float64Array;
  private readonly slopes: Float64Array;
  private readonly isComputed: Uint8Array;
  /**
   * Sums over pairs of a row and a kernel, weighted by their posterior probability: the share of the kernel in the factor; this share times
   * d log K / d log h; and the share of lambda. `step` updates h and lambda from them.
   */
  private kernels = 0;
  private slope = 0;
  private marginal = 0;
  /** The sum of the posterior weights of pairs whose row has no value. They say nothing about h and lambda. */
  private skipped = 0;

  constructor({
    head,
    values,
    isMissing,
    logMarginal,
    logSmooth,
    atomProbabilities,
    widths,
  }: KernelColumnData) {
    this.isMissing = isMissing;
    this.isCategorical = isCategorical(head);
    this.isLattice = isLattice(head);
    this.widths = widths;
    const { indices, rows } = distinctValues(values);
    this.indices = indices;
    const distinct = Float64Array.from(rows, (n) => values[n]);
    this.codes = valueCodes(head, distinct);
    const scale = "scale" in head ? head.scale : ({ type: "linear" } as const);
    const last = isLattice(head) ? head.cells - 1 : 0;
    const lowEdge = (x: number) => (x <= 0 ? Number.NEGATIVE_INFINITY : scaledValue(scale, x - 0.5));
    const highEdge = (x: number) => (x >= last ? Number.POSITIVE_INFINITY : scaledValue(scale, x + 0.5));
    this.low = distinct.map(lowEdge);
    this.high = distinct.map(highEdge);
    const finiteY = (x: number) => Math.max(-LARGEST_Y, Math.min(LARGEST_Y, scaledValue(scale, x)));
    this.y = distinct.map((x) =>
      this.isCategorical || Number.isNaN(x) ? Number.POSITIVE_INFINITY : finiteY(x),
    );
    this.smoothMarginal = Float64Array.from(rows, (n) => Math.exp(logSmooth[n]));
    this.atoms = (this.isCategorical ? [] : atomsOf(head)).map((x, v) => ({
      y: finiteY(x),
      low: lowEdge(x),
      high: highEdge(x),
      probability: atomProbabilities[v],
    }));
    this.inverseSizes = new Float64Array(widths.length);
    this.factors = new Float64Array(rows.length);
    this.kernelShares = new Float64Array(rows.length);
    this.slopes = new Float64Array(rows.length);
    this.isComputed = new Uint8Array(rows.length);
    this.smoothShare = new Float64Array(widths.length * rows.length).fill(1);
    this.inverseMass = new Float64Array(widths.length * rows.length);
    this.atomSlope = new Float64Array(widths.length * rows.length);
    this.inverseMarginal = Float64Array.from(rows, (n, u) => {
      const isDensity = head.type === "continuous" && this.codes[u] === NO_ATOM;
      return Math.exp((isDensity ? Math.log(scaleSlope(scale, values[n])) : 0) - logMarginal[n]);
    });
    const ofRows = Float64Array.from(indices, (u) => this.y[u]);
    const isInside = (y: number) => Math.abs(y) < LARGEST_Y;
    const finite = ofRows.filter(isInside);
    const withoutAtoms = ofRows.filter((y, n) => isInside(y) && this.codes[indices[n]] === NO_ATOM);
    const sorted = (withoutAtoms.length > 0 ? withoutAtoms : finite).sort();
    const quantile = (level: number) => sorted[Math.floor(level * (sorted.length - 1))] ?? 0;
    const range = quantile(0.75) - quantile(0.25) || quantile(1) - quantile(0) || 1;
    this.bandwidth = 0.3 * range;
    this.minBandwidth = (MIN_WIDTH * range) / (Math.max(1, finite.length) * widths[widths.length - 1]);
    this.updateSizes();
  }

  /** Multiplies the products [W, N] of each width and center by the factors of the value of row i. */
  multiply(i: number, products: Float64Array): void {
    const { indices, factors } = this;
    if (this.isMissing?.[i]) return;
    const N = indices.length;
    for (let w = 0, k = 0; w < this.widths.length; w++) {
      this.computeFactors(indices[i], w);
      for (let j = 0; j < N; j++, k++) products[k] *= factors[indices[j]];
    }
  }

  /** Sets `factors` to those of value u with width w. */
  private computeFactors(u: number, w: number): void {
    const { codes, lambda, factors } = this;
    const U = codes.length;
    const scale = (1 - lambda) * this.inverseMarginal[u];
    const { smooth, atom } = this.pointsOf(u);
    if (!smooth && !atom) {
      for (let v = 0; v < U; v++) factors[v] = lambda + (codes[u] === codes[v] ? scale : 0);
    } else if (!atom && !this.isLattice) {
      // The most frequent case has no function calls, because these would take half of the time.
      const { y, smoothShare } = this;
      const inverse = this.inverseSizes[w];
      const peak = scale * inverse;
      for (let v = 0; v < U; v++) {
        const tail = Math.exp(-Math.abs(smooth!.y - y[v]) * inverse);
        factors[v] = lambda + (smoothShare[w * U + v] * peak * tail) / ((1 + tail) * (1 + tail));
      }
    } else {
      for (let v = 0; v < U; v++) {
        const smoothTerm = smooth ? this.smoothTerm(smooth, w, v) : 0;
        const atomTerm = atom ? this.atomTerm(atom, w, v) : 0;
        factors[v] = lambda + scale * (smoothTerm + atomTerm);
      }
    }
  }

  /**
   * Adds the pairs of row i and each kernel, with their posterior weights [W, N], to the sums for the next step. What depends only on the
   * values of both rows is computed once for each of the distinct values.
   */
  addRow(i: number, weights: Float64Array): void {
    if (this.isMissing?.[i]) {
      for (const weight of weights) this.skipped += weight;
      return;
    }
    const { indices, lambda, factors, kernelShares, slopes, isComputed } = this;
    const N = indices.length;
    const points = this.pointsOf(indices[i]);
    let { kernels, slope, marginal } = this;
    for (let w = 0, k = 0; w < this.widths.length; w++) {
      isComputed.fill(0);
      for (let j = 0; j < N; j++, k++) {
        const weight = weights[k];
        if (weight === 0) continue;
        const v = indices[j];
        if (isComputed[v] === 0) {
          this.computeShares(indices[i], points, w, v);
          isComputed[v] = 1;
        }
        kernels += (weight * kernelShares[v]) / factors[v];
        slope += (weight * slopes[v]) / factors[v];
        marginal += (weight * lambda) / factors[v];
      }
    }
    this.kernels = kernels;
    this.slope = slope;
    this.marginal = marginal;
  }

  /**
   * Computes the factor of value u for a center with value v and width w, the part of the factor without lambda, and the derivative of this
   * part with respect to log h.
   */
  private computeShares(u: number, { smooth, atom }: PointsOfValue, w: number, v: number): void {
    const { codes, lambda, factors, kernelShares, slopes } = this;
    const scale = (1 - lambda) * this.inverseMarginal[u];
    if (!smooth && !atom) {
      // This part does not depend on h.
      factors[v] = lambda + (codes[u] === codes[v] ? scale : 0);
      kernelShares[v] = 0;
      slopes[v] = 0;
      return;
    }
    const smoothTerm = smooth ? scale * this.smoothTerm(smooth, w, v) : 0;
    const atomTerm = atom ? scale * this.atomTerm(atom, w, v) : 0;
    // d log b_v = d log K_v - sum_u b_u d log K_u, and d log (1 - sum b) = -sum_u b_u d log K_u.
    const common = this.atomSlope[w * codes.length + v];
    let slope = 0;
    if (smoothTerm > 0) slope += smoothTerm * (this.kernelSlope(smooth!, w, v) - common);
    if (atomTerm > 0) slope += atomTerm * (this.kernelSlope(atom!, w, v) - common);
    factors[v] = lambda + smoothTerm + atomTerm;
    kernelShares[v] = smoothTerm + atomTerm;
    slopes[v] = slope;
  }

  /** Moves h and lambda by a fraction of the step of expectation maximization. `total` is the sum of the weights of the rows. */
  step(fraction: number, total: number): void {
    if (total > this.skipped) {
      const share = this.marginal / (total - this.skipped);
      const lambda = this.lambda + fraction * (share - this.lambda);
      this.lambda = Math.min(MAX_LAMBDA, Math.max(MIN_LAMBDA, lambda));
    }
    if (this.kernels > 0) {
      const ratio = Math.min(MAX_STEP_RATIO, Math.max(1 / MAX_STEP_RATIO, 1 + this.slope / this.kernels));
      this.bandwidth = Math.max(this.minBandwidth, this.bandwidth * ratio ** fraction);
    }
    this.kernels = 0;
    this.slope = 0;
    this.marginal = 0;
    this.skipped = 0;
    this.updateSizes();
  }

  /**
   * The points at which value u has a smooth kernel and an atom. An atom of a continuous column has no smooth kernel, and categories and
   * missing values have neither.
   */
  private pointsOf(u: number): PointsOfValue {
    const code = this.codes[u];
    const isNumber = !this.isCategorical && code !== MISSING;
    const hasKernel = isNumber && (this.isLattice || code === NO_ATOM);
    return {
      smooth: hasKernel ? { y: this.y[u], low: this.low[u], high: this.high[u] } : undefined,
      atom: isNumber && code >= 0 ? this.atoms[code] : undefined,
    };
  }

  /** (1 - sum b) K around value v. */
  private smoothTerm(point: Point, w: number, v: number): number {
    return this.smoothShare[w * this.y.length + v] * this.kernel(point, w, v);
  }

  /** b around value v. */
  private atomTerm(atom: AtomOfColumn, w: number, v: number): number {
    return atom.probability * this.inverseMass[w * this.y.length + v] * this.kernel(atom, w, v);
  }

  /** Updates the numbers that depend only on the bandwidth. */
  private updateSizes(): void {
    const { atoms, smoothMarginal, smoothShare, inverseMass, atomSlope, y } = this;
    for (const [w, width] of this.widths.entries()) this.inverseSizes[w] = 1 / (width * this.bandwidth);
    if (atoms.length === 0) return;
    for (let k = 0; k < smoothShare.length; k++) {
      const w = Math.floor(k / y.length);
      const v = k % y.length;
      let [mass, slope] = [0, 0];
      for (const atom of atoms) {
        const atomTerm = atom.probability * this.kernel(atom, w, v);
        if (atomTerm === 0) continue;
        mass += atomTerm;
        slope += atomTerm * this.kernelSlope(atom, w, v);
      }
      if (mass === 0) {
        [smoothShare[k], inverseMass[k], atomSlope[k]] = [1, 0, 0];
        continue;
      }
      inverseMass[k] = 1 / (smoothMarginal[v] + mass);
      smoothShare[k] = smoothMarginal[v] * inverseMass[k];
      atomSlope[k] = slope * inverseMass[k];
    }
  }

  /** K around value v at a point: the density of its y, or the probability of its cell, without cancellation. */
  private kernel({ y, low, high }: Point, w: number, v: number): number {
    const center = this.y[v];
    if (center === Number.POSITIVE_INFINITY) return 0;
    const inverse = this.inverseSizes[w];
    if (!this.isLattice) {
      const tail = Math.exp(-Math.abs(y - center) * inverse);
      return (inverse * tail) / ((1 + tail) * (1 + tail));
    }
    const lowFactor = 1 + Math.exp((low - center) * inverse);
    const highFactor = 1 + Math.exp((center - high) * inverse);
    return -Math.expm1((low - high) * inverse) / (lowFactor * highFactor);
  }

  /** d log K / d log h around value v at a point. */
  private kernelSlope({ y, low, high }: Point, w: number, v: number): number {
    const center = this.y[v];
    const inverse = this.inverseSizes[w];
    if (this.isLattice) return logisticCellSlope((low - center) * inverse, (high - center) * inverse);
    const t = Math.abs(y - center) * inverse;
    return t * Math.tanh(t / 2) - 1;
  }
}

/** d log P / d log h of the logistic probability P between a = low / h and b = high / h. */
function logisticCellSlope(a: number, b: number): number {
  const probability = -Math.expm1(a - b) / ((1 + Math.exp(a)) * (1 + Math.exp(-b)));
  return probability > 0 ? (weightedSlope(a) - weightedSlope(b)) / probability : 0;
}

/** x sigmoid'(x), which is 0 at infinite x. */
function weightedSlope(x: number): number {
  const tail = Math.exp(-Math.abs(x));
  return tail === 0 ? 0 : (x * tail) / ((1 + tail) * (1 + tail));
}

/** The distinct values, as the indices of their first rows, and the index of the value of each row among them. */
function distinctValues(values: Float64Array): { indices: Int32Array; rows: number[] } {
  const found = new Map<number, number>();
  const rows: number[] = [];
  const indices = Int32Array.from(values, (value, n) => {
    const index = found.get(value) ?? rows.push(n) - 1;
    found.set(value, index);
    return index;
  });
  return { indices, rows };
}
