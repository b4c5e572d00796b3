import type { Tensor } from "../graph/tensor.ts";
import { isLattice, type Numeric } from "./heads/columnHead.ts";
import type { ScaleMap } from "./heads/valueScale.ts";
import { logisticQuantile, logOneMinusExp } from "./logistic.ts";

/** The ratio of one width to the next: two steps are a factor of 10. */
const WIDTH_RATIO = Math.sqrt(10);
/** Stands for the infinite edges of the first and the last cell of a lattice, because Infinity - Infinity would be NaN. */
const OUTERMOST_EDGE = 1e15;

/** The widths s of the kernels in units of the bandwidth, from 1 downward. */
export const kernelWidths = (count: number): number[] =>
  Array.from({ length: count }, (_, w) => WIDTH_RATIO ** -w);

/** Logistic kernels of a column around n centers, with W widths, at values x [1, N]. */
export interface LogisticKernels {
  /** The quotients of the kernels by their peaks, [W, n, N]. */
  readonly kernel: Tensor;
  /** The logarithms of the peaks, in the units of x: [W, 1, N]. */
  readonly logPeak: Tensor;
  /** [1, N], which values have kernels: atoms of a continuous column and missing values have none. */
  readonly isSmooth: Tensor;
}

/** The kernels around centers y [1, n, 1], on the scale of the column, with the logarithms of their sizes h s, [W, 1, 1]. */
export function logisticKernels(
  x: Tensor,
  { head, scale, y, logSizes }: { head: Numeric; scale: ScaleMap; y: Tensor; logSizes: Tensor },
): LogisticKernels {
  const asRow = (numbers: Tensor) => numbers.reshape([1, 1, numbers.shape[1]]);
  const isPresent = x.equal(x);
  const value = isPresent.where(x, 0);
  const inverse = logSizes.neg().exp();
  const standardized = (at: Tensor) => asRow(at).sub(y).mul(inverse);
  if (isLattice(head)) {
    const cell = value.stopGradient();
    const low = cell.lessEqual(0).where(-OUTERMOST_EDGE, scale.forward(cell.sub(0.5)).value);
    const high = cell.greaterEqual(head.cells - 1).where(OUTERMOST_EDGE, scale.forward(cell.add(0.5)).value);
    // sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)), without cancellation.
    const lowFactor = standardized(low).exp().add(1);
    const highFactor = standardized(high).neg().exp().add(1);
    const logPeak = logOneMinusExp(asRow(high.sub(low)).mul(inverse));
    return { kernel: lowFactor.mul(highFactor).reciprocal(), logPeak, isSmooth: isPresent };
  }
  const { value: yOfValue, logSlope } = scale.forward(value);
  const tail = standardized(yOfValue).abs().neg().exp();
  const isSmooth = head.atoms.reduce((smooth, atom) => smooth.and(value.equal(atom).not()), isPresent);
  return { kernel: tail.div(tail.add(1).square()), logPeak: asRow(logSlope).sub(logSizes), isSmooth };
}

/** Values [1, N] drawn by uniform numbers from the kernels of these sizes h s around centers y, each [1, N]. */
export function sampleLogistic(
  uniform: Tensor,
  { head, scale, y, size }: { head: Numeric; scale: ScaleMap; y: Tensor; size: Tensor },
): Tensor {
  const x = scale.inverse(y.add(logisticQuantile(uniform).mul(size))).value;
  if (!isLattice(head)) return x;
  const cell = x.add(0.5).floor();
  return cell.maximum(0).minimum(head.cells - 1);
}
