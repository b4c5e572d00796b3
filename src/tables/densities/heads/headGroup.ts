import { chooseComponent, logisticQuantile, MAX_UNIFORM } from "../../../distributions/index.ts";
import { concat, constant, filled, scalar, stack, Tensor } from "../../../graph/index.ts";
import { atomsOf, type ColumnHead, isCategorical, isLattice, isNumeric, type Lattice } from "./columnHead.ts";
import { likeColumns, padded, positions, withSecondAxis } from "./columnShapes.ts";
import { isolatedAtoms } from "./isolatedAtoms.ts";
import { type ComponentParameters, LogisticComponents } from "./logisticComponents.ts";

/** Log-scales of components are clamped smoothly to +-6, so that scales and their inverses are at most e^6 = 403. */
export const LOG_SCALE_BOUND = 6;
/** Locations of components are clamped smoothly to +-20, far outside the range of z, which is approximately standard logistic. */
export const LOCATION_BOUND = 20;
/** Subtracting this from a logit makes the probability 0. */
const IMPOSSIBLE_PENALTY = 1e30;
/** The probability of values that training did not see; 0 for continuous columns. */
const unseenOf = (head: ColumnHead): number => (head.type === "continuous" ? 0 : head.unseen);

/**
 * The conditional distributions of S columns that have the same `formulaKey`, computed together because a few large operations are
 * faster than many small ones. Each is a mixture of
 *
 * - A atoms: the categories, or the single values of a number that have a probability of their own. In columns with `gaps` the last
 *   atom is the missing value (NaN).
 * - K logistic distributions, the components, of z = map(y(x)) with the `ScaleMap` and the `QuantileMap` of the column; a categorical
 *   column has none. A `MixedGaussianMixture` has one normal distribution in their place (`ComponentParameters.isNormal`).
 *
 * The network computes a logit of each atom and component, and a location and a log-scale of each component. In a lattice, the
 * probability of a cell under a component is the mass between the edges of the cell.
 *
 * Columns with fewer atoms or knots than others are padded. The padding has no effect: it is never the value of a column, and as an atom it
 * has the probability 0, whatever its logit is.
 *
 * In the shapes, N is the number of rows of the table. It is the last axis, because the runtime is fastest if that one is long.
 */
export class HeadGroup {
  readonly heads: readonly ColumnHead[];
  /** Parameters of each column, with padding: A + K logits, K locations and K log-scales. */
  readonly parameterCount: number;
  /** Numbers that encode the value of each column, with padding. */
  readonly inputCount: number;
  readonly type: ColumnHead["type"];
  /** Whether the missing value has a logit. False for columns that share the gap of an earlier one. */
  readonly hasMissingAtom: boolean;
  /** The number of atoms without the missing value. */
  private readonly valueCount: number;
  /** A, the number of atoms. */
  private readonly atomCount: number;
  /** K, the number of components. */
  readonly componentCount: number;
  /** The atoms [S, valueCount, 1], without the missing value. Undefined if there are none. */
  private readonly atoms: Tensor | undefined;
  /** `[S, A + K]`: the number subtracted from each logit, `IMPOSSIBLE_PENALTY` for padding and else 0. Undefined without padding. */
  private readonly penalties: Tensor | undefined;
  /** Undefined for categorical columns. */
  readonly components: LogisticComponents | undefined;
  /** `[S, 1]`: log(1 - unseen), the weight of the atoms and components. Undefined if `unseen` is 0. */
  private readonly logSeen: Tensor | undefined;
  /** `[S, 1]`: log(unseen). Undefined if `unseen` is 0. */
  private readonly logUnseen: Tensor | undefined;
  /**
   * `[S, 1]`: log(unseen / cells), the logarithm of the part of `unseen` that each cell gets. Undefined if `unseen` is 0, and for other
   * columns than lattices.
   */
  private readonly logUnseenCell: Tensor | undefined;

  constructor(heads: readonly ColumnHead[]) {
    const [head] = heads;
    this.heads = heads;
    this.type = head.type;
    this.hasMissingAtom = head.gaps;
    const atoms = heads.map(atomsOf);
    const valueCount = Math.max(...atoms.map(({ length }) => length));
    this.valueCount = valueCount;
    this.atomCount = valueCount + (this.hasMissingAtom ? 1 : 0);
    this.components = isNumeric(head) ? new LogisticComponents(heads.filter(isNumeric)) : undefined;
    this.componentCount = this.components?.count ?? 0;
    this.parameterCount = this.atomCount + 3 * this.componentCount;
    if (valueCount > 0) {
      const values = atoms.flatMap((ofColumn) => padded(ofColumn, valueCount));
      this.atoms = constant(values, [heads.length, valueCount, 1]);
    }
    if (atoms.some(({ length }) => length < valueCount)) {
      const logitCount = this.atomCount + this.componentCount;
      const penalties = atoms.flatMap(({ length }) =>
        positions(0, logitCount).map((i) => (i >= length && i < valueCount ? IMPOSSIBLE_PENALTY : 0)),
      );
      this.penalties = constant(penalties, [heads.length, logitCount]);
    }
    if (unseenOf(head) > 0) {
      const perColumn = (number: (head: ColumnHead) => number) =>
        constant(heads.map(number), [heads.length, 1]);
      this.logSeen = perColumn((each) => Math.log1p(-unseenOf(each)));
      this.logUnseen = perColumn((each) => Math.log(unseenOf(each)));
      if (isLattice(head))
        this.logUnseenCell = perColumn((each) => Math.log(unseenOf(each) / (each as Lattice).cells));
    }
    this.inputCount = 1 + this.atomCount + (this.components?.inputCount ?? 0);
  }

  /** The positions of the parameters of column i of the group among `parameterCount`, without padding. */
  parameterPositions(i: number): number[] {
    const values = positions(0, atomsOf(this.heads[i]).length);
    return [...values, ...positions(this.valueCount, this.parameterCount)];
  }

  /** The positions of the encoding of column i of the group among `inputCount`, without padding. */
  inputPositions(i: number): number[] {
    const { atomCount, valueCount } = this;
    const ofValues = positions(0, 1 + atomsOf(this.heads[i]).length);
    const ofGap = positions(1 + valueCount, 1 + atomCount);
    const ofComponents = this.components?.inputPositions(i) ?? [];
    return [...ofValues, ...ofGap, ...ofComponents.map((position) => 1 + atomCount + position)];
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
    if (this.hasMissingAtom) parts.push(isMissing.toFloat().reshape([S, 1, N]));
    if (this.components)
      parts.push(...this.components.encode(withoutNaN).map((encoding) => encoding.mul(presence)));
    return concat(parts, 1);
  }

  /**
   * Numbers x [S, N] on the linear scale of their column, on which the quartiles of the training rows are -log 3 and log 3. `isSmooth` is 1
   * for values that have a density or are cells of a lattice, and 0 for `isolatedAtoms` and missing values, whose score is 0. Requires
   * linear components.
   */
  linearScores(x: Tensor): { scores: Tensor; isSmooth: Tensor } {
    const { isPresent, withoutNaN } = replaceMissing(x);
    const isolated = this.heads.map(isolatedAtoms);
    const size = Math.max(...isolated.map(({ length }) => length));
    const values = isolated.flatMap((ofColumn) => padded(ofColumn, size));
    const atoms = size > 0 ? constant(values, [isolated.length, size, 1]) : undefined;
    const isAtom = atoms && withSecondAxis(withoutNaN).equal(atoms).toFloat().sum(1).greater(0);
    const isSmooth = (isAtom ? isPresent.and(isAtom.not()) : isPresent).toFloat();
    return { scores: this.components!.linearScores(withoutNaN).mul(isSmooth), isSmooth };
  }

  /**
   * log p of values x [S, ..., N] for the outputs of the network [S, parameterCount, ..., N]. The axes `..., N` are broadcast: x
   * [S, 1, N] and outputs [S, parameterCount, C, 1] give log p of each value for each of C distributions, [S, C, N]. It is
   * -Infinity outside the support, and NaN where x is NaN and the column has no gaps.
   */
  logProb(x: Tensor, outputs: HeadOutputs): Tensor {
    const { isPresent, isMissing, withoutNaN } = replaceMissing(x);
    const parameters = this.split(outputs);
    const { logits } = parameters;
    const logTotal = logits.logsumexp(1);
    const logProb = this.logUnnormalized(withoutNaN, parameters, logTotal).sub(logTotal);
    if (!this.hasMissingAtom) return isPresent.where(logProb, Number.NaN);
    return isMissing.where(this.logMissing(logits, x), logProb);
  }

  /**
   * log P(|X - x| <= r) of values x [S, N] with radii r [S, 1], for the outputs of the network [S, parameterCount, N]: [S, N]. A label or a
   * missing value has its log p, whatever the radius. It is -Infinity for values outside the support.
   */
  logMass(x: Tensor, radii: Tensor, outputs: HeadOutputs): Tensor {
    if (this.type === "categorical") return this.logProb(x, outputs);
    const { isPresent, isMissing, withoutNaN } = replaceMissing(x);
    const { logits, ofComponents } = this.split(outputs);
    const window = this.type === "lattice" ? radii.floor() : radii;
    const [from, to] = [withoutNaN.sub(window), withoutNaN.add(window)];
    const logSmooth = this.components!.logInterval(from, to, ofComponents!);
    let logMass = logSmooth.add(this.componentLogits(logits)).logsumexp(1);
    if (this.atoms) {
      const isNear = withSecondAxis(withoutNaN).sub(this.atoms).abs().lessEqual(withSecondAxis(window));
      const atomLogits = logits.slice(1, 0, this.valueCount).sub(isNear.where(0, IMPOSSIBLE_PENALTY));
      logMass = logAddExp(logMass, atomLogits.logsumexp(1));
    }
    const logTotal = logits.logsumexp(1);
    logMass = logMass.sub(logTotal);
    if (this.logUnseenCell) {
      const cells = this.components!.cellsWithin(from, to);
      const ofCells = cells.log().add(likeColumns(this.logUnseenCell, x));
      logMass = logAddExp(logMass.add(likeColumns(this.logSeen!, x)), ofCells);
    }
    const inside = this.components!.contains(withoutNaN);
    if (inside) {
      // A bound of a scale can be an atom.
      const isAtom = this.atomAt(withoutNaN, logits)?.isAtom;
      logMass = (isAtom ? inside.or(isAtom) : inside).where(logMass, Number.NEGATIVE_INFINITY);
    }
    if (!this.hasMissingAtom) return isPresent.where(logMass, Number.NaN);
    return isMissing.where(this.logMissing(logits, x), logMass);
  }

  /** As `logProb` of the atoms without the missing value, [S, valueCount, ..., N], but with `unseen` = 0. */
  logAtoms(outputs: HeadOutputs): Tensor {
    const { logits } = this.split(outputs);
    return logits.slice(1, 0, this.valueCount).sub(withSecondAxis(logits.logsumexp(1)));
  }

  /** As `logProb` of a numeric column, but of the components only, without the atoms, and with `unseen` = 0. */
  logSmooth(x: Tensor, outputs: HeadOutputs): Tensor {
    const parameters = this.split(outputs);
    return this.logUnnormalizedSmooth(x, parameters).sub(parameters.logits.logsumexp(1));
  }

  /** log p(the value is not missing) for the outputs of the network [S, parameterCount, ..., N]: [S, ..., N]. */
  logPresent(outputs: HeadOutputs): Tensor {
    const { logits } = this.split(outputs);
    const [S, , ...rest] = logits.shape;
    if (!this.hasMissingAtom) return filled(0, [S, ...rest]);
    const logPresent = this.withoutMissing(logits).logsumexp(1).sub(logits.logsumexp(1));
    if (!this.logSeen) return logPresent;
    const logSeenAndPresent = logPresent.add(likeColumns(this.logSeen, logPresent));
    return logAddExp(logSeenAndPresent, likeColumns(this.logUnseen!, logPresent).broadcastTo([S, ...rest]));
  }

  /**
   * Values [S, N] for the outputs of the network and two uniform numbers, each [S, N]: one chooses an atom or a component, the other
   * is mapped by the quantile function of the chosen component. A normal component uses a third, normal number instead. If `present` is true,
   * no value is missing. Unseen categories, which have no value, are never sampled.
   */
  sample(
    [choice, quantile, normal]: readonly Tensor[],
    outputs: HeadOutputs,
    { present = false } = {},
  ): Tensor {
    const [S, N] = choice.shape;
    const { logits, ofComponents } = this.split(outputs);
    const { valueCount, atomCount } = this;
    const optionCount = atomCount + this.componentCount;
    const options = present ? this.withoutMissing(logits) : logits;
    const cellByUnseen = this.logUnseenCell && this.cellByUnseen(choice, outputs, { present });
    const chosen = chooseComponent(options, (cellByUnseen?.rest ?? choice).reshape([S, 1, N]), -2);
    /** The value of the chosen option. `values` has the values of the options `from` to `to - 1`. */
    const pick = (values: Tensor, from: number, to: number) => chosen.slice(1, from, to).mul(values).sum(1);
    let value: Tensor = scalar(0).broadcastTo([S, N]);
    const { components } = this;
    if (components) {
      const location = pick(ofComponents!.locations, atomCount, optionCount);
      const scale = pick(ofComponents!.logScales, atomCount, optionCount).exp();
      const isLinear = () =>
        chosen
          .slice(1, optionCount - components.linearCount, optionCount)
          .sum(1)
          .greater(0);
      const standard = ofComponents!.isNormal ? normal : logisticQuantile(quantile);
      value = components.valuesOf(location.add(scale.mul(standard)), isLinear);
    }
    if (this.atoms) {
      const isAtom = chosen.slice(1, 0, valueCount).sum(1).greater(0);
      value = isAtom.where(pick(this.atoms, 0, valueCount), value);
    }
    if (this.hasMissingAtom) {
      const isMissing = chosen.slice(1, valueCount, atomCount).reshape([S, N]).greater(0);
      value = isMissing.where(Number.NaN, value);
    }
    return cellByUnseen ? cellByUnseen.isChosen.where(components!.cellAt(quantile), value) : value;
  }

  /**
   * With probability `unseen`, a cell of a lattice is drawn uniformly. Returns where this happens, [S, N], and otherwise uniform numbers
   * for the choice of an atom or a component.
   */
  private cellByUnseen(
    choice: Tensor,
    outputs: HeadOutputs,
    { present }: { readonly present: boolean },
  ): { isChosen: Tensor; rest: Tensor } {
    const logUnseen = likeColumns(this.logUnseen!, choice);
    const unseen = (present ? logUnseen.sub(this.logPresent(outputs)) : logUnseen).exp();
    const rest = choice.sub(unseen).div(unseen.neg().add(1));
    return { isChosen: choice.less(unseen), rest: rest.clip(0, MAX_UNIFORM) };
  }

  /** The unnormalized log-probability of values that are not missing: log p + logTotal. */
  private logUnnormalized(x: Tensor, parameters: MixtureParameters, logTotal: Tensor): Tensor {
    const { logits } = parameters;
    const atom = this.atomAt(x, logits);
    if (this.type === "categorical") return this.logCategorical(x, atom!, logTotal);
    const logSmooth = this.logUnnormalizedSmooth(x, parameters);
    return this.type === "lattice"
      ? this.logLattice(x, atom, logSmooth, logTotal)
      : this.logContinuous(atom, logSmooth);
  }

  /** The unnormalized log-density of all components together, without the atoms. */
  private logUnnormalizedSmooth(x: Tensor, { logits, ofComponents }: MixtureParameters): Tensor {
    const logProbs = this.components!.logProb(x, ofComponents!);
    const weights = this.componentLogits(logits);
    if (!ofComponents!.isNormal) return logProbs.add(weights).logsumexp(1);
    // All components are the same distribution, so only the sum of their weights matters.
    const [S, , ...rest] = logProbs.shape;
    return logProbs.reshape([S, ...rest]).add(weights.logsumexp(1));
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
   * The probability of a cell is its probability under the components, plus the probability of the atom if the cell is an atom, plus its
   * part of `unseen`.
   */
  private logLattice(x: Tensor, atom: AtomAtValue | undefined, logSmooth: Tensor, logTotal: Tensor): Tensor {
    const isCell = this.components!.contains(x)!;
    let logCell = atom ? atom.isAtom.where(logAddExp(atom.logit, logSmooth), logSmooth) : logSmooth;
    if (this.logUnseenCell) {
      const unseen = logTotal.add(likeColumns(this.logUnseenCell, x));
      logCell = logAddExp(logCell.add(likeColumns(this.logSeen!, x)), unseen.broadcastTo(logCell.shape));
    }
    return isCell.where(logCell, Number.NEGATIVE_INFINITY);
  }

  /** The log-probability of a missing value. `x` has the axes of the result. */
  private logMissing(logits: Tensor, x: Tensor): Tensor {
    const logMissing = this.missingLogit(logits).sub(logits.logsumexp(1));
    return this.logSeen ? logMissing.add(likeColumns(this.logSeen, x)) : logMissing;
  }

  /** Whether x [S, ..., N] is an atom, and the logit of this atom. Undefined if no column has atoms. */
  private atomAt(x: Tensor, logits: Tensor): AtomAtValue | undefined {
    if (!this.atoms) return undefined;
    const values = withSecondAxis(x);
    const match = values.equal(likeColumns(this.atoms, values));
    return {
      isAtom: match.toFloat().sum(1).greater(0),
      logit: logitOfMatch(match, logits.slice(1, 0, this.valueCount)),
    };
  }

  private componentLogits(logits: Tensor): Tensor {
    return logits.slice(1, this.atomCount, this.atomCount + this.componentCount);
  }

  /** The logit of the missing value, without the second axis. */
  private missingLogit(logits: Tensor): Tensor {
    return logits.slice(1, this.valueCount, this.atomCount).sum(1);
  }

  /** The logits with the missing value made impossible. */
  private withoutMissing(logits: Tensor): Tensor {
    if (!this.hasMissingAtom) return logits;
    const { valueCount, atomCount, componentCount } = this;
    const missing = logits.slice(1, valueCount, atomCount).sub(IMPOSSIBLE_PENALTY);
    const components = componentCount > 0 ? [logits.slice(1, atomCount, atomCount + componentCount)] : [];
    return concat([logits.slice(1, 0, valueCount), missing, ...components], 1);
  }

  private split(outputs: HeadOutputs): MixtureParameters {
    if (!(outputs instanceof Tensor)) return outputs;
    const { atomCount, componentCount: K } = this;
    let logits = outputs.slice(1, 0, atomCount + K);
    if (this.penalties) logits = logits.sub(likeColumns(this.penalties, logits));
    if (K === 0) return { logits };
    const [, locations, logScales] = outputs.split(1, [atomCount + K, K, K]);
    const ofComponents = {
      locations: locations.softClamp(LOCATION_BOUND),
      logScales: logScales.softClamp(LOG_SCALE_BOUND),
    };
    return { logits, ofComponents };
  }
}

/** The parameters of the distributions of S columns. */
export interface MixtureParameters {
  /** [S, A + K, ..., N] */
  readonly logits: Tensor;
  /** Undefined if K = 0. */
  readonly ofComponents?: ComponentParameters;
}

/** The outputs of a network [S, parameterCount, ..., N], or parameters that were computed without a network. */
export type HeadOutputs = Tensor | MixtureParameters;

interface AtomAtValue {
  readonly isAtom: Tensor;
  readonly logit: Tensor;
}

/** The logit [S, ..., N] of the atom that a value equals. `match` [S, A, ..., N] is true for this atom. The logit is 0 if no atom matches. */
function logitOfMatch(match: Tensor, logits: Tensor): Tensor {
  const isProduct = logits.rank === 4 && logits.shape[3] === 1 && match.shape[2] === 1;
  if (!isProduct) return match.where(logits, 0).sum(1);
  // C distributions have the same logits [S, A, C, 1] for all rows, so a matrix product can avoid an array of size [S, A, C, N].
  const [S, A, C] = logits.shape;
  const N = match.shape[3];
  const ofRows = match.toFloat().reshape([S, A, N]);
  return logits.reshape([S, A, C]).matmul(ofRows, { transposeA: true });
}

/** log(exp(a) + exp(b)), of equal shapes. */
const logAddExp = (a: Tensor, b: Tensor): Tensor => stack([a, b], 0).logsumexp(0);

/** Which values are missing, and x with 0 in place of them, so that no NaN reaches a formula or its gradient. */
function replaceMissing(x: Tensor) {
  // Only NaN is different from itself.
  const isPresent = x.equal(x);
  return { isPresent, isMissing: isPresent.not(), withoutNaN: isPresent.where(x, 0) };
}
