import { concat, constant, filled, scalar, stack, type Tensor } from "../../graph/tensor.ts";
import { chooseComponent } from "../chooseComponent.ts";
import type { ColumnHead } from "./columnHead.ts";
import { QuantileMap } from "./quantileMap.ts";
import { ScaleMap } from "./valueScale.ts";

/** Log-scales of components are clamped smoothly to +-6, so that scales and their inverses are at most e^6 = 403. */
const LOG_SCALE_BOUND = 6;
/** Locations of components are clamped smoothly to +-20, where z is about standard logistic. */
const LOCATION_BOUND = 20;
/**
 * Stands for the infinite edge of the first and the last cell of a lattice, because Infinity - Infinity would be NaN. No component
 * has more than sigmoid(-(10,000 - 20) / 403) = 2e-11 of its mass beyond it, which float32 does not resolve.
 */
const OUTERMOST_EDGE = 1e4;
/** Subtracted from the logit of an outcome, this makes its probability 0. */
const IMPOSSIBLE_PENALTY = 1e30;
/** The encoded value z is clamped to +-5, because z of an outlier can be arbitrarily large. */
const ENCODED_BOUND = 5;

type Categorical = Extract<ColumnHead, { type: "categorical" }>;
type Lattice = Extract<ColumnHead, { type: "lattice" }>;
type Numeric = Exclude<ColumnHead, Categorical>;

const isCategorical = (head: ColumnHead): head is Categorical => head.type === "categorical";
const isLattice = (head: ColumnHead): head is Lattice => head.type === "lattice";
const isNumeric = (head: ColumnHead): head is Numeric => !isCategorical(head);

/** The single values that have a logit of their own. */
const atomsOf = (head: ColumnHead): readonly number[] =>
  isNumeric(head) ? head.atoms : Array.from({ length: head.categories }, (_, code) => code);

/** Numbers that the network computes for a column: a logit of each outcome, and a location and a log-scale of each component. */
export function parameterCount(head: ColumnHead): number {
  const values = isNumeric(head) ? head.atoms.length + 3 * head.components : head.categories;
  return values + (head.gaps ? 1 : 0);
}

/** Heads with equal keys have tensors of equal shapes and are computed as one group. */
export function groupKey(head: ColumnHead): string {
  if (!isNumeric(head)) return JSON.stringify([head.type, head.categories, head.gaps, head.unseen > 0]);
  const { type, atoms, components, scale, knots, gaps, periods } = head;
  return JSON.stringify([type, atoms.length, components, scale.type, knots.x.length, gaps, periods.length]);
}

/**
 * The conditional distributions of S columns that have the same `groupKey`, computed together because a few large operations are
 * faster than many small ones. Each is a mixture of
 *
 * - A atoms: the categories, or the single values of a number that have a probability of their own, and last the missing value
 *   (NaN) of a column with `gaps`
 * - K logistic distributions, the components, of z = map(y(x)) with the `ScaleMap` and the `QuantileMap` of the column; a categorical
 *   column has none
 *
 * The network gives their logits, locations and log-scales. A component gives a cell of a lattice the probability between its edges.
 *
 * Tensors are column-first, [S, ..., N], since the runtime is fastest along long rows.
 */
export class HeadGroup {
  readonly heads: readonly ColumnHead[];
  /** Numbers that the network computes for each column: A + K logits, K locations and K log-scales. */
  readonly parameterCount: number;
  /** Numbers that encode the value of a column for the network. */
  readonly inputCount: number;
  private readonly type: ColumnHead["type"];
  private readonly hasGaps: boolean;
  /** A without the missing value. */
  private readonly valueCount: number;
  /** A */
  private readonly atomCount: number;
  /** K */
  private readonly componentCount: number;
  /** The atoms [S, valueCount, 1], without the missing value. Undefined if there are none. */
  private readonly atoms: Tensor | undefined;
  private readonly scale: ScaleMap | undefined;
  private readonly map: QuantileMap | undefined;
  /** [S, 1]: log(1 - unseen), the logarithm of the probability that is left for all other outcomes. Undefined if `unseen` is 0. */
  private readonly logSeen: Tensor | undefined;
  /** [S, 1]: log(unseen). Undefined if `unseen` is 0. */
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
   * Encodes values x [S, N] for the network: [S, inputCount, N]. The first number is always 1. The masks of the network hide all
   * numbers of a column that comes later, so it tells whether the column comes earlier.
   */
  encode(x: Tensor): Tensor {
    const [S, N] = x.shape;
    const { isPresent, isMissing, filled } = replaceMissing(x);
    const values = filled.reshape([S, 1, N]);
    const presence = isPresent.toFloat().reshape([S, 1, N]);
    const parts: Tensor[] = [values.mul(0).add(1)];
    if (this.atoms) parts.push(values.equal(this.atoms).toFloat().mul(presence));
    if (this.hasGaps) parts.push(isMissing.toFloat().reshape([S, 1, N]));
    if (this.map) {
      const numeric = this.heads.filter(isNumeric);
      const perColumn = (numbers: readonly (readonly number[])[]) =>
        constant(numbers.flat(), [S, numbers[0].length, 1]);
      const y = this.scale!.forward(filled).value;
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
   * log p of values x [S, N] for the outputs of the network [S, parameterCount, N]: [S, N]. It is -Infinity outside the support, and
   * NaN where x is NaN and the column has no gaps.
   */
  logProb(x: Tensor, outputs: Tensor): Tensor {
    const [S, N] = x.shape;
    const { isPresent, isMissing, filled } = replaceMissing(x);
    const parameters = this.split(outputs);
    const { logits } = parameters;
    const logTotal = logits.logsumexp(1);
    const logProb = this.logUnnormalized(filled, parameters, logTotal).sub(logTotal);
    if (!this.hasGaps) return isPresent.where(logProb, Number.NaN);
    const missingLogit = logits.slice(1, this.valueCount, this.atomCount).reshape([S, N]);
    return isMissing.where(missingLogit.sub(logTotal).add(this.logSeen ?? 0), logProb);
  }

  /** log p(the value is not missing) for the outputs of the network [S, parameterCount, N]: [S, N]. */
  logPresent(outputs: Tensor): Tensor {
    const [S, , N] = outputs.shape;
    if (!this.hasGaps) return filled(0, [S, N]);
    const { logits } = this.split(outputs);
    const logPresent = this.withoutMissing(logits).logsumexp(1).sub(logits.logsumexp(1));
    if (!this.logSeen) return logPresent;
    return logAddExp(logPresent.add(this.logSeen), this.logUnseen!.broadcastTo([S, N]));
  }

  /**
   * Values [S, N] for the outputs of the network and two uniform numbers, each [S, N]: one chooses an atom or a component, the other
   * is the quantile of the component. With `present` no value is missing.
   */
  sample([choice, quantile]: readonly Tensor[], outputs: Tensor, { present = false } = {}): Tensor {
    const [S, N] = choice.shape;
    const { logits, locations, logScales } = this.split(outputs);
    const { valueCount, atomCount } = this;
    const optionCount = atomCount + this.componentCount;
    const options = present ? this.withoutMissing(logits) : logits;
    const chosen = chooseComponent(options, choice.reshape([S, 1, N]), -2);
    /** The element of `values` that belongs to the chosen option, where `values` are those of the options `from` to `to - 1`. */
    const pick = (values: Tensor, from: number, to: number) => chosen.slice(1, from, to).mul(values).sum(1);
    let value: Tensor = scalar(0).broadcastTo([S, N]);
    if (this.map) {
      const location = pick(locations!, atomCount, optionCount);
      const scale = pick(logScales!, atomCount, optionCount).exp();
      const logit = quantile.log().sub(quantile.neg().add(1).log());
      value = this.scale!.inverse(this.map.inverse(location.add(scale.mul(logit))));
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

  /** log p + logTotal of values that are not missing. */
  private logUnnormalized(x: Tensor, parameters: MixtureParameters, logTotal: Tensor): Tensor {
    const { logits } = parameters;
    const atom = this.atomAt(x, logits);
    if (this.type === "categorical") return this.logCategorical(x, atom!, logTotal);
    const weights = logits.slice(1, this.atomCount, this.atomCount + this.componentCount);
    const smooth = this.logComponents(x, parameters).add(weights).logsumexp(1);
    return this.type === "lattice" ? this.logLattice(x, atom, smooth) : this.logContinuous(x, atom, smooth);
  }

  /** A category has its logit, all unseen categories together the probability `unseen`, and other values are impossible. */
  private logCategorical(x: Tensor, { isAtom, logit }: AtomAtValue, logTotal: Tensor): Tensor {
    if (!this.logSeen) return isAtom.where(logit, Number.NEGATIVE_INFINITY);
    const categories = this.heads.filter(isCategorical).map((head) => head.categories);
    const isUnseen = x.equal(constant(categories, [categories.length, 1]));
    const unseen = logTotal.add(this.logUnseen!);
    return isAtom.where(logit.add(this.logSeen), isUnseen.where(unseen, Number.NEGATIVE_INFINITY));
  }

  /** An atom has its probability, and a density elsewhere: at an atom the density has no mass. */
  private logContinuous(x: Tensor, atom: AtomAtValue | undefined, smooth: Tensor): Tensor {
    const y = this.scale!.forward(x);
    const everywhere = smooth.add(this.map!.forward(y.value).logSlope).add(y.logSlope);
    const inside = this.scale!.contains(x);
    const density = inside ? inside.where(everywhere, Number.NEGATIVE_INFINITY) : everywhere;
    return atom ? atom.isAtom.where(atom.logit, density) : density;
  }

  /** A cell that is an atom has the probability of the atom and, as every cell, that of the components. */
  private logLattice(x: Tensor, atom: AtomAtValue | undefined, smooth: Tensor): Tensor {
    const isCell = x.equal(x.floor()).and(x.greaterEqual(0)).and(x.lessEqual(this.lastCells()));
    if (!atom) return isCell.where(smooth, Number.NEGATIVE_INFINITY);
    const both = logAddExp(atom.logit, smooth);
    return isCell.where(atom.isAtom.where(both, smooth), Number.NEGATIVE_INFINITY);
  }

  /** Whether x [S, N] is an atom, and the logit of this atom. Undefined if no column has atoms. */
  private atomAt(x: Tensor, logits: Tensor): AtomAtValue | undefined {
    if (!this.atoms) return undefined;
    const [S, N] = x.shape;
    const match = x.reshape([S, 1, N]).equal(this.atoms);
    return {
      isAtom: match.toFloat().sum(1).greater(0),
      logit: match.where(logits.slice(1, 0, this.valueCount), 0).sum(1),
    };
  }

  /** Log-density in z of each component at x, or for a lattice its log-probability of the cell x: [S, K, N]. */
  private logComponents(x: Tensor, { locations, logScales }: MixtureParameters): Tensor {
    const [S, N] = x.shape;
    const inverseScales = logScales!.neg().exp();
    const standardized = (z: Tensor) => z.reshape([S, 1, N]).sub(locations!).mul(inverseScales);
    if (this.type === "continuous") {
      const t = standardized(this.zOf(x));
      return t.neg().sub(logScales!).sub(t.neg().softplus().mul(2));
    }
    const low = x.lessEqual(0).where(-OUTERMOST_EDGE, this.zOf(x.sub(0.5)));
    const high = x.greaterEqual(this.lastCells()).where(OUTERMOST_EDGE, this.zOf(x.add(0.5)));
    // log(sigmoid(b) - sigmoid(a)) = log sigmoid(b) + log sigmoid(-a) + log(1 - exp(a - b)), without cancellation.
    const a = standardized(low);
    const b = standardized(high);
    const width = high.sub(low).reshape([S, 1, N]).mul(inverseScales);
    return width.neg().expm1().neg().log().sub(b.neg().softplus()).sub(a.softplus());
  }

  /** z = map(y(x)) of x [S, N]. */
  private zOf(x: Tensor): Tensor {
    return this.map!.forward(this.scale!.forward(x).value).value;
  }

  /** The last cell of each lattice, [S, 1]. */
  private lastCells(): Tensor {
    const cells = this.heads.filter(isLattice).map((head) => head.cells - 1);
    return constant(cells, [cells.length, 1]);
  }

  /** The logits, that of the missing value replaced by one of probability 0. */
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
  /** [S, A + K, N] */
  readonly logits: Tensor;
  /** [S, K, N]; undefined if K = 0. */
  readonly locations?: Tensor;
  readonly logScales?: Tensor;
}

interface AtomAtValue {
  readonly isAtom: Tensor;
  readonly logit: Tensor;
}

/** log(exp(a) + exp(b)), of equal shapes. */
const logAddExp = (a: Tensor, b: Tensor): Tensor => stack([a, b], 0).logsumexp(0);

/** Which values are missing, and x with 0 in place of them, so that no NaN reaches a formula or its gradient. */
function replaceMissing(x: Tensor) {
  const isPresent = x.equal(x);
  return { isPresent, isMissing: isPresent.not(), filled: isPresent.where(x, 0) };
}

/**
 * Outputs of the network [parameterCount] for which the distribution of a column is about that of `values`: atoms have their
 * frequencies, and the components are about standard logistic in total, as z is under the `QuantileMap`. NaN is a missing value.
 */
export function marginalParameters(head: ColumnHead, values: ArrayLike<number>): Float64Array {
  const atomRows = new Map<number, number>(atomsOf(head).map((atom) => [atom, 0]));
  let missingRows = 0;
  let otherRows = 0;
  for (let n = 0; n < values.length; n++) {
    const value = values[n];
    const rows = atomRows.get(value);
    if (Number.isNaN(value)) missingRows++;
    else if (rows === undefined) otherRows++;
    else atomRows.set(value, rows + 1);
  }
  // The components of a lattice give its atoms a probability too, so an atom and they start with half of these rows each.
  const atomFraction = head.type === "lattice" ? 0.5 : 1;
  // Half a row more for each outcome, so that no logit is -Infinity.
  const logits = [...atomRows.values()].map((rows) => Math.log(atomFraction * rows + 0.5));
  if (head.gaps) logits.push(Math.log(missingRows + 0.5));
  if (!isNumeric(head)) return Float64Array.from(logits);
  const K = head.components;
  const rowsOfAtoms = [...atomRows.values()].reduce((sum, rows) => sum + rows, 0);
  const componentLogit = Math.log((otherRows + (1 - atomFraction) * rowsOfAtoms + 0.5) / K);
  const outermost = K > 1 ? OUTERMOST_LOCATION : 0;
  const locations = Array.from({ length: K }, (_, k) => outermost * ((2 * k) / Math.max(1, K - 1) - 1));
  const logScale = K > 1 ? COMPONENT_LOG_SCALE : 0;
  return Float64Array.from([
    ...logits,
    ...new Array(K).fill(componentLogit),
    ...locations.map((location) => inverseSoftClamp(location, LOCATION_BOUND)),
    ...new Array(K).fill(inverseSoftClamp(logScale, LOG_SCALE_BOUND)),
  ]);
}

/** With these, equally weighted components at equal distances are in total close to a standard logistic distribution. */
const OUTERMOST_LOCATION = 1.5;
const COMPONENT_LOG_SCALE = Math.log(0.84);

/** The x with softClamp(x) = x / (1 + |x| / bound) = y. */
const inverseSoftClamp = (y: number, bound: number): number => y / (1 - Math.abs(y) / bound);
