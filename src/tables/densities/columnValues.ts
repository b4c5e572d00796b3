import { scaledValue, scaleSlope } from "../../bijections/index.ts";
import { weightedMean } from "../../numerics/index.ts";
import {
  atomsOf,
  type ColumnHead,
  isCategorical,
  isLattice,
  MISSING,
  NO_ATOM,
  valueCodes,
} from "./heads/columnHead.ts";
import type { Point } from "./logisticKernel.ts";

/** Replaces the infinite y of a value at a bound of the scale. Its distance from itself must be 0, and Infinity - Infinity is NaN. */
const LARGEST_Y = 1e30;

export interface AtomOfColumn extends Point {
  /** P_v, the probability of the atom under the marginal distribution. */
  readonly probability: number;
}

/** The points at which kernels are evaluated for a value: that of its smooth kernel, and its atom. Undefined if it has none. */
export interface PointsOfValue {
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
  /** [N], the weights of the rows. */
  readonly weights: Float64Array;
  /** [N], 1 where the value is missing together with the earlier one, else 0. Undefined if the column shares no gap. */
  readonly isMissing?: Float64Array;
  /** [N] log m(x), where m is the marginal distribution. */
  readonly logMarginal: ArrayLike<number>;
  /** [N] log f(x), where f is the smooth part of m, in the units of y. */
  readonly logSmooth: ArrayLike<number>;
  /** [A] the probabilities of the atoms under m. */
  readonly atomProbabilities: ArrayLike<number>;
}

/** The U distinct values of a column of N rows, in plain numbers on the scale y, for the fit of its kernels. */
export class ColumnValues {
  /** See `KernelColumnData`. */
  readonly isMissing: Float64Array | undefined;
  readonly isCategorical: boolean;
  readonly isLattice: boolean;
  /** [N] the index of the value of each row among the distinct values. */
  readonly indices: Int32Array;
  /** [U] the number of the atom or category, see `valueCodes`. */
  readonly codes: Int32Array;
  /** [U] y(x), or Infinity for missing values, which have no kernel. */
  readonly y: Float64Array;
  /**
   * mu, the mean of y, and its interquartile range, over the rows whose value is neither an atom nor at a bound. If there are no such rows,
   * they are those of all finite y.
   */
  readonly mean: number;
  readonly range: number;
  /** [U] y - mu, or 0 without a finite y. */
  readonly offsets: Float64Array;
  /** The number of rows with a finite y. */
  readonly finiteCount: number;
  /** [U] 1 / m, in the units of y for numbers of a continuous column. */
  readonly inverseMarginal: Float64Array;
  /** [U] f. */
  readonly smoothMarginal: Float64Array;
  readonly atoms: readonly AtomOfColumn[];
  /** [U] y at the edges of the cell of a lattice. */
  private readonly low: Float64Array;
  private readonly high: Float64Array;

  constructor({
    head,
    values,
    weights,
    isMissing,
    logMarginal,
    logSmooth,
    atomProbabilities,
  }: KernelColumnData) {
    this.isMissing = isMissing;
    this.isCategorical = isCategorical(head);
    this.isLattice = isLattice(head);
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
    this.inverseMarginal = Float64Array.from(rows, (n, u) => {
      const isDensity = head.type === "continuous" && this.codes[u] === NO_ATOM;
      return Math.exp((isDensity ? Math.log(scaleSlope(scale, values[n])) : 0) - logMarginal[n]);
    });
    const hasKernel = (y: number) => Math.abs(y) < LARGEST_Y;
    const ofRows = Float64Array.from(indices, (u) => this.y[u]);
    const finite = [...ofRows.keys()].filter((n) => hasKernel(ofRows[n]));
    const besideAtoms = finite.filter((n) => this.codes[indices[n]] === NO_ATOM);
    const ordinary = besideAtoms.length > 0 ? besideAtoms : finite;
    const ofOrdinary = Float64Array.from(ordinary, (n) => ofRows[n]);
    const ofWeights = Float64Array.from(ordinary, (n) => weights[n]);
    this.finiteCount = finite.length;
    this.mean = ordinary.length > 0 ? weightedMean(ofOrdinary, ofWeights) : 0;
    const sorted = ofOrdinary.sort();
    const quantile = (level: number) => sorted[Math.floor(level * (sorted.length - 1))] ?? 0;
    this.range = quantile(0.75) - quantile(0.25) || quantile(1) - quantile(0) || 1;
    this.offsets = this.y.map((y) => (hasKernel(y) ? y - this.mean : 0));
  }

  /**
   * The points at which value u has a smooth kernel and an atom. An atom of a continuous column has no smooth kernel, and categories and
   * missing values have neither.
   */
  pointsOf(u: number): PointsOfValue {
    const code = this.codes[u];
    const isNumber = !this.isCategorical && code !== MISSING;
    const hasKernel = isNumber && (this.isLattice || code === NO_ATOM);
    return {
      smooth: hasKernel ? { y: this.y[u], low: this.low[u], high: this.high[u] } : undefined,
      atom: isNumber && code >= 0 ? this.atoms[code] : undefined,
    };
  }
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
