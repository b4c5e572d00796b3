import { ScaleMap } from "../../../bijections/index.ts";
import { concat, constant, logOneMinusExp, type Tensor } from "../../../graph/index.ts";
import { isLattice, type Numeric } from "./columnHead.ts";
import { likeColumns, padded, positions, withSecondAxis } from "./columnShapes.ts";
import { LINEAR_SCORE_BOUND } from "./isolatedAtoms.ts";
import { type Knots, LinearMap, QuantileMap } from "./quantileMap.ts";

/**
 * The first and the last cell of a lattice end this far beyond their inner edges and beyond 0, in place of infinity, with which
 * `logisticCell` would compute Infinity - Infinity. No component has more than sigmoid(-(10,000 - 20) / 403) = 2e-11 of its mass there,
 * which float32 does not resolve.
 */
const OUTERMOST_CELL_SIZE = 1e4;
/** The encoded value z is clamped to +-5, because z of an outlier can be arbitrarily large. */
const ENCODED_BOUND = 5;

/** An increasing map z(y) of each column. */
type ColumnMap = QuantileMap | LinearMap;

/** Parameters of all components, each [S, K, ..., N]. */
export interface ComponentParameters {
  readonly locations: Tensor;
  readonly logScales: Tensor;
  /**
   * Whether all components of a continuous column are one normal distribution on the linear scale: its mean and the logarithm of its standard
   * deviation are [S, 1, ..., N]. `logInterval` does not support them. Default false.
   */
  readonly isNormal?: boolean;
}

/**
 * The K logistic distributions of S numeric columns that have the same `formulaKey`. They are distributions of z = map(y(x)) with the
 * `ScaleMap` and the `QuantileMap` of the column, and the last L of them of z = linear(y(x)) with a linear map. In a lattice, the
 * probability of a cell is the mass between its edges.
 */
export class LogisticComponents {
  /** K, the number of components. */
  readonly count: number;
  /** L, the number of components that are logistic in y. */
  readonly linearCount: number;
  /** Numbers that encode a value for the network. */
  readonly inputCount: number;
  /** The number of bins between the knots of each column, with padding. */
  private readonly binCount: number;
  private readonly heads: readonly Numeric[];
  private readonly scale: ScaleMap;
  private readonly map: QuantileMap;
  /** The linear map that brings y to the scale of z. Undefined if L = 0. */
  private readonly linear: LinearMap | undefined;
  /** The last cell of each lattice, [S, 1]; undefined for continuous columns. */
  private readonly lastCells: Tensor | undefined;

  constructor(heads: readonly Numeric[]) {
    const [head] = heads;
    this.heads = heads;
    this.count = head.components;
    this.linearCount = head.linearComponents;
    this.binCount = Math.max(...heads.map(({ knots }) => knots.x.length)) - 1;
    this.inputCount = this.binCount + 1 + 2 * head.periods.length;
    this.scale = new ScaleMap(heads.map(({ scale }) => scale));
    this.map = new QuantileMap(heads.map(({ knots }) => knots));
    if (this.linearCount > 0) this.linear = new LinearMap(heads.map(({ knots }) => knots));
    if (isLattice(head)) {
      const cells = heads.filter(isLattice).map((each) => each.cells - 1);
      this.lastCells = constant(cells, [cells.length, 1]);
    }
  }

  /** The positions of the encoding of column i of the group among `inputCount`, without padding. */
  inputPositions(i: number): number[] {
    const ofBins = positions(0, this.heads[i].knots.x.length - 1);
    return [...ofBins, ...positions(this.binCount, this.inputCount)];
  }

  /** Encodings of numbers x [S, N] for the network, which together are [S, inputCount, N]. */
  encode(x: Tensor): Tensor[] {
    const { heads } = this;
    const [S, N] = x.shape;
    const perColumn = (numbers: readonly (readonly number[])[]) =>
      constant(numbers.flat(), [S, numbers[0].length, 1]);
    const y = this.scale.forward(x).value;
    // Piecewise linear encoding (Gorishniy et al. 2022): the fraction of each bin that lies below the value.
    const ofBins = (numbers: (knots: Knots) => number[], padding?: number) =>
      perColumn(heads.map(({ knots }) => padded(numbers(knots), this.binCount, padding)));
    const starts = ofBins(({ x: ends }) => ends.slice(0, -1));
    const sizes = ofBins(({ x: ends }) => ends.slice(1).map((end, i) => end - ends[i]), 1);
    const below = y.reshape([S, 1, N]).sub(starts).div(sizes).maximum(0).minimum(1);
    const z = this.map.forward(y).value.maximum(-ENCODED_BOUND).minimum(ENCODED_BOUND);
    const parts = [below, z.reshape([S, 1, N])];
    if (heads[0].periods.length > 0) {
      const frequencies = heads.map(({ periods }) => periods.map((period) => (2 * Math.PI) / period));
      const phase = x.reshape([S, 1, N]).mul(perColumn(frequencies));
      parts.push(phase.sin(), phase.cos());
    }
    return parts;
  }

  /** The log-density of each component at x [S, ..., N], or for a lattice its log-probability of the cell x: [S, K, ..., N]. */
  logProb(x: Tensor, parameters: ComponentParameters): Tensor {
    if (this.lastCells) return this.logInterval(x, x, parameters);
    const ofOne = parameters.isNormal ? normalDensity : logisticDensity;
    const logDensity = (location: Tensor, logScale: Tensor, map: ColumnMap) =>
      ofOne(withSecondAxis(this.scores(x, map)), location, logScale).add(
        withSecondAxis(this.logSlope(x, map)),
      );
    if (parameters.isNormal) return logDensity(parameters.locations, parameters.logScales, this.linear!);
    return this.ofEach(parameters, logDensity);
  }

  /** The logarithm of the mass of each component on [from, to], in a lattice on the cells from `from` to `to`: [S, K, ..., N]. */
  logInterval(from: Tensor, to: Tensor, parameters: ComponentParameters): Tensor {
    return this.ofEach(parameters, (location, logScale, map) =>
      logisticCell(this.edges(from, to, map).map(withSecondAxis), location, logScale),
    );
  }

  /**
   * Whether x [S, ..., N] is in the support: a cell of a lattice, or a number inside of the bounds of a scale. Undefined for all numbers.
   */
  contains(x: Tensor): Tensor | undefined {
    if (!this.lastCells) return this.scale.contains(x);
    const isInRange = x.greaterEqual(0).and(x.lessEqual(likeColumns(this.lastCells, x)));
    return x.equal(x.floor()).and(isInRange);
  }

  /** How many cells of a lattice are among the cells from `from` to `to`, at least 1. */
  cellsWithin(from: Tensor, to: Tensor): Tensor {
    const last = likeColumns(this.lastCells!, to);
    return to.minimum(last).sub(from.maximum(0)).add(1).maximum(1);
  }

  /** The cells of a lattice for uniform numbers [S, N]: each is equally probable. */
  cellAt(uniform: Tensor): Tensor {
    const last = this.lastCells!;
    return uniform.mul(last.add(1)).floor().minimum(last);
  }

  /** The values x [S, N] of scores z [S, N]. `isLinear` returns where a score is one of the linear map instead of the quantile map. */
  valuesOf(z: Tensor, isLinear: () => Tensor): Tensor {
    let y = this.map.inverse(z);
    if (this.linear) y = isLinear().where(this.linear.inverse(z), y);
    const x = this.scale.inverse(y).value;
    return this.lastCells ? x.add(0.5).floor().maximum(0).minimum(this.lastCells) : x;
  }

  /** z = map(y(x)) of x [S, ..., N]. */
  scores(x: Tensor, map: ColumnMap = this.map): Tensor {
    const flat = x.reshape([x.shape[0], x.shape.at(-1)!]);
    return map.forward(this.scale.forward(flat).value).value.reshape(x.shape);
  }

  /** The scores of the linear map of x [S, N], between -15 and 15. Requires linear components. */
  linearScores(x: Tensor): Tensor {
    return this.scores(x, this.linear).clip(-LINEAR_SCORE_BOUND, LINEAR_SCORE_BOUND);
  }

  /** log dz/dx of x [S, ..., N], -Infinity outside of the bounds of the scale. */
  private logSlope(x: Tensor, map: ColumnMap): Tensor {
    const flat = x.reshape([x.shape[0], x.shape.at(-1)!]);
    const y = this.scale.forward(flat);
    const everywhere = map.forward(y.value).logSlope.add(y.logSlope);
    const inside = this.scale.contains(flat);
    const logSlope = inside ? inside.where(everywhere, Number.NEGATIVE_INFINITY) : everywhere;
    return logSlope.reshape(x.shape);
  }

  /** The scores of the ends of [from, to]; for lattices those of the low edge of the cell `from` and the high edge of `to`. */
  private edges(from: Tensor, to: Tensor, map: ColumnMap): [low: Tensor, high: Tensor] {
    if (!this.lastCells) return [this.scores(from, map), this.scores(to, map)];
    const isLast = to.greaterEqual(likeColumns(this.lastCells, to));
    const [low, high] = [this.scores(from.sub(0.5), map), this.scores(to.add(0.5), map)];
    return [
      from.lessEqual(0).where(high.abs().add(OUTERMOST_CELL_SIZE).neg(), low),
      isLast.where(low.abs().add(OUTERMOST_CELL_SIZE), high),
    ];
  }

  /** The results of `compute` for all components, [S, K, ..., N]. It gets the parameters of the components of one map. */
  private ofEach(
    { locations, logScales }: ComponentParameters,
    compute: (location: Tensor, logScale: Tensor, map: ColumnMap) => Tensor,
  ): Tensor {
    const [K, L] = [this.count, this.linearCount];
    const ofMap = (map: ColumnMap, from: number, to: number) =>
      compute(locations.slice(1, from, to), logScales.slice(1, from, to), map);
    const parts = [
      ...(K > L ? [ofMap(this.map, 0, K - L)] : []),
      ...(this.linear ? [ofMap(this.linear, K - L, K)] : []),
    ];
    return parts.length === 1 ? parts[0] : concat(parts, 1);
  }
}

/** Scores of normal components are clamped to +-1e12, so that the square of an outlier does not overflow in float32. */
const NORMAL_SCORE_BOUND = 1e12;

/** The log-density at z of normal distributions. */
function normalDensity(z: Tensor, means: Tensor, logDeviations: Tensor): Tensor {
  const t = z.clip(-NORMAL_SCORE_BOUND, NORMAL_SCORE_BOUND).sub(means).mul(logDeviations.neg().exp());
  return t
    .square()
    .mul(-0.5)
    .sub(logDeviations.add(0.5 * Math.log(2 * Math.PI)));
}

/** The log-density at z of logistic distributions. */
function logisticDensity(z: Tensor, locations: Tensor, logScales: Tensor): Tensor {
  const t = z.sub(locations).mul(logScales.neg().exp());
  return t.neg().sub(logScales).sub(t.neg().softplus().mul(2));
}

/**
 * The logarithm of the probability of logistic distributions between two edges: log(sigmoid(b) - sigmoid(a)) = log sigmoid(b) +
 * log sigmoid(-a) + log(1 - exp(a - b)), without cancellation.
 */
function logisticCell([low, high]: readonly Tensor[], locations: Tensor, logScales: Tensor): Tensor {
  const inverseScales = logScales.neg().exp();
  const [a, b] = [low, high].map((edge) => edge.sub(locations).mul(inverseScales));
  const width = high.sub(low).mul(inverseScales);
  return logOneMinusExp(width).sub(b.neg().softplus()).sub(a.softplus());
}
