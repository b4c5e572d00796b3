import { concat, constant, type Tensor } from "../../graph/tensor.ts";

/** An increasing map, given by its values and slopes at some points. */
export interface Knots {
  /** [J], ascending, in the units of the column. */
  readonly x: number[];
  /** [J], ascending: the values of the map. */
  readonly z: number[];
  /** [J], positive: the slopes of the map. */
  readonly slope: number[];
}

/** What the formula needs of a bin: its start on both axes, its size on both axes, and the slopes at its ends. */
const BIN_FIELDS = 6;

/**
 * Monotonic rational-quadratic splines (Durkan et al. 2019) through fixed knots: one for each of S columns, all with J knots,
 * J >= 2. Beyond its knots a map continues as a straight line with the slope of the outermost knot.
 *
 * With the knots of `quantileKnots` it maps the marginal distribution of a column to about a standard logistic distribution, so that the same
 * kind of mixture fits every column.
 */
export class QuantileMap {
  private readonly knotCount: number;
  /** [S, J, 1] */
  private readonly x: Tensor;
  private readonly z: Tensor;
  /** [S, 6, J - 1] */
  private readonly bins: Tensor;

  constructor(columns: readonly Knots[]) {
    const S = columns.length;
    const J = columns[0].x.length;
    this.knotCount = J;
    this.x = constant(
      columns.flatMap(({ x }) => x),
      [S, J, 1],
    );
    this.z = constant(
      columns.flatMap(({ z }) => z),
      [S, J, 1],
    );
    this.bins = constant(
      columns.flatMap(({ x, z, slope }) =>
        [starts(x), starts(z), sizes(x), sizes(z), starts(slope), slope.slice(1)].flat(),
      ),
      [S, BIN_FIELDS, J - 1],
    );
  }

  /** z and log dz/dx at x [S, N], both [S, N]. */
  forward(x: Tensor): { value: Tensor; logSlope: Tensor } {
    const { position: t, beyond, bin } = this.locate(x, this.x, "xStart", "xSize");
    const { zStart, xSize, zSize, slopeBefore, slopeAfter } = bin;
    const s = zSize.div(xSize);
    const r = t.neg().add(1);
    const c = slopeBefore.add(slopeAfter).sub(s.mul(2)).mul(t).mul(r).add(s);
    const numerator = s.mul(t).add(slopeBefore.mul(r)).mul(t);
    const slopes = slopeAfter.mul(t.square()).add(s.mul(2).mul(t).mul(r)).add(slopeBefore.mul(r.square()));
    const value = zStart.add(zSize.mul(numerator).div(c));
    const continued = beyond.mul(beyond.greater(0).where(slopeAfter, slopeBefore));
    return { value: value.add(continued), logSlope: s.div(c).square().mul(slopes).log() };
  }

  /** x at z [S, N]. */
  inverse(z: Tensor): Tensor {
    const { position, beyond, bin } = this.locate(z, this.z, "zStart", "zSize");
    const { xStart, xSize, zSize, slopeBefore, slopeAfter } = bin;
    const s = zSize.div(xSize);
    const above = position.mul(slopeBefore.add(slopeAfter).sub(s.mul(2)));
    // a t² + b t + c = 0, divided by the height of the bin. The root in this form has no cancellation.
    const a = s.sub(slopeBefore).add(above);
    const b = slopeBefore.sub(above);
    const c = s.mul(position).neg();
    const root = b.square().sub(a.mul(c).mul(4)).maximum(0).sqrt();
    const t = c.mul(-2).div(b.add(root));
    const continued = beyond.div(beyond.greater(0).where(slopeAfter, slopeBefore));
    return xStart.add(xSize.mul(t)).add(continued);
  }

  /** The bin of each element u [S, N] on one axis, the relative position in it, and how far u is beyond all knots. */
  private locate(u: Tensor, knots: Tensor, start: "xStart" | "zStart", size: "xSize" | "zSize") {
    const [S, N] = u.shape;
    const J = this.knotCount;
    const end = (knot: number) => knots.slice(1, knot, knot + 1).reshape([S, 1]);
    const inside = u.maximum(end(0)).minimum(end(J - 1));
    const row = inside.reshape([S, 1, N]);
    // 1 for the bin of u and 0 for the others, so that the product with the fields of all bins picks those of one exactly.
    const everywhere = row.mul(0).add(1);
    const reached = J > 2 ? row.greaterEqual(knots.slice(1, 1, J - 1)).toFloat() : undefined;
    const oneHot = reached ? concat([everywhere, reached], 1).sub(reached.pad(1, 0, 1)) : everywhere;
    const [xStart, zStart, xSize, zSize, slopeBefore, slopeAfter] = this.bins
      .matmul(oneHot)
      .split(1, new Array(BIN_FIELDS).fill(1))
      .map((field) => field.reshape([S, N]));
    const bin = { xStart, zStart, xSize, zSize, slopeBefore, slopeAfter };
    // Rounding can move a point of a narrow bin out of it.
    const position = inside.sub(bin[start]).div(bin[size]).maximum(0).minimum(1);
    return { position, beyond: u.sub(inside), bin };
  }
}

const starts = (values: readonly number[]): number[] => values.slice(0, -1);
const sizes = (values: readonly number[]): number[] => values.slice(1).map((value, i) => value - values[i]);
