import type { AtomOfColumn, ColumnValues, PointsOfValue } from "./columnValues.ts";
import { bandwidthSlope, centerSlope, kernelAt, type LogisticKernel, type Point } from "./logisticKernel.ts";
import { initialBandwidths } from "./smoothKernels.ts";

/**
 * Bounds of lambda, the weight of the marginal distribution in each kernel. With a lambda below the lower bound, rows that are
 * far from all centers would have a probability of nearly 0.
 */
const MIN_LAMBDA = 1e-4;
const MAX_LAMBDA = 0.9;
/** A bandwidth changes by at most this factor in a step. */
const MAX_STEP_RATIO = 3;
/** A bandwidth is at least this fraction of the interquartile range, divided by the number of rows. */
const MIN_BANDWIDTH = 0.1;
/** The largest bandwidth before the fit, as a fraction of the interquartile range. */
const INITIAL_BANDWIDTH = 0.3;
/** The mean of the square of the derivative of a logistic log-density with respect to its location. */
const LOGISTIC_INFORMATION = 1 / 3;

/** Four numbers for each value or width, from which a step is computed: see `shares` and `sums` of `ColumnFactors`. */
interface Sums {
  readonly kernel: Float64Array;
  readonly bandwidthGradient: Float64Array;
  readonly centerGradient: Float64Array;
  readonly centerInformation: Float64Array;
}

/**
 * The kernels p(x | c, s) of a column in plain numbers, for the fit of its bandwidths h_s, factors a_s and lambda. The N rows are both the
 * centers and the values. All kernels are divided by the marginal distribution m(x) of the value: a factor is p(x | c, s) / m(x).
 * `SmoothKernels` defines K, mu and y_s, and `KernelColumn` f, P_v and b_v. Kernels are computed once for each of the U distinct values,
 * because many columns have few of them. The fit leaves out the factor 1 - unseen of a matching category, which is nearly 1.
 */
export class ColumnFactors {
  /** [W] h_s, [W] a_s and lambda. Their initial values are only the start of expectation maximization. */
  readonly bandwidths: Float64Array;
  readonly centerFactors: Float64Array;
  lambda = 0.05;
  readonly values: ColumnValues;
  private readonly minBandwidth: number;
  /** [W, U] y_s(c), the center of the smooth kernel around each value. */
  private readonly centers: Float64Array;
  /** [W, U] for each width and center: 1 - sum b, 1 / (f + sum_v P_v K_v), and the sum of b_v d log K_v / d log h. */
  private readonly smoothShare: Float64Array;
  private readonly inverseMass: Float64Array;
  private readonly atomSlope: Float64Array;
  /** [W] 1 / h_s. */
  private readonly inverseSizes: Float64Array;
  /** [U] p(x | c, s) / m(x) for the current value x and width s, and a center c with each of the U distinct values. */
  private readonly factors: Float64Array;
  /**
   * [U] For the row of `addRow` and the current width: the part of each factor without lambda; its derivatives with respect to log h_s and
   * a_s; and the part of the smooth kernel times the mean square of d log K / d a_s for values from the kernel.
   */
  private readonly shares: Sums;
  /** [U] whether `shares` and `factors` were computed for the row of `addRow`. */
  private readonly isComputed: Uint8Array;
  /**
   * Sums over pairs of a row and a kernel of the quotients of lambda and of each of the `shares` [W] by the factor, weighted by the posterior
   * probability of the pair. `step` updates lambda, h and a from them.
   */
  private marginal = 0;
  private readonly sums: Sums;
  /** The sum of the posterior weights of pairs whose row has no value. They say nothing about h, a and lambda. */
  private skipped = 0;

  constructor(values: ColumnValues, widths: number) {
    this.values = values;
    const U = values.y.length;
    this.bandwidths = Float64Array.from(initialBandwidths(widths, INITIAL_BANDWIDTH * values.range));
    this.minBandwidth = (MIN_BANDWIDTH * values.range) / Math.max(1, values.finiteCount);
    const ofWidthsAndValues = () => new Float64Array(widths * U);
    this.centerFactors = new Float64Array(widths).fill(1);
    this.inverseSizes = new Float64Array(widths);
    this.sums = zeroSums(widths);
    this.factors = new Float64Array(U);
    this.shares = zeroSums(U);
    this.isComputed = new Uint8Array(U);
    this.centers = ofWidthsAndValues();
    this.smoothShare = ofWidthsAndValues().fill(1);
    this.inverseMass = ofWidthsAndValues();
    this.atomSlope = ofWidthsAndValues();
    this.updateKernels();
  }

  /** Multiplies the products [W, N] of each width and center by the factors of the value of row i. */
  multiply(i: number, products: Float64Array): void {
    const { factors } = this;
    const { indices, isMissing } = this.values;
    // The factor of a value that is missing together with an earlier one is 1, because the earlier gap determines it.
    if (isMissing?.[i]) return;
    const N = indices.length;
    for (let w = 0, k = 0; w < this.bandwidths.length; w++) {
      this.computeFactors(indices[i], w);
      for (let j = 0; j < N; j++, k++) products[k] *= factors[indices[j]];
    }
  }

  /** Sets `factors` to those of value u with width w. */
  private computeFactors(u: number, w: number): void {
    const { lambda, factors } = this;
    const { codes, isLattice, inverseMarginal } = this.values;
    const U = codes.length;
    const scale = (1 - lambda) * inverseMarginal[u];
    const { smooth, atom } = this.values.pointsOf(u);
    if (!smooth && !atom) {
      for (let v = 0; v < U; v++) factors[v] = lambda + (codes[u] === codes[v] ? scale : 0);
    } else if (!atom && !isLattice) {
      // The most frequent case has no function calls, because these would take half of the time.
      const { centers, smoothShare } = this;
      const inverse = this.inverseSizes[w];
      const peak = scale * inverse;
      for (let v = 0; v < U; v++) {
        const tail = Math.exp(-Math.abs(smooth!.y - centers[w * U + v]) * inverse);
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
    const { indices, isMissing } = this.values;
    if (isMissing?.[i]) {
      for (const weight of weights) this.skipped += weight;
      return;
    }
    const { lambda, factors, shares, sums, isComputed } = this;
    const N = indices.length;
    const points = this.values.pointsOf(indices[i]);
    for (let w = 0, k = 0; w < this.bandwidths.length; w++) {
      isComputed.fill(0);
      let [kernels, bandwidthGradient, centerGradient, centerInformation] = [0, 0, 0, 0];
      for (let j = 0; j < N; j++, k++) {
        const weight = weights[k];
        if (weight === 0) continue;
        const v = indices[j];
        if (isComputed[v] === 0) {
          this.computeShares(indices[i], points, w, v);
          isComputed[v] = 1;
        }
        const relative = weight / factors[v];
        kernels += relative * shares.kernel[v];
        bandwidthGradient += relative * shares.bandwidthGradient[v];
        centerGradient += relative * shares.centerGradient[v];
        centerInformation += relative * shares.centerInformation[v];
        this.marginal += relative * lambda;
      }
      sums.kernel[w] += kernels;
      sums.bandwidthGradient[w] += bandwidthGradient;
      sums.centerGradient[w] += centerGradient;
      sums.centerInformation[w] += centerInformation;
    }
  }

  /** Computes the factor of value u for a center with value v and width w, and its `shares`. */
  private computeShares(u: number, { smooth, atom }: PointsOfValue, w: number, v: number): void {
    const { lambda, factors, shares } = this;
    const { codes, offsets, inverseMarginal } = this.values;
    const scale = (1 - lambda) * inverseMarginal[u];
    shares.kernel[v] = 0;
    shares.bandwidthGradient[v] = 0;
    shares.centerGradient[v] = 0;
    shares.centerInformation[v] = 0;
    if (!smooth && !atom) {
      // This factor depends neither on h nor on a.
      factors[v] = lambda + (codes[u] === codes[v] ? scale : 0);
      return;
    }
    const smoothTerm = smooth ? scale * this.smoothTerm(smooth, w, v) : 0;
    const atomTerm = atom ? scale * this.atomTerm(atom, w, v) : 0;
    factors[v] = lambda + smoothTerm + atomTerm;
    shares.kernel[v] = smoothTerm + atomTerm;
    // d log b_v = d log K_v - sum_u b_u d log K_u, and d log (1 - sum b) = -sum_u b_u d log K_u.
    const common = this.atomSlope[this.indexOf(w, v)];
    if (smoothTerm > 0) {
      const kernel = this.smoothKernel(w, v);
      const ofFactor = offsets[v] * kernel.inverse;
      shares.bandwidthGradient[v] += smoothTerm * (bandwidthSlope(smooth!, kernel) - common);
      shares.centerGradient[v] = smoothTerm * centerSlope(smooth!, kernel) * ofFactor;
      shares.centerInformation[v] = smoothTerm * LOGISTIC_INFORMATION * ofFactor ** 2;
    }
    if (atomTerm > 0)
      shares.bandwidthGradient[v] += atomTerm * (bandwidthSlope(atom!, this.atomKernel(w, v)) - common);
  }

  /** Moves h, a and lambda by a fraction of the step of expectation maximization. `total` is the sum of the weights of the rows. */
  step(fraction: number, total: number): void {
    if (total > this.skipped) {
      const share = this.marginal / (total - this.skipped);
      const lambda = this.lambda + fraction * (share - this.lambda);
      this.lambda = Math.min(MAX_LAMBDA, Math.max(MIN_LAMBDA, lambda));
    }
    const { kernel, bandwidthGradient, centerGradient, centerInformation } = this.sums;
    for (let w = 0; w < this.bandwidths.length; w++) {
      if (!(kernel[w] > 0)) continue;
      const ofBandwidth = 1 + bandwidthGradient[w] / kernel[w];
      const ratio = Math.min(MAX_STEP_RATIO, Math.max(1 / MAX_STEP_RATIO, ofBandwidth));
      this.bandwidths[w] = Math.max(this.minBandwidth, this.bandwidths[w] * ratio ** fraction);
      if (!(centerInformation[w] > 0)) continue;
      const change = centerGradient[w] / centerInformation[w];
      this.centerFactors[w] = Math.min(1, Math.max(0, this.centerFactors[w] + fraction * change));
    }
    for (const sums of Object.values(this.sums)) sums.fill(0);
    this.marginal = 0;
    this.skipped = 0;
    this.updateKernels();
  }

  /** (1 - sum b) K around value v. */
  private smoothTerm(point: Point, w: number, v: number): number {
    return this.smoothShare[this.indexOf(w, v)] * kernelAt(point, this.smoothKernel(w, v));
  }

  /** b around value v. */
  private atomTerm(atom: AtomOfColumn, w: number, v: number): number {
    return atom.probability * this.inverseMass[this.indexOf(w, v)] * kernelAt(atom, this.atomKernel(w, v));
  }

  /** The kernel around y_s(c) for a center of value v. */
  private smoothKernel(w: number, v: number): LogisticKernel {
    return {
      center: this.centers[this.indexOf(w, v)],
      inverse: this.inverseSizes[w],
      isLattice: this.values.isLattice,
    };
  }

  /** The kernel around y(c), by which the atoms have their shares. */
  private atomKernel(w: number, v: number): LogisticKernel {
    return { center: this.values.y[v], inverse: this.inverseSizes[w], isLattice: this.values.isLattice };
  }

  /** The index of width w and value v in arrays [W, U]. */
  private indexOf(w: number, v: number): number {
    return w * this.factors.length + v;
  }

  /** Updates the numbers that depend only on the bandwidths and the factors of the centers. */
  private updateKernels(): void {
    const { smoothShare, inverseMass, atomSlope, centers } = this;
    const { atoms, smoothMarginal, y, offsets } = this.values;
    const U = y.length;
    for (const [w, bandwidth] of this.bandwidths.entries()) {
      this.inverseSizes[w] = 1 / bandwidth;
      for (let v = 0; v < U; v++) centers[w * U + v] = y[v] + (this.centerFactors[w] - 1) * offsets[v];
    }
    if (atoms.length === 0) return;
    for (let k = 0; k < smoothShare.length; k++) {
      const w = Math.floor(k / U);
      const v = k % U;
      const kernel = this.atomKernel(w, v);
      let [mass, slope] = [0, 0];
      for (const atom of atoms) {
        const atomTerm = atom.probability * kernelAt(atom, kernel);
        if (atomTerm === 0) continue;
        mass += atomTerm;
        slope += atomTerm * bandwidthSlope(atom, kernel);
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
}

function zeroSums(size: number): Sums {
  const zeros = () => new Float64Array(size);
  return {
    kernel: zeros(),
    bandwidthGradient: zeros(),
    centerGradient: zeros(),
    centerInformation: zeros(),
  };
}
