import { chooseComponent, isMissing } from "../../distributions/index.ts";
import { concat, constant, filled, Parameter, type Tensor } from "../../graph/index.ts";
import type { Random } from "../../random/index.ts";
import { type ColumnHead, isCategorical, isNumeric, MISSING } from "./heads/columnHead.ts";
import { HeadGroup } from "./heads/headGroup.ts";
import { marginalParameters } from "./heads/marginalParameters.ts";
import {
  CENTER_DOMAIN,
  type Centers,
  categoriesOfCenters,
  type DistinctCenters,
  distinctCenters,
  initialCenters,
  missingCenters,
  possibleCenters,
} from "./kernelCenters.ts";
import type { ColumnBlock } from "./productMixture.ts";
import { SmoothKernels } from "./smoothKernels.ts";
import type { TwoStageChoice } from "./twoStageChoice.ts";

/** The lower bound of the logarithms of masses, so that their softmax has no NaN. */
const MIN_LOG_MASS = -1e30;
/**
 * The smallest logarithm of the smooth marginal density at a center. Where the density and the kernels of all atoms are smaller, the center
 * has only a smooth kernel.
 */
const MIN_LOG_SMOOTH = -200;
/**
 * The terms of p(x | c, s) are divided by a reference density of x: m(x), but at least e^-60 times the highest peak of a kernel.
 * So a quotient is at most e^60, which is finite in float32. Where the sum of the quotients is below `MIN_SUM`, only the term of
 * the marginal distribution counts.
 */
const MAX_LOG_QUOTIENT = 60;
/** About the smallest normal number of float32, e^-85. */
const MIN_SUM = 1e-37;

/**
 * The kernels of one column of a `KernelDensity` around n centers c, each with W widths s:
 *
 *     p(x | c, s) = (1 - lambda) K((y(x) - y_s(c)) / h_s) dy/dx / h_s + lambda m(x),
 *
 * where m(x) is the marginal distribution of the column, and K and the centers y_s(c) are those of `SmoothKernels`. If c is missing in a
 * numeric column, x = c has the probability 1 - lambda in place of the first term. In a categorical column, x = c, which may be the missing
 * value, has the probability (1 - lambda)(1 - unseen), and the code of all categories that training did not see has (1 - lambda) unseen.
 *
 * Near an atom v, which has the marginal probability P_v beside the smooth marginal density f, values are atoms as often as there are
 * atoms among the values near c: x = v has the probability (1 - lambda) b_v, and K is multiplied by 1 - sum_v b_v, where
 *
 *     b_v = P_v K_v / (f(c) + sum_u P_u K_u),   K_v = K((y(v) - y(c)) / h_s) / h_s.
 *
 * So a narrow kernel around an atom gives it a probability of nearly 1 - lambda, and a wide one spreads over the values around it.
 */
export class KernelColumn implements ColumnBlock {
  readonly columns: readonly number[];
  readonly head: ColumnHead;
  /** [n] the values of the centers; 0 where they are missing. Graphs may have them as constants, see `distinctCenters`. */
  readonly centers: Parameter;
  /** [n] 1 where the value of the center is missing, else 0. Undefined if the column has no gaps. */
  readonly missing: Parameter | undefined;
  /** The kernels of numbers. Undefined for categories. */
  readonly smooth: SmoothKernels | undefined;
  /** [1] logit of lambda. */
  readonly marginalLogit: Parameter;
  /** [P] the parameters of m(x), see `HeadGroup`. */
  readonly marginal: Parameter;
  private readonly group: HeadGroup;
  private readonly W: number;

  constructor(column: number, head: ColumnHead, size: { centers: number; widths: number }, random: Random) {
    this.columns = [column];
    this.head = head;
    this.group = new HeadGroup([head]);
    this.W = size.widths;
    const fixed = { trainable: false };
    this.centers = new Parameter([size.centers], () => initialCenters(head, size.centers, random), {
      ...fixed,
      domain: CENTER_DOMAIN,
    });
    if (head.gaps) this.missing = new Parameter([size.centers], 0, fixed);
    if (isNumeric(head)) this.smooth = new SmoothKernels(head, size.widths);
    this.marginalLogit = new Parameter([1], -2, { ...fixed, domain: { min: -20, max: 20 } });
    this.marginal = new Parameter(
      [this.group.parameterCount],
      () => marginalParameters(head, new Int32Array(0)),
      fixed,
    );
  }

  get hasMissingAtom(): boolean {
    return this.head.gaps;
  }

  /** log m(x) of values [1, N], [1, N]. */
  logMarginal(x: Tensor): Tensor {
    return this.group.logProb(x, this.marginalOutputs());
  }

  /** As `ColumnBlock.logProb`, with log m(x) [1, N]. */
  logProb(x: Tensor, logMarginal = this.logMarginal(x)): Tensor {
    const [, N] = x.shape;
    const [n] = this.centers.sizes;
    const { W } = this;
    const { sum, logOfMarginal, logReference, centers } = this.quotients(x, logMarginal);
    return ofAllCenters(logSumOr(sum, logOfMarginal).add(logReference), centers)
      .broadcastTo([W, n, N])
      .reshape([1, W * n, N]);
  }

  logMixture(x: Tensor, logWeights: Tensor): Tensor {
    const [, N] = x.shape;
    const [n] = this.centers.sizes;
    const { W } = this;
    const { sum, logOfMarginal, logReference, centers } = this.quotients(x, this.logMarginal(x));
    const [, , rows] = logWeights.shape;
    const weights = logWeights.exp();
    const ofComponents = ofAllCenters(sum, centers)
      .broadcastTo([W, n, N])
      .reshape([1, W * n, N]);
    const weighted =
      rows === 1
        ? weights.reshape([1, 1, W * n]).matmul(ofComponents)
        : weights.mul(ofComponents).sum(1, { keepAxes: true });
    // Only in a categorical column does the weight of the marginal distribution depend on the center.
    const marginal = isCategorical(this.head)
      ? logWeights.reshape([W, n, rows]).add(logOfMarginal).logsumexp(0).logsumexp(0).reshape([1, 1, N])
      : logOfMarginal;
    return logSumOr(weighted, marginal).add(logReference).reshape([1, N]);
  }

  /**
   * The terms of p(x | c, s) for x [1, N] and the distinct `centers` c, divided by a reference density of x (`MAX_LOG_QUOTIENT`): their
   * sum, [W or 1, m or 1, N], and the logarithm of the term of the marginal distribution, [1, m or 1, N]. `logReference` [1, 1, N] is
   * -Infinity for impossible values.
   */
  private quotients(x: Tensor, logMarginalOfX: Tensor): Quotients {
    const [, N] = x.shape;
    const row = (numbers: Tensor) => numbers.reshape([1, 1, N]);
    const logMarginal = row(logMarginalOfX);
    const isPossible = logMarginal.greater(Number.NEGATIVE_INFINITY);
    const marginal = isPossible.where(logMarginal, 0);
    const { logOneMinusLambda } = this.weights();
    const logMatch = logOneMinusLambda.add(this.logSeen);
    const centers = this.distinctCenters();
    const smooth = this.smooth?.at(x, centers);
    const shares = this.shares(centers);
    const match = this.matches(x, shares?.atoms, centers);
    let reference = marginal;
    if (smooth)
      reference = reference.maximum(
        smooth.logPeak.max(0, { keepAxes: true }).add(logOneMinusLambda).sub(MAX_LOG_QUOTIENT),
      );
    if (match) reference = reference.maximum(logMatch.sub(MAX_LOG_QUOTIENT));
    const logOfMarginal = this.logWeightOfMarginal(x).add(marginal).sub(reference);
    let sum = logOfMarginal.exp();
    if (smooth) {
      const peak = smooth.logPeak.add(logOneMinusLambda).sub(reference).exp();
      const kernel = shares ? smooth.kernel.mul(shares.smooth) : smooth.kernel;
      sum = sum.add(kernel.mul(row(smooth.isSmooth.toFloat()).mul(peak)));
    }
    if (match) sum = sum.add(match.mul(logMatch.sub(reference).exp()));
    const isNumber = logMarginal.equal(logMarginal);
    const logReference = isNumber.where(isPossible.where(reference, Number.NEGATIVE_INFINITY), Number.NaN);
    return { sum, logOfMarginal, logReference, centers };
  }

  logPresent(): Tensor {
    const [n] = this.centers.sizes;
    const { W } = this;
    const { logLambda, logOneMinusLambda } = this.weights();
    const ofMarginal = this.group.logPresent(this.marginalOutputs()).exp();
    // A missing center leaves only the categories that training did not see, see `logSeen`.
    const ofCenter = missingCenters(this.allCenters()).mul(-Math.exp(this.logSeen)).add(1);
    const isKnown = possibleCenters(this.head, this.allCenters()).greater(0);
    const present = logOneMinusLambda.exp().mul(ofCenter).add(logLambda.exp().mul(ofMarginal));
    return isKnown
      .where(present, ofMarginal)
      .log()
      .broadcastTo([W, n, 1])
      .reshape([1, W * n, 1]);
  }

  /**
   * Draws values by three uniform numbers: the first decides whether the value is from the marginal distribution, the second
   * chooses an atom, the kernel or a component, and the third is mapped by the quantile function of the kernel or component. `marginal` are
   * the values from the marginal distribution for the second and the third, [1, N].
   */
  sample(
    chosen: TwoStageChoice,
    noise: readonly Tensor[],
    { present }: { present: boolean },
    marginal = this.sampleMarginal(noise.slice(1), { present }),
  ): Tensor {
    const [n] = this.centers.sizes;
    const { W } = this;
    const [isMarginalNoise, ...marginalNoise] = noise;
    const ofCenter = (numbers: Tensor) =>
      chosen.select(
        numbers
          .reshape([1, n])
          .broadcastTo([W, n])
          .reshape([1, W * n]),
      );
    const center = ofCenter(this.centers);
    const isMissing = ofCenter(missingCenters(this.allCenters())).greater(0);
    const value = this.sampleAround(center, chosen, marginalNoise);
    const { logLambda, logOneMinusLambda } = this.weights();
    // The value is drawn from the marginal distribution if the center is impossible or, with `present`, missing.
    const lambda = logLambda.exp().reshape([1, 1]);
    const presentMarginal = lambda.mul(this.group.logPresent(this.marginalOutputs()).exp());
    const marginalFraction = present
      ? presentMarginal.div(presentMarginal.add(logOneMinusLambda.exp().reshape([1, 1])))
      : lambda;
    const hasCenter = ofCenter(possibleCenters(this.head, this.allCenters())).greater(0);
    const isMarginal = isMarginalNoise.less(hasCenter.where(marginalFraction, 1));
    const ordinary = isMarginal.where(marginal, value);
    if (!this.hasMissingAtom) return ordinary;
    return present
      ? isMissing.where(marginal, ordinary)
      : isMarginal.where(marginal, isMissing.where(Number.NaN, value));
  }

  private sampleMarginal(noise: readonly Tensor[], options: { present: boolean }): Tensor {
    return this.group.sample(noise, this.marginalOutputs(), options);
  }

  /**
   * Draws values around centers [1, N] by two uniform numbers: atoms or values of the smooth kernel. In a categorical column, the
   * value is the category of the center.
   */
  private sampleAround(
    center: Tensor,
    chosen: TwoStageChoice,
    [option, quantile]: readonly Tensor[],
  ): Tensor {
    const { head } = this;
    if (!this.smooth || !isNumeric(head)) return center;
    const [n] = this.centers.sizes;
    const { W } = this;
    const N = center.shape[1];
    const ofWidth = (numbers: Tensor) =>
      chosen.select(
        numbers
          .reshape([W, 1])
          .broadcastTo([W, n])
          .reshape([1, W * n]),
      );
    const smooth = this.smooth.sample(quantile, center, ofWidth);
    const shares = this.shares(this.allCenters());
    if (!shares) return smooth;
    const A = head.atoms.length;
    const ofComponents = concat([shares.atoms, shares.smooth], 2).reshape([W * n, A + 1]);
    const logShares = chosen
      .select(ofComponents.transpose())
      .log()
      .reshape([1, A + 1, N]);
    const choice = chooseComponent(logShares, option.reshape([1, 1, N]), -2);
    const atom = choice
      .slice(1, 0, A)
      .mul(constant(head.atoms, [1, A, 1]))
      .sum(1);
    return choice
      .slice(1, A, A + 1)
      .reshape([1, N])
      .greater(0)
      .where(smooth, atom);
  }

  /** log(1 - unseen). In every kernel, the categories that training did not see have the probability `unseen`. */
  private get logSeen(): number {
    return isCategorical(this.head) ? Math.log1p(-this.head.unseen) : 0;
  }

  /** log lambda and log(1 - lambda), [1, 1, 1]. */
  private weights(): { logLambda: Tensor; logOneMinusLambda: Tensor } {
    const logit = this.marginalLogit.reshape([1, 1, 1]);
    return { logLambda: logit.neg().softplus().neg(), logOneMinusLambda: logit.softplus().neg() };
  }

  private marginalOutputs(): Tensor {
    return this.marginal.reshape([1, this.group.parameterCount, 1]);
  }

  private allCenters(): Centers {
    const [count] = this.centers.sizes;
    return { count, values: this.centers, missing: this.missing ?? filled(0, [count]) };
  }

  /** The centers whose kernels are computed. Those of a categorical column only compare codes, which is as fast as copying. */
  private distinctCenters(): DistinctCenters {
    return isCategorical(this.head)
      ? { ...this.allCenters(), indices: undefined }
      : distinctCenters(this.centers, this.missing);
  }

  /** log of the weight of m(x): lambda, but 1 for categories that training did not see and for centers outside the support. */
  private logWeightOfMarginal(x: Tensor): Tensor {
    const { logLambda } = this.weights();
    if (!isCategorical(this.head)) return logLambda;
    const weight = possibleCenters(this.head, this.allCenters()).greater(0).where(logLambda, 0);
    return this.head.unseen > 0 ? asRow(x).equal(this.head.categories).where(0, weight) : weight;
  }

  /**
   * The part of p(x | c, s) that is neither the smooth kernel nor the marginal distribution, without the factor 1 - lambda, for x [1, N]:
   * 1 where x and c are the same category or both missing, and the share of an atom (`shares`) where x is one, [W or 1, n, N]. Undefined
   * if the column has none of these.
   */
  private matches(x: Tensor, shares: Tensor | undefined, centers: Centers): Tensor | undefined {
    const { head } = this;
    const missing = isMissing(x);
    if (isCategorical(head))
      return asRow(missing.where(MISSING, x))
        .equal(categoriesOfCenters(this.head, this.allCenters()))
        .toFloat();
    const bothMissing = head.gaps ? missingCenters(centers).mul(asRow(missing.toFloat())) : undefined;
    if (!shares) return bothMissing;
    const [W, n, A] = shares.shape as number[];
    const isAtom = x.equal(constant(head.atoms, [A, 1])).toFloat();
    const ofAtoms = shares
      .reshape([W * n, A])
      .matmul(isAtom)
      .reshape([W, n, x.shape[1]]);
    return bothMissing ? ofAtoms.add(bothMissing) : ofAtoms;
  }

  /**
   * How the values around each center are divided: the shares b of the atoms, [W, n, A], and 1 - sum b, the share of the smooth kernel, [W,
   * n, 1]. Both are 0 for missing centers. Undefined if the column has no atoms.
   */
  private shares(centers: Centers): { atoms: Tensor; smooth: Tensor } | undefined {
    const { head } = this;
    if (!isNumeric(head) || head.atoms.length === 0) return undefined;
    const n = centers.count;
    const [W, A] = [this.W, head.atoms.length];
    const logAtoms = this.group.logAtoms(this.marginalOutputs()).reshape([1, 1, A]);
    const atoms = constant(head.atoms, [1, A]);
    const { kernel, logPeak } = this.smooth!.at(atoms, centers, { moved: false });
    const logKernels = kernel
      .log()
      .add(logPeak)
      .sub(asRow(this.smooth!.logSlope(atoms)));
    const logSmooth = this.logSmooth(centers.values.reshape([1, n])).maximum(MIN_LOG_SMOOTH);
    const logMasses = concat(
      [logKernels.add(logAtoms).maximum(MIN_LOG_MASS), logSmooth.reshape([1, n, 1]).broadcastTo([W, n, 1])],
      2,
    );
    const shares = logMasses.softmax(2).mul(missingCenters(centers).neg().add(1));
    return { atoms: shares.slice(2, 0, A), smooth: shares.slice(2, A, A + 1) };
  }

  /** log f of values x [1, N] of a numeric column: the smooth part of the marginal density, in the units of y. 0 for categories. */
  logSmooth(x: Tensor): Tensor {
    if (!this.smooth) return x.mul(0);
    const present = x.equal(x).where(x, 0);
    return this.group.logSmooth(present, this.marginalOutputs()).sub(this.smooth.logSlope(present));
  }
}

interface Quotients {
  readonly sum: Tensor;
  readonly logOfMarginal: Tensor;
  readonly logReference: Tensor;
  readonly centers: DistinctCenters;
}

/** Numbers [W, m, N] of distinct centers for all centers, [W, n, N]. */
const ofAllCenters = (numbers: Tensor, { indices }: DistinctCenters): Tensor =>
  indices && numbers.shape[1] !== 1 ? numbers.gather(1, indices) : numbers;

/** Numbers [1, N] as [1, 1, N]. */
const asRow = (numbers: Tensor): Tensor => numbers.reshape([1, 1, numbers.shape[1]]);

/** log of a sum of quotients, or, where it underflows, of the term of the marginal distribution. */
const logSumOr = (sum: Tensor, logOfMarginal: Tensor): Tensor =>
  sum.greater(MIN_SUM).where(sum.maximum(MIN_SUM).log(), logOfMarginal);
