import * as z from "zod/mini";
import { type DataRows, identityOrder } from "../../bijections/index.ts";
import { type Limits, parse, requireNumbers } from "../../check/index.ts";
import {
  type Atoms,
  chooseComponent,
  type DistributionKind,
  knownValues,
  logPosterior,
  type Noise,
  type Subset,
  type SubsetDistribution,
} from "../../distributions/index.ts";
import { concat, constant, filled, Parameter, type Tensor } from "../../graph/index.ts";
import { sizeSchema } from "../../parts/index.ts";
import { type ColumnGroup, columnsOfEqualShapes } from "./heads/columnGroups.ts";
import {
  type ColumnHeadOptions,
  columnHeadsSchema,
  hasGaps,
  headAtoms,
  isNumeric,
  parameterCount,
} from "./heads/columnHead.ts";
import { HeadGroup, type MixtureParameters } from "./heads/headGroup.ts";
import { normalComponents, selectComponent } from "./heads/normalComponents.ts";
import { loadOnDemand } from "./loadOnDemand.ts";
import { drawRows } from "./mixedGaussianDraws.ts";
import { conditionalMeans, type Regressions, regressionsInOrder, type Scores } from "./regressionsInOrder.ts";
import { SharedGaps } from "./sharedGaps.ts";

const mixedGaussianMixtureSchema = z.strictObject({
  type: z.literal("mixedGaussianMixture"),
  columns: columnHeadsSchema,
  components: sizeSchema,
  covariance: z.optional(z.literal("shared")),
});

/** Options of `MixedGaussianMixture`. */
export interface MixedGaussianMixtureOptions {
  /**
   * [D], the type of the distribution of each column with its options. `components`, `linearComponents` and `periods` have no effect, and of
   * `knots` only the quartiles matter.
   */
  columns: ColumnHeadOptions[];
  /** C, the number of components. */
  components: number;
  /**
   * With `shared`, all components have one covariance, times the square of a width of each component. Default: each component has a
   * covariance of its own.
   */
  covariance?: "shared" | undefined;
}

/**
 * A numeric column has a pair of logistic distributions, with this many locations and log-scales. They are not stored, since they follow from
 * the means and covariances.
 */
const LOGISTIC_PARAMETERS = 4;

/** Columns that are computed together, with their positions among the numeric columns. */
export interface MixedGaussianGroup extends ColumnGroup {
  /** [S, A + 2, C] logits of atoms and of both halves of the normal distribution; for categorical columns [S, A, C]. */
  readonly logits: Parameter;
  /** [S], the positions among the numeric columns. Empty for categorical columns. */
  readonly numeric: readonly number[];
}

/**
 * A mixture of Gaussians with full covariances for tables with columns of several kinds:
 *
 *     p(x) = sum_c w_c prod_d p_c(x_d | x_1 ... x_d-1).
 *
 * Within a component, a number has a normal distribution whose mean is the linear regression on the numbers before, as in a Gaussian with
 * mean m_c and covariance S_c on a linear scale of each column. In lattices, the normal distribution is approximated by a pair of
 * logistic distributions, so that the probability of a cell is a difference of two values of a distribution function. Categories, atoms
 * and missing values have probabilities that depend only on the component. In the regressions of other columns, an atom and a missing value
 * count as the mean; but an atom of a lattice is a number there, unless it is one of its `isolatedAtoms`. This is the location model (Olkin
 * and Tate 1961) with latent classes (Lawrence and Krzanowski 1996).
 *
 * Any subset of columns has a density, since the regressions follow from the covariance for every ordering of the columns. The densities of
 * all orderings are equal for rows of numbers with linear scores between -15 and 15, in lattices up to the approximation of the normal
 * distribution and the rounding. An atom or a missing value tells other columns nothing, so its position matters.
 *
 * `fitToData` runs expectation maximization (Dempster et al. 1977). A shared covariance is estimated from the deviations of all rows
 * from the means of their components, and all widths are 1.
 */
export class MixedGaussianMixture implements SubsetDistribution {
  readonly features: number;
  readonly context = 0;
  readonly supportsSubsets = true;
  readonly noise: readonly Noise[];
  readonly components: number;
  /** [C] unnormalized log-weights. */
  readonly logWeights: Parameter;
  /** [C, M], the means of the M numeric columns on the linear scale. */
  readonly means: Parameter;
  /** [C, M, M], the symmetric covariances of the numeric columns on the linear scale; [1, M, M] if they are shared. */
  readonly covariances: Parameter;
  /** [C], the widths: factors of the standard deviations of each component. Undefined unless the covariance is shared. */
  readonly widths: Parameter | undefined;
  readonly groups: readonly MixedGaussianGroup[];
  /** [M], the indices of the numeric columns, in the order of the groups. */
  readonly numericColumns: readonly number[];
  readonly sharedGaps: SharedGaps;
  private readonly options: z.output<typeof mixedGaussianMixtureSchema>;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: MixedGaussianMixtureOptions) {
    const description = { type: "mixedGaussianMixture", ...options };
    const parsed = parse(mixedGaussianMixtureSchema, description, "a Gaussian mixture for tables");
    const columns = parsed.columns.map((head) =>
      isNumeric(head) ? { ...head, components: 2, linearComponents: 2 } : head,
    );
    this.options = { ...parsed, columns };
    const { components, covariance } = parsed;
    const isShared = covariance === "shared";
    this.features = columns.length;
    this.sharedGaps = new SharedGaps(columns);
    this.components = components;
    const M = columns.filter(isNumeric).length;
    // This check comes before the allocation of arrays with an element for each parameter.
    const covarianceCount = isShared ? 1 : components;
    const logitCount = columns.reduce((sum, head) => sum + parameterCount(head), 0) - LOGISTIC_PARAMETERS * M;
    requireNumbers(covarianceCount * M ** 2 + components * logitCount);
    this.noise = [
      { kind: "uniform", size: 1 },
      { kind: "uniform", size: this.features },
      { kind: "uniform", size: this.features },
      ...(columns.some(({ type }) => type === "continuous")
        ? [{ kind: "normal" as const, size: this.features }]
        : []),
    ];
    const fixed = { trainable: false };
    this.logWeights = new Parameter([components], 0, fixed);
    this.means = new Parameter([components, M], 0, fixed);
    const identity = () =>
      Float32Array.from({ length: covarianceCount * M * M }, (_, i) =>
        (i % (M * M)) % (M + 1) === 0 ? 1 : 0,
      );
    this.covariances = new Parameter([covarianceCount, M, M], identity, fixed);
    if (isShared) this.widths = new Parameter([components], 1, { ...fixed, domain: { min: 1e-6, max: 1e6 } });
    let first = 0;
    this.groups = columnsOfEqualShapes(columns).map((group) => {
      const count = group.head.components ? group.columns.length : 0;
      const numeric = identityOrder(count).map((i) => first + i);
      first += count;
      const logits = group.head.parameterCount - (count > 0 ? LOGISTIC_PARAMETERS : 0);
      return {
        ...group,
        numeric,
        logits: new Parameter([group.columns.length, logits, components], 0, fixed),
      };
    });
    this.numericColumns = this.groups.flatMap((group) => (group.numeric.length > 0 ? group.columns : []));
  }

  get acceptsMissing(): boolean {
    return this.options.columns.some(hasGaps);
  }

  get atoms(): readonly Atoms[] {
    return this.options.columns.map(headAtoms);
  }

  logProb(x: Tensor): Tensor {
    return this.logJoint(x).logsumexp(0);
  }

  logProbKnown(x: Tensor, subset: Subset): Tensor {
    return this.logJoint(knownValues(x, subset), subset).logsumexp(0);
  }

  get conditionalSize(): number {
    const { components, numericColumns } = this;
    return (
      components + (components + this.covariances.sizes[0]) * numericColumns.length + this.sharedGaps.size
    );
  }

  /**
   * The log-weights of the components given the known columns, the conditional means of all numeric columns in each component, their standard
   * deviations in each component or those that all share, and the parameters of `SharedGaps`.
   */
  conditionalParameters(x: Tensor, subset: Subset): Tensor {
    const { components: C, numericColumns } = this;
    const known = knownValues(x, subset);
    const posterior = this.logPosterior(known, subset);
    const M = numericColumns.length;
    if (M === 0) return posterior.transpose();
    const regressions = this.regressionsOfCovariances(subset.positions);
    const means = conditionalMeans(regressions, this.means, this.scores(known)).reshape([C * M, "N"]);
    const count = this.covariances.sizes[0] * M;
    const deviations = regressions.deviations.reshape([count, 1]).broadcastTo([count, "N"]);
    const parameters = concat([posterior, means, deviations], 0).transpose();
    return this.sharedGaps.withParameters(parameters, x, subset);
  }

  logProbOf(d: number, values: Tensor, parameters: Tensor): Tensor {
    const [N] = values.shape;
    const { head, outputs, logWeights } = this.columnOf(d, parameters);
    const logProb = head
      .logProb(values.reshape([1, 1, N]), outputs)
      .add(logWeights)
      .logsumexp(1)
      .reshape([N]);
    return this.sharedGaps.logProbOf(d, logProb, values, parameters);
  }

  logPresentOf(d: number, parameters: Tensor): Tensor {
    const [N] = parameters.shape;
    const { head, outputs, logWeights } = this.columnOf(d, parameters);
    if (!head.hasMissingAtom) return this.sharedGaps.logPresentOf(d, filled(0, [N]), parameters);
    return logWeights.add(head.logPresent(outputs)).logsumexp(1).reshape([N]);
  }

  sampleOf(
    d: number,
    [uniform, ...noise]: readonly Tensor[],
    parameters: Tensor,
    options: { present: boolean },
  ): Tensor {
    const { head, outputs, logWeights } = this.columnOf(d, parameters);
    const isConditioned = options.present && head.hasMissingAtom;
    const weights = isConditioned ? logWeights.add(head.logPresent(outputs)) : logWeights;
    const chosen = chooseComponent(weights, uniform.reshape([1, 1, "N"]), -2);
    const chosenOutputs = selectComponent(outputs, chosen);
    const drawn = head.sample(
      noise.map((numbers) => numbers.transpose()),
      chosenOutputs,
      options,
    );
    return this.sharedGaps.sampleOf(d, drawn.reshape(["N"]), parameters);
  }

  sample(noise: readonly Tensor[]): Tensor {
    const nothing = {
      known: filled(0, [this.features]),
      positions: constant(identityOrder(this.features), [this.features]),
    };
    return drawRows(this, noise, this.prior(), filled(0, ["N", this.features]), nothing, { present: false });
  }

  /** Draws the component of a row by its posterior probability, and then the unknown columns one after the other. */
  sampleUnknown(
    noise: readonly Tensor[],
    x: Tensor,
    subset: Subset,
    { present }: { present: boolean },
  ): Tensor {
    const values = knownValues(x, subset);
    const posterior = this.logPosterior(values, subset);
    const logWeights =
      present && this.acceptsMissing ? posterior.add(this.logPresent(subset.known)) : posterior;
    // The unknown columns follow the known ones, in their own order.
    const unknown = subset.known.neg().add(1);
    const positions = subset.positions.add(unknown.mul(unknown.cumsum(0).sub(1)));
    const ordering = { known: subset.known, positions };
    return subset.known.greater(0).where(x, drawRows(this, noise, logWeights, values, ordering, { present }));
  }

  /** Fits the parameters by expectation maximization. The held-out rows select how similar the covariances of the components are. */
  async fitToData(data: DataRows, heldOut?: DataRows, limits?: Limits): Promise<void> {
    // This code is imported only when it is used, because pages that only score do not need it.
    const { fitMixedGaussianMixture } = await loadOnDemand();
    await fitMixedGaussianMixture(this, data, heldOut, limits);
  }

  describe() {
    return this.options;
  }

  /** log w, [C, 1]. */
  private prior(): Tensor {
    return this.logWeights.logSoftmax().reshape([this.components, 1]);
  }

  /** log w_c + log p_c(x), for all columns in their order, or for the known columns in the order of their positions: [C, N]. */
  private logJoint(x: Tensor, subset?: Subset): Tensor {
    const { features } = this;
    const columns = x.transpose();
    const positions = subset?.positions ?? constant(identityOrder(features), [features]);
    const regressions = this.numericColumns.length > 0 ? this.regressions(positions) : undefined;
    const means = regressions && conditionalMeans(regressions, this.means, this.scores(x));
    return this.groups.reduce((sum, group) => {
      const [S, N] = [group.columns.length, columns.shape[1]];
      const values = columns.gather(0, group.columns).reshape([S, 1, N]);
      const outputs = this.outputsOf(group, means, regressions?.deviations);
      const logProbIfPresent = group.head.logProb(values, outputs);
      const logProb = this.sharedGaps.logProb(logProbIfPresent, columns, group.columns);
      if (!subset) return sum.add(logProb.sum(0));
      const known = subset.known.gather(0, group.columns).reshape([S, 1, 1]);
      return sum.add(known.greater(0).where(logProb, 0).sum(0));
    }, this.prior());
  }

  /** The log-weights of the components given the known columns: [C, N]. */
  private logPosterior(x: Tensor, subset: Subset): Tensor {
    return logPosterior(this.logJoint(x, subset), this.prior(), 0);
  }

  /** The log-probability under each component that no unknown column is missing: [C, 1]. */
  private logPresent(known: Tensor): Tensor {
    return this.groups
      .filter(({ head }) => head.hasMissingAtom)
      .map((group) => {
        const isKnown = known.gather(0, group.columns).reshape([group.columns.length, 1, 1]).greater(0);
        const { logits } = group;
        const outputs = { logits: logits.reshape([...logits.shape, 1]) };
        return isKnown.where(0, group.head.logPresent(outputs)).sum(0);
      })
      .reduce((sum, ofGroup) => sum.add(ofGroup));
  }

  /** The numeric columns of rows [N, D] on the linear scale. */
  scores(x: Tensor): Scores {
    return this.numericScores(x.transpose().gather(0, this.numericColumns));
  }

  /** Values [M, N] of the numeric columns on the linear scale. */
  numericScores(values: Tensor): Scores {
    const ofGroups = this.groups
      .filter(({ numeric }) => numeric.length > 0)
      .map(({ head, numeric }) => head.linearScores(values.gather(0, numeric)));
    return {
      scores: concat(
        ofGroups.map(({ scores }) => scores),
        0,
      ),
      isSmooth: concat(
        ofGroups.map(({ isSmooth }) => isSmooth),
        0,
      ),
    };
  }

  /** The regressions of the numeric columns in each component, for positions [D] of all columns. */
  regressions(positions: Tensor): Regressions {
    const { coefficients, deviations } = this.regressionsOfCovariances(positions);
    return { coefficients, deviations: this.scaled(deviations) };
  }

  /** The same with the deviations [1, M] of width 1 if the covariance is shared. */
  private regressionsOfCovariances(positions: Tensor): Regressions {
    const ofNumeric = positions.gather(0, this.numericColumns);
    return regressionsInOrder(this.covariances, ofNumeric, this.features);
  }

  /** Deviations [C, M, ...] of each component, from those [1, M, ...] of width 1 if the covariance is shared. */
  private scaled(deviations: Tensor): Tensor {
    if (!this.widths) return deviations;
    const others = new Array<1>(deviations.rank - 1).fill(1);
    return deviations.mul(this.widths.reshape([this.components, ...others]));
  }

  /** The distributions of the columns of a group in each component, for conditional means [C, M, N] and standard deviations [C, M]. */
  private outputsOf(
    { head, numeric, logits }: MixedGaussianGroup,
    means: Tensor | undefined,
    deviations: Tensor | undefined,
  ): MixtureParameters {
    const ofAll = logits.reshape([...logits.shape, 1]);
    if (!head.components) return { logits: ofAll };
    const ofGroup = deviations!.gather(1, numeric).transpose();
    const ofComponents = normalComponents(
      head.type,
      means!.gather(1, numeric).transpose([1, 0, 2]),
      ofGroup.reshape([...ofGroup.shape, 1]),
    );
    return { logits: ofAll, ofComponents };
  }

  /** The distribution of column d in each component, for `conditionalParameters` [N, ...]. The log-weights are [1, C, N]. */
  private columnOf(
    d: number,
    parameters: Tensor,
  ): { head: HeadGroup; outputs: MixtureParameters; logWeights: Tensor } {
    const { components: C, numericColumns } = this;
    const [N] = parameters.shape;
    const M = numericColumns.length;
    const rows = parameters.transpose();
    const logWeights = rows.slice(0, 0, C).reshape([1, C, N]);
    const { head, logits, numeric } = this.single(d);
    const ofColumn = logits.reshape([1, ...(logits.shape.slice(1) as number[]), 1]);
    if (numeric === undefined) return { head, outputs: { logits: ofColumn }, logWeights };
    const part = (start: number, count: number) =>
      rows
        .slice(0, start, start + count * M)
        .reshape([count, M, N])
        .slice(1, numeric, numeric + 1);
    const means = part(C, C).reshape([1, C, N]);
    const deviations = this.scaled(part(C + C * M, this.covariances.sizes[0])).reshape([1, C, N]);
    const ofComponents = normalComponents(head.type, means, deviations);
    return { head, outputs: { logits: ofColumn, ofComponents }, logWeights };
  }

  /** One column: its head, its logits [1, A + 2, C], and its position among the numeric columns. */
  private single(d: number): { head: HeadGroup; logits: Tensor; numeric: number | undefined } {
    const group = this.groups.find(({ columns }) => columns.includes(d))!;
    const i = group.columns.indexOf(d);
    return {
      head: new HeadGroup([group.head.heads[i]]),
      logits: group.logits.slice(0, i, i + 1),
      numeric: group.numeric[i],
    };
  }
}

export const mixedGaussianMixtureKind: DistributionKind<typeof mixedGaussianMixtureSchema> = {
  schema: mixedGaussianMixtureSchema,
  build: ({ type: _, ...options }) => new MixedGaussianMixture(options),
};
