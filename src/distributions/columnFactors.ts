import {
  type ColumnHead,
  isCategorical,
  isLattice,
  MISSING,
  NO_ATOM,
  valueCodes,
} from "./heads/columnHead.ts";
import { scaledValue, scaleSlope } from "./heads/valueScale.ts";

/**
 * Bounds of lambda, the weight of the marginal distribution in each kernel. With a smaller one, rows that are far from all
 * centers would have a probability of nearly 0.
 */
const MIN_LAMBDA = 1e-4;
const MAX_LAMBDA = 0.9;
/** A bandwidth changes by at most this factor in a step. */
const MAX_STEP_RATIO = 3;
/** The narrowest kernel is at least this fraction of the interquartile range, divided by the number of rows. */
const MIN_WIDTH = 0.1;

/** What the fit of a kernel density needs of a column. */
interface ColumnOfRows {
  readonly head: ColumnHead;
  /** [N], NaN where missing. */
  readonly values: Float64Array;
  /** [N] log m(x), where m is the marginal distribution. */
  readonly logMarginal: ArrayLike<number>;
  /** [W], descending. */
  readonly widths: readonly number[];
}

/**
 * The kernels p(x | c, s) of a column (`KernelColumn`) in plain numbers, for the fit of its bandwidth h and lambda. The N rows
 * are both the centers and the values. All kernels are divided by the marginal distribution m(x) of the value: a factor is (1 -
 * lambda) K / m + lambda.
 */
export class ColumnFactors {
  /** h and lambda. Their initial values are only the start of expectation maximization. */
  bandwidth: number;
  lambda = 0.05;
  private readonly isCategorical: boolean;
  private readonly isLattice: boolean;
  private readonly widths: readonly number[];
  private readonly minBandwidth: number;
  /** [N] the number of the atom or category, see `valueCodes`. */
  private readonly codes: Int32Array;
  /** [N] y(x), or Infinity for values that have a code and so no kernel. */
  private readonly y: Float64Array;
  /** [N] y at the edges of the cell of a lattice. */
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  /** [N] 1 / m, in the units of y for numbers of a continuous column. */
  private readonly inverseMarginal: Float64Array;
  /**
   * Sums over pairs of a row and a kernel, with their posterior weights, for the next step: the fraction of the factor that is
   * the term with K, this fraction times d log K / d log h, and the fraction that is lambda.
   */
  private smooth = 0;
  private slope = 0;
  private marginal = 0;

  constructor({ head, values, logMarginal, widths }: ColumnOfRows) {
    this.isCategorical = isCategorical(head);
    this.isLattice = isLattice(head);
    this.widths = widths;
    this.codes = valueCodes(head, values);
    const scale = "scale" in head ? head.scale : ({ type: "linear" } as const);
    const last = isLattice(head) ? head.cells - 1 : 0;
    this.low = values.map((x) => (x <= 0 ? Number.NEGATIVE_INFINITY : scaledValue(scale, x - 0.5)));
    this.high = values.map((x) => (x >= last ? Number.POSITIVE_INFINITY : scaledValue(scale, x + 0.5)));
    this.y = values.map((x, n) =>
      this.codes[n] === NO_ATOM ? scaledValue(scale, x) : Number.POSITIVE_INFINITY,
    );
    this.inverseMarginal = values.map((x, n) => {
      const isDensity = head.type === "continuous" && this.codes[n] === NO_ATOM;
      return Math.exp((isDensity ? Math.log(scaleSlope(scale, x)) : 0) - logMarginal[n]);
    });
    const sorted = this.y.filter(Number.isFinite).sort();
    const quantile = (level: number) => sorted[Math.floor(level * (sorted.length - 1))] ?? 0;
    const range = quantile(0.75) - quantile(0.25) || quantile(1) - quantile(0) || 1;
    this.bandwidth = 0.3 * range;
    this.minBandwidth = (MIN_WIDTH * range) / (Math.max(1, sorted.length) * widths[widths.length - 1]);
  }

  /** Multiplies the products [W, N] of each width and center by the factors of the value of row i. */
  multiply(i: number, products: Float64Array): void {
    const { codes, y, lambda } = this;
    const N = codes.length;
    const scale = (1 - lambda) * this.inverseMarginal[i];
    const code = codes[i];
    for (const [w, width] of this.widths.entries()) {
      const start = w * N;
      if (this.isLattice && code !== MISSING) {
        for (let j = 0; j < N; j++) {
          const match = code === codes[j] && code >= 0 ? 1 : 0;
          products[start + j] *= lambda + scale * (match + this.cell(i, j, width));
        }
      } else if (this.isCategorical || code !== NO_ATOM) {
        for (let j = 0; j < N; j++) products[start + j] *= lambda + (code === codes[j] ? scale : 0);
      } else {
        const inverse = 1 / (width * this.bandwidth);
        const peak = scale * inverse;
        for (let j = 0; j < N; j++) {
          const tail = Math.exp(-Math.abs(y[i] - y[j]) * inverse);
          products[start + j] *= lambda + (peak * tail) / ((1 + tail) * (1 + tail));
        }
      }
    }
  }

  /**
   * Adds the pair of row i and the kernel with width w around row j, with its posterior weight, to the sums for the next step.
   */
  add(i: number, w: number, j: number, weight: number): void {
    const { codes, y, lambda } = this;
    const scale = (1 - lambda) * this.inverseMarginal[i];
    const code = codes[i];
    const isMatch = code === codes[j] && code !== NO_ATOM;
    let smooth = 0;
    let slope = 0;
    if (
      !this.isCategorical &&
      (this.isLattice ? code !== MISSING : code === NO_ATOM) &&
      y[j] !== Number.POSITIVE_INFINITY
    ) {
      const inverse = 1 / (this.widths[w] * this.bandwidth);
      if (this.isLattice) {
        smooth = scale * this.cell(i, j, this.widths[w]);
        slope = logisticCellSlope((this.low[i] - y[j]) * inverse, (this.high[i] - y[j]) * inverse);
      } else {
        const t = Math.abs(y[i] - y[j]) * inverse;
        const tail = Math.exp(-t);
        smooth = (scale * inverse * tail) / ((1 + tail) * (1 + tail));
        slope = t * Math.tanh(t / 2) - 1;
      }
    }
    const factor = lambda + smooth + (isMatch ? scale : 0);
    this.smooth += (weight * smooth) / factor;
    this.slope += (weight * smooth * slope) / factor;
    this.marginal += (weight * lambda) / factor;
  }

  /** Moves h and lambda by a fraction of the step of expectation maximization. `total` is the sum of the weights of the rows. */
  step(fraction: number, total: number): void {
    const lambda = this.lambda + fraction * (this.marginal / total - this.lambda);
    this.lambda = Math.min(MAX_LAMBDA, Math.max(MIN_LAMBDA, lambda));
    if (this.smooth > 0) {
      const ratio = Math.min(MAX_STEP_RATIO, Math.max(1 / MAX_STEP_RATIO, 1 + this.slope / this.smooth));
      this.bandwidth = Math.max(this.minBandwidth, this.bandwidth * ratio ** fraction);
    }
    this.smooth = 0;
    this.slope = 0;
    this.marginal = 0;
  }

  /** The probability of the cell of row i under the kernel around j, without cancellation. */
  private cell(i: number, j: number, width: number): number {
    const center = this.y[j];
    if (center === Number.POSITIVE_INFINITY) return 0;
    const inverse = 1 / (width * this.bandwidth);
    const ofLow = 1 + Math.exp((this.low[i] - center) * inverse);
    const ofHigh = 1 + Math.exp((center - this.high[i]) * inverse);
    return -Math.expm1((this.low[i] - this.high[i]) * inverse) / (ofLow * ofHigh);
  }
}

/** d log P / d log h of the logistic probability P between a = low / h and b = high / h. */
function logisticCellSlope(a: number, b: number): number {
  // x sigmoid'(x), which is 0 at infinite x.
  const weighted = (x: number) => {
    const tail = Math.exp(-Math.abs(x));
    return tail === 0 ? 0 : (x * tail) / ((1 + tail) * (1 + tail));
  };
  const probability = -Math.expm1(a - b) / ((1 + Math.exp(a)) * (1 + Math.exp(-b)));
  return probability > 0 ? (weighted(a) - weighted(b)) / probability : 0;
}
