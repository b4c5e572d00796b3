import { concat, constant, filled, scalar, stack, type Tensor } from "../../graph/tensor.ts";
import { chooseComponent } from "../chooseComponent.ts";
import {
  atomsOf,
  type ColumnHead,
  groupKey,
  isCategorical,
  isLattice,
  isNumeric,
  parameterCount,
} from "./columnHead.ts";
import { linearKnots, QuantileMap } from "./quantileMap.ts";
import { ScaleMap } from "./valueScale.ts";

/** Log-scales of components are clamped smoothly to +-6, so that scales and their inverses are at most e^6 = 403. */
export const LOG_SCALE_BOUND = 6;
/** Locations of components are clamped smoothly to +-20, far outside the range of z, which is approximately standard logistic. */
export const LOCATION_BOUND = 20;
/**
 * The first and the last cell of a lattice end this far beyond their inner edges and beyond 0, in place of infinity, with which
 * `logisticCell` would compute Infinity - Infinity. No component has more than sigmoid(-(10,000 - 20) / 403) = 2e-11 of its mass there,
 * which float32 does not resolve.
 */
const OUTERMOST_CELL_SIZE = 1e4;
/** Subtracting this from a logit makes the probability 0. */
const IMPOSSIBLE_PENALTY = 1e30;
/** The encoded value z is clamped to +-5, because z of an outlier can be arbitrarily large. */
const ENCODED_BOUND = 5;

/** Columns whose distributions are computed together. */
export interface ColumnGroup {
  readonly head: HeadGroup;
  /** The indices of the columns. */
  readonly columns: readonly number[];
}

/** Groups columns with these heads by `groupKey`. */
export function groupColumns(heads: readonly ColumnHead[]): ColumnGroup[] {
  const byKey = new Map<string, number[]>();
  for (const [i, head] of heads.entries()) {
    const key = groupKey(head);
    byKey.set(key, [...(byKey.get(key) ?? []), i]);
  }
  return [...byKey.values()].map((columns) => ({
    head: new HeadGroup(columns.map((i) => heads[i])),
    columns,
  }));
}

/**
 * The conditional distributions of S columns that have the same `groupKey`, computed together because a few large operations are
 * faster than many small ones. Each is a mixture of
 *
 * - A atoms: the categories, or the single values of a number that have a probability of their own. In columns with `gaps` the last
 *   atom is the missing value (NaN).
 * - K logistic distributions, the components, of z = map(y(x)) with the `ScaleMap` and the `QuantileMap` of the column; a categorical
 *   column has none.
 *
 * The network computes a logit of each atom and component, and a location and a log-scale of each component. In a lattice, the
 * probability of a cell under a component is the mass between the edges of the cell.
 *
 * In the shapes, N is the number of rows of the table. It is the last axis, because the runtime is fastest if that one is long.
 */
export class HeadGroup {
  readonly heads: readonly ColumnHead[];
  /** Numbers that the network computes for each column: A + K logits, K locations and K log-scales. */
  readonly parameterCount: number;
  /** Numbers that encode the value of a column for the network. */
  readonly inputCount: number;
  readonly type: ColumnHead["type"];
  /** Whether values can be missing. */
  readonly hasGaps: boolean;
  /** The number of atoms without the missing value. */
  private readonly valueCount: number;
  /** A, the number of atoms. */
  private readonly atomCount: number;
  /** K, the number of components. */
  private readonly componentCount: number;
  /** The atoms [S, valueCount, 1], without the missing value. Undefined if there are none. */
  private readonly atoms: Tensor | undefined;
  private readonly scale: ScaleMap | undefined;
  private readonly map: QuantileMap | undefined;
  /** L, the number of components that are logistic in y. */
  private readonly linearCount: number;
  /** The linear map that brings y to the scale of z, for these components. */
  private readonly linear: QuantileMap | undefined;
  /** `[S, 1]`: log(1 - unseen), the log-probability of all values that training saw, together. Undefined if `unseen` is 0. */
  private readonly logSeen: Tensor | undefined;
  /** `[S, 1]`: log(unseen). Undefined if `unseen` is 0. */
  private readonly logUnseen: Tensor | undefined;

  constructor(heads: readonly ColumnHead[]) {
    const [head] = heads;
    this.heads = heads;
    this.type = head.type;
    this.hasGaps = head.gaps;
    this.valueCount = atomsOf(head).length;
    this.atoms =
      this.valueCount > 0 ? constant(heads.flatMap(atomsOf), [heads.length, this.valueCount, 1]) : undefined;
    this.atomCount = this.valueCount + (this.hasGaps ? 1 : 0);
    this.componentCount = isNumeric(head) ? head.components : 0;
    this.parameterCount = parameterCount(head);
    const numeric = heads.filter(isNumeric);
    this.scale = isNumeric(head) ? new ScaleMap(numeric.map(({ scale }) => scale)) : undefined;
    this.map = isNumeric(head) ? new QuantileMap(numeric.map(({ knots }) => knots)) : undefined;
    this.linearCount = isNumeric(head) ? head.linearComponents : 0;
    this.linear =
      this.linearCount > 0 ? new QuantileMap(numeric.map(({ knots }) => linearKnots(knots))) : undefined;
    if (isCategorical(head) && head.unseen > 0) {
      const unseen = heads.filter(isCategorical).map((each) => each.unseen);
      const perColumn = (numbers: readonly number[]) => constant(numbers, [heads.length, 1]);
      this.logSeen = perColumn(unseen.map((probability) => Math.log1p(-probability)));
      this.logUnseen = perColumn(unseen.map(Math.log));
    }
    const bins = isNumeric(head) ? head.knots.x.length - 1 : 0;
    const numericInputs = isNumeric(head) ? bins + 1 + 2 * head.periods.length : 0;
    this.inputCount = 1 + this.atomCount + numericInputs;
  }

  /**
   * Encodes values x [S, N] for the network: [S, inputCount, N]. The first number is always 1. It tells the network which columns
   * come earlier in the ordering, because the masks set the inputs of later columns to 0.
   */
  encode(x: Tensor): Tensor {
    const [S, N] = x.shape;
    const { isPresent, isMissing, withoutNaN } = replaceMissing(x);
    const values = withoutNaN.reshape([S, 1, N]);
    const presence = isPresent.toFloat().reshape([S, 1, N]);
    const parts: Tensor[] = [values.mul(0).add(1)];
    if (this.atoms) parts.push(values.equal(this.atoms).toFloat().mul(presence));
    if (this.hasGaps) parts.push(isMissing.toFloat().reshape([S, 1, N]));
    if (this.map) {
      const numeric = this.heads.filter(isNumeric);
      const perColumn = (numbers: readonly (readonly number[])[]) =>
        constant(numbers.flat(), [S, numbers[0].length, 1]);
      const y = this.scale!.forward(withoutNaN).value;
      // Piecewise linear encoding (Gorishniy et al. 2022): the fraction of each bin that lies below the value.
      const starts = perColumn(numeric.map(({ knots }) => knots.x.slice(0, -1)));
      const sizes = perColumn(numeric.map(({ knots: { x } }) => x.slice(1).map((end, i) => end - x[i])));
      const below = y.reshape([S, 1, N]).sub(starts).div(sizes).maximum(0).minimum(1);
      parts.push(below.mul(presence));
      const z = this.map.forward(y).value.maximum(-ENCODED_BOUND).minimum(ENCODED_BOUND);
      parts.push(z.reshape([S, 1, N]).mul(presence));
      if (numeric[0].periods.length > 0) {
        const frequencies = numeric.map(({ periods }) => periods.map((period) => (2 * Math.PI) / period));
        const phase = values.mul(perColumn(frequencies));
        parts.push(phase.sin().mul(presence), phase.cos().mul(presence));
      }
    }
    return concat(parts, 1);
  }

  /**
   * log p of values x [S, ..., N] for the outputs of the network [S, parameterCount, ..., N]. The axes `..., N` are broadcast: x
   * [S, 1, N] and outputs [S, parameterCount, C, 1] give log p of each value for each of C distributions, [S, C, N]. It is
   * -Infinity outside the support, and NaN where x is NaN and the column has no gaps.
   */
  logProb(x: Tensor, outputs: Tensor): Tensor {
    const { isPresent, isMissing, withoutNaN } = replaceMissing(x);
    const parameters = this.split(outputs);
    const { logits } = parameters;
    const logTotal = logits.logsumexp(1);
    const logProb = this.logUnnormalized(withoutNaN, parameters, logTotal).sub(logTotal);
    if (!this.hasGaps) return isPresent.where(logProb, Number.NaN);
    const logMissing = logits.slice(1, this.valueCount, this.atomCount).sum(1).sub(logTotal);
    return isMissing.where(this.logSeen ? logMissing.add(likeColumns(this.logSeen, x)) : logMissing, logProb);
  }

  /** log p(the value is not missing) for the outputs of the network [S, parameterCount, ..., N]: [S, ..., N]. */
  logPresent(outputs: Tensor): Tensor {
    const [S, , ...rest] = outputs.shape;
    if (!this.hasGaps) return filled(0, [S, ...rest]);
    const { logits } = this.split(outputs);
    const logPresent = this.withoutMissing(logits).logsumexp(1).sub(logits.logsumexp(1));
    if (!this.logSeen) return logPresent;
    const logSeenAndPresent = logPresent.add(likeColumns(this.logSeen, logPresent));
    return logAddExp(logSeenAndPresent, likeColumns(this.logUnseen!, logPresent).broadcastTo([S, ...rest]));
  }

  /**
   * Values [S, N] for the outputs of the network and two uniform numbers, each [S, N]: one chooses an atom or a component, the other
   * is mapped by the quantile function of the chosen component. If `present` is true, no value is missing. Unseen categories are
   * never sampled.
   */
  sample([choice, quantile]: readonly Tensor[], outputs: Tensor, { present = false } = {}): Tensor {
    const [S, N] = choice.shape;
    const { logits, locations, logScales } = this.split(outputs);
    const { valueCount, atomCount } = this;
    const optionCount = atomCount + this.componentCount;
    const options = present ? this.withoutMissing(logits) : logits;
    const chosen = chooseComponent(options, choice.reshape([S, 1, N]), -2);
    /** The value of the chosen option. `values` has the values of the options `from` to `to - 1`. */
    const pick = (values: Tensor, from: number, to: number) => chosen.slice(1, from, to).mul(values).sum(1);
    let value: Tensor = scalar(0).broadcastTo([S, N]);
    if (this.map) {
      const location = pick(locations!, atomCount, optionCount);
      const scale = pick(logScales!, atomCount, optionCount).exp();
      const logit = quantile.log().sub(quantile.neg().add(1).log());
      const z = location.add(scale.mul(logit));
      let y = this.map.inverse(z);
      if (this.linear) {
        const isLinear = chosen
          .slice(1, optionCount - this.linearCount, optionCount)
          .sum(1)
          .greater(0);
        y = isLinear.where(this.linear.inverse(z), y);
      }
      value = this.scale!.inverse(y);
      if (this.type === "lattice") value = value.add(0.5).floor().maximum(0).minimum(this.lastCells());
    }
    if (this.atoms) {
      const isAtom = chosen.slice(1, 0, valueCount).sum(1).greater(0);
      value = isAtom.where(pick(this.atoms, 0, valueCount), value);
    }
    if (!this.hasGaps) return value;
    const isMissing = chosen.slice(1, valueCount, atomCount).reshape([S, N]).greater(0);
    return isMissing.where(Number.NaN, value);
  }

  /** The unnormalized log-probability of values that are not missing: log p + logTotal. */
  private logUnnormalized(x: Tensor, parameters: MixtureParameters, logTotal: Tensor): Tensor {
    const { logits } = parameters;
    const atom = this.atomAt(x, logits);
    if (this.type === "categorical") return this.logCategorical(x, atom!, logTotal);
    const weights = logits.slice(1, this.atomCount, this.atomCount + this.componentCount);
    const logSmooth = this.logComponents(x, parameters).add(weights).logsumexp(1);
    return this.type === "lattice"
      ? this.logLattice(x, atom, logSmooth)
      : this.logContinuous(atom, logSmooth);
  }

  /**
   * A category that training saw has its logit, and the code of all unseen categories has the probability `unseen`. Other values are
   * impossible.
   */
  private logCategorical(x: Tensor, { isAtom, logit }: AtomAtValue, logTotal: Tensor): Tensor {
    if (!this.logSeen) return isAtom.where(logit, Number.NEGATIVE_INFINITY);
    const categories = this.heads.filter(isCategorical).map((head) => head.categories);
    const isUnseen = x.equal(likeColumns(constant(categories, [categories.length, 1]), x));
    const unseen = logTotal.add(likeColumns(this.logUnseen!, x));
    return isAtom.where(
      logit.add(likeColumns(this.logSeen, x)),
      isUnseen.where(unseen, Number.NEGATIVE_INFINITY),
    );
  }

  /** The logit of the atom at an atom, where the density has no mass, and the log-density elsewhere. */
  private logContinuous(atom: AtomAtValue | undefined, logDensity: Tensor): Tensor {
    return atom ? atom.isAtom.where(atom.logit, logDensity) : logDensity;
  }

  /**
   * The probability of a cell is its probability under the components, plus the probability of the atom if the cell is an atom.
   */
  private logLattice(x: Tensor, atom: AtomAtValue | undefined, logSmooth: Tensor): Tensor {
    const lastCells = likeColumns(this.lastCells(), x);
    const isCell = x.equal(x.floor()).and(x.greaterEqual(0)).and(x.lessEqual(lastCells));
    if (!atom) return isCell.where(logSmooth, Number.NEGATIVE_INFINITY);
    const logBoth = logAddExp(atom.logit, logSmooth);
    return isCell.where(atom.isAtom.where(logBoth, logSmooth), Number.NEGATIVE_INFINITY);
  }

  /** Whether x [S, ..., N] is an atom, and the logit of this atom. Undefined if no column has atoms. */
  private atomAt(x: Tensor, logits: Tensor): AtomAtValue | undefined {
    if (!this.atoms) return undefined;
    const values = withSecondAxis(x);
    const match = values.equal(likeColumns(this.atoms, values));
    return {
      isAtom: match.toFloat().sum(1).greater(0),
      logit: match.where(logits.slice(1, 0, this.valueCount), 0).sum(1),
    };
  }

  /** Log-density of each component at x, or for a lattice its log-probability of the cell x: [S, K, ..., N]. */
  private logComponents(x: Tensor, { locations, logScales }: MixtureParameters): Tensor {
    const componentsUnder = (map: QuantileMap, from: number, to: number): Tensor => {
      const [location, logScale] = [locations!, logScales!].map((each) => each.slice(1, from, to));
      if (this.type === "lattice")
        return logisticCell(this.edges(x, map).map(withSecondAxis), location, logScale);
      const density = logisticDensity(withSecondAxis(this.scores(x, map)), location, logScale);
      return density.add(withSecondAxis(this.logSlope(x, map)));
    };
    const [K, L] = [this.componentCount, this.linearCount];
    const parts = [
      ...(K > L ? [componentsUnder(this.map!, 0, K - L)] : []),
      ...(this.linear ? [componentsUnder(this.linear, K - L, K)] : []),
    ];
    return parts.length === 1 ? parts[0] : concat(parts, 1);
  }

  /** z = map(y(x)) of the values x [S, ..., N] of numeric columns. */
  scores(x: Tensor, map: QuantileMap = this.map!): Tensor {
    const flat = x.reshape([x.shape[0], x.shape.at(-1)!]);
    return map.forward(this.scale!.forward(flat).value).value.reshape(x.shape);
  }

  /** log dz/dx of the values x [S, ..., N] of continuous columns, -Infinity outside the bounds of the scale. */
  logSlope(x: Tensor, map: QuantileMap = this.map!): Tensor {
    const flat = x.reshape([x.shape[0], x.shape.at(-1)!]);
    const y = this.scale!.forward(flat);
    const everywhere = map.forward(y.value).logSlope.add(y.logSlope);
    const inside = this.scale!.contains(flat);
    const logSlope = inside ? inside.where(everywhere, Number.NEGATIVE_INFINITY) : everywhere;
    return logSlope.reshape(x.shape);
  }

  /** The scores of the low and the high edge of the cells x [S, ..., N] of lattices. */
  edges(x: Tensor, map: QuantileMap = this.map!): [low: Tensor, high: Tensor] {
    const isLast = x.greaterEqual(likeColumns(this.lastCells(), x));
    const [low, high] = [this.scores(x.sub(0.5), map), this.scores(x.add(0.5), map)];
    return [
      x.lessEqual(0).where(high.abs().add(OUTERMOST_CELL_SIZE).neg(), low),
      isLast.where(low.abs().add(OUTERMOST_CELL_SIZE), high),
    ];
  }

  /** The last cell of each lattice, [S, 1]. */
  private lastCells(): Tensor {
    const cells = this.heads.filter(isLattice).map((head) => head.cells - 1);
    return constant(cells, [cells.length, 1]);
  }

  /** The logits with the missing value made impossible. */
  private withoutMissing(logits: Tensor): Tensor {
    if (!this.hasGaps) return logits;
    const { valueCount, atomCount, componentCount } = this;
    const missing = logits.slice(1, valueCount, atomCount).sub(IMPOSSIBLE_PENALTY);
    const components = componentCount > 0 ? [logits.slice(1, atomCount, atomCount + componentCount)] : [];
    return concat([logits.slice(1, 0, valueCount), missing, ...components], 1);
  }

  private split(outputs: Tensor): MixtureParameters {
    const { atomCount, componentCount: K } = this;
    const logits = outputs.slice(1, 0, atomCount + K);
    if (K === 0) return { logits };
    const [, locations, logScales] = outputs.split(1, [atomCount + K, K, K]);
    return {
      logits,
      locations: locations.softClamp(LOCATION_BOUND),
      logScales: logScales.softClamp(LOG_SCALE_BOUND),
    };
  }
}

interface MixtureParameters {
  /** [S, A + K, ..., N] */
  readonly logits: Tensor;
  /** [S, K, ..., N]; undefined if K = 0. */
  readonly locations?: Tensor;
  readonly logScales?: Tensor;
}

interface AtomAtValue {
  readonly isAtom: Tensor;
  readonly logit: Tensor;
}

/** The log-density at z of logistic distributions. */
export function logisticDensity(z: Tensor, locations: Tensor, logScales: Tensor): Tensor {
  const t = z.sub(locations).mul(logScales.neg().exp());
  return t.neg().sub(logScales).sub(t.neg().softplus().mul(2));
}

/**
 * The logarithm of the probability of logistic distributions between two edges: log(sigmoid(b) - sigmoid(a)) = log sigmoid(b) +
 * log sigmoid(-a) + log(1 - exp(a - b)), without cancellation.
 */
export function logisticCell([low, high]: readonly Tensor[], locations: Tensor, logScales: Tensor): Tensor {
  const inverseScales = logScales.neg().exp();
  const [a, b] = [low, high].map((edge) => edge.sub(locations).mul(inverseScales));
  const width = high.sub(low).mul(inverseScales);
  return width.neg().expm1().neg().log().sub(b.neg().softplus()).sub(a.softplus());
}

/** Numbers per column [S, ..., 1] with more axes of size 1 at the end, so that they have the rank of x and broadcast to it. */
const likeColumns = (numbers: Tensor, x: Tensor): Tensor =>
  numbers.reshape([...numbers.shape, ...new Array<1>(x.rank - numbers.rank).fill(1)]);

/** x [S, ...] as [S, 1, ...]. */
function withSecondAxis(x: Tensor): Tensor {
  const [S, ...rest] = x.shape;
  return x.reshape([S, 1, ...rest]);
}

/** log(exp(a) + exp(b)), of equal shapes. */
const logAddExp = (a: Tensor, b: Tensor): Tensor => stack([a, b], 0).logsumexp(0);

/** Which values are missing, and x with 0 in place of them, so that no NaN reaches a formula or its gradient. */
function replaceMissing(x: Tensor) {
  // Only NaN is different from itself.
  const isPresent = x.equal(x);
  return { isPresent, isMissing: isPresent.not(), withoutNaN: isPresent.where(x, 0) };
}
