import { ScaleMap } from "../../bijections/index.ts";
import { logisticQuantile } from "../../distributions/index.ts";
import { LOGARITHM, logOneMinusExp, Parameter, type Tensor } from "../../graph/index.ts";
import { isLattice, type Numeric } from "./heads/columnHead.ts";
import { CENTER_DOMAIN, type Centers, missingCenters } from "./kernelCenters.ts";

/** The ratio of one bandwidth to the next before the fit: two steps are a factor of 10. */
const BANDWIDTH_RATIO = Math.sqrt(10);
/** Stands for the infinite edges of the first and the last cell of a lattice, because Infinity - Infinity would be NaN. */
const OUTERMOST_EDGE = 1e15;
/** Standardized values have at most this size, so that they are finite, and far from missing centers. */
const LARGEST_VALUE = 1e28;
/** The distance of a missing center, which has no smooth kernel, from the mean: its kernel is 0 at all values. */
const MISSING_CENTER_OFFSET = 1e30;

/** The bandwidths of the kernels of a column before the fit, from the largest downward. */
export const initialBandwidths = (count: number, largest: number): number[] =>
  Array.from({ length: count }, (_, w) => largest * BANDWIDTH_RATIO ** -w);

/** Kernels with W bandwidths around n centers, at N values x. */
export interface KernelValues {
  /** The quotients of the kernels by their peaks, [W, n, N]. */
  readonly kernel: Tensor;
  /** The logarithms of the peaks, in the units of x: [W, 1, N]. */
  readonly logPeak: Tensor;
  /** [1, N], which values have kernels: atoms of a continuous column and missing values have none. */
  readonly isSmooth: Tensor;
}

/**
 * The smooth kernels of a numeric column of a `KernelDensity`, for each of W widths s and centers c:
 *
 *     K((y(x) - y_s(c)) / h_s) dy/dx / h_s,   y_s(c) = mu + a_s (y(c) - mu),
 *
 * where K is the standard logistic density and y the scale of the column. A cell of a lattice has the probability of K between its edges.
 * The factors a_s, from 0 to 1, move the centers of wide kernels towards their mean mu, because kernels around the rows themselves have a
 * larger variance than the rows (West, 1993, Approximating posterior distributions by mixtures).
 */
export class SmoothKernels {
  readonly head: Numeric;
  /** [W] log h_s. */
  readonly logBandwidths: Parameter;
  /** [W] a_s. */
  readonly centerFactors: Parameter;
  /** [1] mu. */
  readonly centerMean: Parameter;
  private readonly W: number;
  private readonly scale: ScaleMap;

  constructor(head: Numeric, widths: number) {
    this.head = head;
    this.W = widths;
    this.scale = new ScaleMap([head.scale]);
    const { x } = head.knots;
    const bandwidths = initialBandwidths(widths, (x[x.length - 1] - x[0]) / 4);
    const fixed = { trainable: false };
    this.logBandwidths = new Parameter([widths], bandwidths.map(Math.log), { ...fixed, domain: LOGARITHM });
    this.centerFactors = new Parameter([widths], 1, { ...fixed, domain: { min: 0, max: 1 } });
    this.centerMean = new Parameter([1], 0, { ...fixed, domain: CENTER_DOMAIN });
  }

  /** The kernels around y_s(c), or with `moved: false` around y(c), at values x [1, N]. */
  at(x: Tensor, centers: Centers, { moved = true } = {}): KernelValues {
    const { head, scale } = this;
    const isPresent = x.equal(x);
    const value = isPresent.where(x, 0);
    const logBandwidths = this.ofWidths(this.logBandwidths);
    const inverse = logBandwidths.neg().exp();
    const offsets = this.offsets(centers, moved).mul(inverse);
    // Both terms are divided by the bandwidths before they are subtracted, so that only one operation has W n N results. They are
    // relative to the mean, because the difference of large numbers would not be precise.
    const standardized = (y: Tensor) =>
      asRow(y.sub(this.mean)).mul(inverse).clip(-LARGEST_VALUE, LARGEST_VALUE).sub(offsets);
    if (isLattice(head)) {
      const cell = value.stopGradient();
      const low = cell.lessEqual(0).where(-OUTERMOST_EDGE, scale.forward(cell.sub(0.5)).value);
      const high = cell
        .greaterEqual(head.cells - 1)
        .where(OUTERMOST_EDGE, scale.forward(cell.add(0.5)).value);
      // sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)), without cancellation.
      const lowFactor = standardized(low).exp().add(1);
      const highFactor = standardized(high).neg().exp().add(1);
      const logPeak = logOneMinusExp(asRow(high.sub(low)).mul(inverse));
      return { kernel: lowFactor.mul(highFactor).reciprocal(), logPeak, isSmooth: isPresent };
    }
    const { value: y, logSlope } = scale.forward(value);
    const tail = standardized(y).abs().neg().exp();
    const isSmooth = head.atoms.reduce((smooth, atom) => smooth.and(value.equal(atom).not()), isPresent);
    return { kernel: tail.div(tail.add(1).square()), logPeak: asRow(logSlope).sub(logBandwidths), isSmooth };
  }

  /** Values [1, N], drawn by uniform numbers [1, N] from the kernels around centers [1, N]. `select` chooses from [W] the one of each row. */
  sample(uniform: Tensor, center: Tensor, select: (ofWidths: Tensor) => Tensor): Tensor {
    const { head, scale, mean } = this;
    const offset = scale.forward(center).value.sub(mean);
    const y = offset.mul(select(this.centerFactors)).add(mean);
    const x = scale.inverse(y.add(logisticQuantile(uniform).mul(select(this.logBandwidths.exp())))).value;
    if (!isLattice(head)) return x;
    const cell = x.add(0.5).floor();
    return cell.maximum(0).minimum(head.cells - 1);
  }

  /** log dy/dx at x [1, N], the logarithm of the ratio of a density of x to that of y. 0 for a lattice, which has probabilities. */
  logSlope(x: Tensor): Tensor {
    return isLattice(this.head) ? x.mul(0) : this.scale.forward(x).logSlope;
  }

  /** y_s(c) - mu, [W, n, 1], or y(c) - mu, [1, n, 1]. */
  private offsets(centers: Centers, moved: boolean): Tensor {
    const { count, values } = centers;
    const y = this.scale.forward(values.reshape([1, count])).value;
    const offsets = y.sub(this.mean).reshape([1, count, 1]);
    return missingCenters(centers)
      .greater(0)
      .where(MISSING_CENTER_OFFSET, moved ? offsets.mul(this.ofWidths(this.centerFactors)) : offsets);
  }

  private get mean(): Tensor {
    return this.centerMean.reshape([1, 1]);
  }

  private ofWidths(numbers: Tensor): Tensor {
    return numbers.reshape([this.W, 1, 1]);
  }
}

/** Numbers [1, N] as [1, 1, N]. */
const asRow = (numbers: Tensor): Tensor => numbers.reshape([1, 1, numbers.shape[1]]);
