import { concat, constant, type Tensor } from "../../../graph/index.ts";
import { padded } from "./columnShapes.ts";

/** The knots of one monotonic rational-quadratic spline z(x). */
export interface Knots {
  /** [J], ascending. */
  readonly x: number[];
  /** [J], ascending: the values of the map at `x`. */
  readonly z: number[];
  /** [J], positive: the derivatives dz/dx at `x`. */
  readonly slope: number[];
}

/** The number of fields of a `Bin`. */
const BIN_FIELDS = 6;

/** A value for each of the two axes, x and z, of a spline z(x). */
interface ByAxis<T> {
  readonly x: T;
  readonly z: T;
}

/** The bin of each element: where it starts on both axes, its sizes, and dz/dx at its ends. Each [S, N]. */
interface Bin {
  readonly xStart: Tensor;
  readonly zStart: Tensor;
  readonly xSize: Tensor;
  readonly zSize: Tensor;
  readonly startSlope: Tensor;
  readonly endSlope: Tensor;
}

/**
 * Monotonic rational-quadratic splines (Durkan et al. 2019), one for each of S columns, with at least 2 knots. The knots are
 * computed from the data and not trained. Outside its knots a spline continues as a straight line with the slope of the outermost
 * knot. N is the number of rows, and J the largest number of knots. Splines with fewer are padded by knots that no value reaches.
 *
 * With the knots of `quantileKnots` a spline maps the marginal distribution of a column approximately to a standard logistic distribution,
 * whatever the units and the shape of the column. The conditional distribution of every column can then be a mixture of logistic
 * components with locations and scales of the same order, as in `HeadGroup`.
 */
export class QuantileMap {
  /** [S, J - 2, 1], the knots on both axes without the outermost ones. Undefined if J = 2. */
  private readonly inner: ByAxis<Tensor> | undefined;
  /** The outermost knots on both axes, each [S, 1]. */
  private readonly first: ByAxis<Tensor>;
  private readonly last: ByAxis<Tensor>;
  /** [S, 6, J - 1], the fields of `Bin` in their order. */
  private readonly bins: Tensor;

  constructor(columns: readonly Knots[]) {
    const S = columns.length;
    const J = Math.max(...columns.map(({ x }) => x.length));
    const onBothAxes = (
      numbers: (knots: readonly number[]) => readonly number[],
      shape: readonly number[],
    ) => ({
      x: constant(
        columns.flatMap(({ x }) => numbers(x)),
        shape,
      ),
      z: constant(
        columns.flatMap(({ z }) => numbers(z)),
        shape,
      ),
    });
    this.first = onBothAxes((knots) => knots.slice(0, 1), [S, 1]);
    this.last = onBothAxes((knots) => knots.slice(-1), [S, 1]);
    if (J > 2) this.inner = onBothAxes((knots) => padded(knots.slice(1, -1), J - 2), [S, J - 2, 1]);
    this.bins = constant(
      columns.flatMap(({ x, z, slope }) =>
        [starts(x), starts(z), sizes(x), sizes(z), starts(slope), slope.slice(1)].flatMap((field) =>
          padded(field, J - 1, 0),
        ),
      ),
      [S, BIN_FIELDS, J - 1],
    );
  }

  /** z and log dz/dx at x [S, N], both [S, N]. */
  forward(x: Tensor): { value: Tensor; logSlope: Tensor } {
    const { position: t, outside, bin } = this.locate(x, "x");
    const { zStart, xSize, zSize, startSlope, endSlope } = bin;
    // With s = zSize / xSize, r = 1 - t, and the slopes d0 and d1 at the ends of the bin (Durkan et al., equations 4 and 5):
    //   z = zStart + zSize (s t^2 + d0 t r) / q    with q = s + (d0 + d1 - 2 s) t r
    //   dz/dx = (s / q)^2 (d1 t^2 + 2 s t r + d0 r^2)
    const s = zSize.div(xSize);
    const r = t.neg().add(1);
    const q = startSlope.add(endSlope).sub(s.mul(2)).mul(t).mul(r).add(s);
    const valueNumerator = s.mul(t).add(startSlope.mul(r)).mul(t);
    const slopeNumerator = endSlope
      .mul(t.square())
      .add(s.mul(2).mul(t).mul(r))
      .add(startSlope.mul(r.square()));
    // Outside the knots t is 0 or 1, so that these are the value and the slope of the outermost knot.
    const inside = zStart.add(zSize.mul(valueNumerator).div(q));
    const value = inside.add(outside.mul(outermostSlope(outside, bin)));
    return { value, logSlope: s.div(q).square().mul(slopeNumerator).log() };
  }

  /** The inverse map: x for each z, both [S, N]. */
  inverse(z: Tensor): Tensor {
    const { position, outside, bin } = this.locate(z, "z");
    const { xStart, xSize, zSize, startSlope, endSlope } = bin;
    const s = zSize.div(xSize);
    // The equation of `forward`, divided by zSize and solved for t: (s - b) t^2 + b t - s p = 0 with p = (z - zStart) / zSize.
    const b = startSlope.sub(position.mul(startSlope.add(endSlope).sub(s.mul(2))));
    const product = s.mul(position);
    // The discriminant is not negative, but rounding can make it slightly negative.
    const discriminant = b.square().add(product.mul(s.sub(b)).mul(4));
    const sum = b.abs().add(discriminant.maximum(0).sqrt());
    // With root = sqrt(discriminant), t = 2 s p / (b + root) = (root - b) / (2 (s - b)). The first form has no cancellation for b > 0, and
    // the second has none for b <= 0.
    const isPositive = b.greater(0);
    const t = isPositive.where(product.mul(2), sum).div(isPositive.where(sum, s.sub(b).mul(2)));
    return xStart.add(xSize.mul(t)).add(outside.div(outermostSlope(outside, bin)));
  }

  /**
   * The bin of each element u [S, N] of one axis, and the position of u in it, from 0 to 1. An element outside the knots gets the
   * outermost bin and position 0 or 1. `outside` is its signed distance from the nearest knot, and 0 for elements inside.
   */
  private locate(u: Tensor, axis: "x" | "z"): { position: Tensor; outside: Tensor; bin: Bin } {
    const [S, N] = u.shape;
    const clamped = u.maximum(this.first[axis]).minimum(this.last[axis]);
    // Graphs have no operation for a binary search. Instead, comparisons with all inner knots give ones up to the bin of u and
    // zeros after it, and the differences of neighbors are 1 for the bin of u only: 1 1 0 - 1 0 0 = 0 1 0. The product with this
    // one-hot vector picks the fields of the bin exactly.
    const row = clamped.reshape([S, 1, N]);
    const ones = row.mul(0).add(1);
    const reached = this.inner && row.greaterEqual(this.inner[axis]).toFloat();
    const oneHot = reached ? concat([ones, reached], 1).sub(reached.pad(1, 0, 1)) : ones;
    const [xStart, zStart, xSize, zSize, startSlope, endSlope] = this.bins
      .matmul(oneHot)
      .split(1, new Array(BIN_FIELDS).fill(1))
      .map((field) => field.reshape([S, N]));
    const [start, size] = axis === "x" ? [xStart, xSize] : [zStart, zSize];
    // Rounding can move a point of a narrow bin out of it.
    const position = clamped.sub(start).div(size).maximum(0).minimum(1);
    const bin = { xStart, zStart, xSize, zSize, startSlope, endSlope };
    return { position, outside: u.sub(clamped), bin };
  }
}

/** The slope of the straight line on the side of the knots where an element is. It has no effect inside, where `outside` is 0. */
const outermostSlope = (outside: Tensor, { startSlope, endSlope }: Bin): Tensor =>
  outside.greater(0).where(endSlope, startSlope);

const starts = (values: readonly number[]): number[] => values.slice(0, -1);
const sizes = (values: readonly number[]): number[] => values.slice(1).map((value, i) => value - values[i]);

/** The quartiles of a standard logistic distribution are -log 3 and log 3. */
const QUARTILE = Math.log(3);

/**
 * Knots of a straight line with the quartiles of a spline, found by linear interpolation between its knots. Values that the spline maps
 * to a standard logistic distribution have the same quartiles after this map. If the quartiles are equal, the line goes through the
 * outermost knots.
 */
export function linearKnots({ x, z }: Knots): Knots {
  const positionOf = (level: number): number => {
    const next = z.findIndex((each) => each >= level);
    if (next < 0) return x[x.length - 1];
    if (next === 0) return x[0];
    const fraction = (level - z[next - 1]) / (z[next] - z[next - 1]);
    return x[next - 1] + fraction * (x[next] - x[next - 1]);
  };
  const [low, high] = [positionOf(-QUARTILE), positionOf(QUARTILE)];
  const ends = high > low ? [low, high] : [x[0], x[x.length - 1]];
  const slope = (2 * QUARTILE) / (ends[1] - ends[0]);
  return { x: ends, z: [-QUARTILE, QUARTILE], slope: [slope, slope] };
}

/** The straight lines of `linearKnots`, z = slope (x - center), one for each of S columns. */
export class LinearMap {
  /** [S, 1] */
  private readonly center: Tensor;
  private readonly slope: Tensor;

  constructor(columns: readonly Knots[]) {
    const lines = columns.map(linearKnots);
    const perColumn = (numbers: number[]) => constant(numbers, [lines.length, 1]);
    this.center = perColumn(lines.map(({ x }) => (x[0] + x[1]) / 2));
    this.slope = perColumn(lines.map(({ slope }) => slope[0]));
  }

  /** z at x [S, N], [S, N], and log dz/dx, [S, 1]. */
  forward(x: Tensor): { value: Tensor; logSlope: Tensor } {
    return { value: x.sub(this.center).mul(this.slope), logSlope: this.slope.log() };
  }

  /** x at z, both [S, N]. */
  inverse(z: Tensor): Tensor {
    return z.div(this.slope).add(this.center);
  }
}
