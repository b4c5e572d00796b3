import {
  knownValues,
  logPosterior,
  type Noise,
  type Subset,
  type SubsetDistribution,
} from "../../distributions/index.ts";
import { concat, filled, type Tensor } from "../../graph/index.ts";
import { inversePermutation } from "../../nn/index.ts";
import type { Description } from "../../parts/index.ts";
import type { SharedGaps } from "./sharedGaps.ts";
import { TwoStageChoice } from "./twoStageChoice.ts";

/** S columns of a `ProductMixture`. Tensors are column-first, since the runtime is fastest along long rows. */
export interface ColumnBlock {
  /** [S], the indices of the columns. */
  readonly columns: readonly number[];
  /** Whether a missing value has a probability. False for columns that share the gap of an earlier one. */
  readonly hasMissingAtom: boolean;
  /** log p_j(x_d) of the values [S, N] for each component j: [S, J, N]. */
  logProb(x: Tensor): Tensor;
  /** log sum_j w_j p_j(x_d) of the values [1, N] of a block of one column, for log-weights [1, J, N] or [1, J, 1] that sum to 1: [1, N]. */
  logMixture(x: Tensor, logWeights: Tensor): Tensor;
  /** log p_j(x_d is not missing) for each component j, [S, J, 1]. */
  logPresent(): Tensor;
  /**
   * Values [S, N] from the component that is chosen for each row. The elements of `noise` are [S, N]. With `present` no value is missing.
   */
  sample(chosen: TwoStageChoice, noise: readonly Tensor[], options: { present: boolean }): Tensor;
}

/**
 * A mixture of J components in each of which the columns are independent:
 *
 *     p(x) = sum_j w_j prod_d p_j(x_d).
 *
 * The marginal density of a subset of columns is the same sum with the factors of these columns only. The conditional
 * distribution of another column is the mixture of its factors p_j with the posterior weights of the components.
 */
export abstract class ProductMixture implements SubsetDistribution {
  abstract readonly features: number;
  readonly context = 0;
  readonly supportsSubsets = true;
  readonly acceptsRowSubsets = true;
  /** The first element is one uniform number, which chooses the component of a row. Each other element has D numbers. */
  abstract readonly noise: readonly Noise[];
  /** J. */
  protected abstract readonly components: number;
  /** log w, [J, 1]. */
  protected abstract logWeights(): Tensor;
  protected abstract readonly sharedGaps: SharedGaps;
  /** All columns in blocks. */
  protected abstract blocks(): readonly ColumnBlock[];
  /** A block of column d only. */
  protected abstract columnOf(d: number): ColumnBlock;

  /** `logProb` of each block for values [D, N] of all columns. */
  protected logProbs(x: Tensor, blocks: readonly ColumnBlock[]): Tensor[] {
    return blocks.map((block) => block.logProb(x.gather(0, block.columns)));
  }

  /** `sample` of each block for noise of all columns, [D, N] each. */
  protected samples(
    chosen: TwoStageChoice,
    noise: readonly Tensor[],
    options: { present: boolean },
    blocks: readonly ColumnBlock[],
  ): Tensor[] {
    return blocks.map((block) =>
      block.sample(
        chosen,
        noise.map((numbers) => numbers.gather(0, block.columns)),
        options,
      ),
    );
  }

  abstract describe(): Description;

  get acceptsMissing(): boolean {
    return this.blocks().some(({ hasMissingAtom }) => hasMissingAtom);
  }

  logProb(x: Tensor): Tensor {
    return this.logJoint(x).logsumexp(0);
  }

  logProbKnown(x: Tensor, subset: Subset): Tensor {
    return this.logJoint(knownValues(x, subset), subset).logsumexp(0);
  }

  get conditionalSize(): number {
    return this.components + this.sharedGaps.size;
  }

  /** The logarithms of the posterior weights of the components, and the parameters of `SharedGaps`. */
  conditionalParameters(x: Tensor, subset: Subset): Tensor {
    return this.sharedGaps.withParameters(this.logPosterior(x, subset).transpose(), x, subset);
  }

  logProbOf(d: number, values: Tensor, parameters: Tensor): Tensor {
    const [N] = values.shape;
    const posterior = this.sharedGaps.withoutParameters(parameters);
    const logProb = this.columnOf(d)
      .logMixture(values.reshape([1, N]), componentsFirst(posterior))
      .reshape([N]);
    return this.sharedGaps.logProbOf(d, logProb, values, parameters);
  }

  logPresentOf(d: number, parameters: Tensor): Tensor {
    const [N] = parameters.shape;
    const block = this.columnOf(d);
    if (!block.hasMissingAtom) return this.sharedGaps.logPresentOf(d, filled(0, [N]), parameters);
    return componentsFirst(this.sharedGaps.withoutParameters(parameters))
      .add(block.logPresent())
      .logsumexp(1)
      .reshape([N]);
  }

  sampleOf(
    d: number,
    [uniform, ...noise]: readonly Tensor[],
    parameters: Tensor,
    options: { present: boolean },
  ): Tensor {
    const block = this.columnOf(d);
    const posterior = this.sharedGaps.withoutParameters(parameters).transpose();
    const logWeights =
      options.present && block.hasMissingAtom
        ? posterior.add(block.logPresent().reshape([this.components, 1]))
        : posterior;
    const drawn = block.sample(
      new TwoStageChoice(logWeights, uniform.transpose()),
      noise.map((numbers) => numbers.transpose()),
      options,
    );
    return this.sharedGaps.sampleOf(d, drawn.reshape(["N"]), parameters);
  }

  sample(noise: readonly Tensor[]): Tensor {
    return this.sharedGaps.applyTo(this.sampleColumns(noise, this.logWeights(), { present: false }));
  }

  /** Draws the component of a row by its posterior probability, and then all unknown columns from this component. */
  sampleUnknown(
    noise: readonly Tensor[],
    x: Tensor,
    subset: Subset,
    { present }: { present: boolean },
  ): Tensor {
    const posterior = this.logPosterior(x, subset);
    const logWeights = present && this.acceptsMissing ? posterior.add(this.logPresent(subset)) : posterior;
    const drawn = this.sampleColumns(noise, logWeights, { present });
    return this.sharedGaps.applyTo(subset.known.greater(0).where(x, drawn));
  }

  /** Rows [N, D] without shared gaps, each from a component that is drawn by the log-weights [J, N] or [J, 1]. */
  private sampleColumns(
    [uniform, ...noise]: readonly Tensor[],
    logWeights: Tensor,
    options: { present: boolean },
  ): Tensor {
    const chosen = new TwoStageChoice(logWeights, uniform.transpose());
    const columnsOfNoise = noise.map((numbers) => numbers.transpose());
    const blocks = this.blocks();
    const drawn = this.samples(chosen, columnsOfNoise, options, blocks);
    const order = blocks.flatMap(({ columns }) => columns);
    return concat(drawn, 0).gather(0, inversePermutation(order)).transpose();
  }

  /**
   * The log-probability of each component that no unknown column is missing: [J, 1], or [J, N] if the known columns differ between rows.
   */
  private logPresent(subset: Subset): Tensor {
    const ofBlocks = this.blocks().flatMap((block) =>
      block.hasMissingAtom ? [knownColumns(subset, block).where(0, block.logPresent()).sum(0)] : [],
    );
    return ofBlocks.reduce((sum, ofBlock) => sum.add(ofBlock));
  }

  /** The logarithms of the posterior weights of the components given the known columns: [J, N]. */
  private logPosterior(x: Tensor, subset: Subset): Tensor {
    return logPosterior(this.logJoint(knownValues(x, subset), subset), this.logWeights(), 0);
  }

  /** log w_j + log p_j(x) of each component, for all columns or only the known ones: [J, N]. */
  protected logJoint(x: Tensor, subset?: Subset): Tensor {
    const columns = x.transpose();
    const blocks = this.blocks();
    const logProbs = this.logProbs(columns, blocks);
    return blocks.reduce((sum, block, b) => {
      const logProb = this.sharedGaps.logProb(logProbs[b], columns, block.columns);
      return sum.add((subset ? knownColumns(subset, block).where(logProb, 0) : logProb).sum(0));
    }, this.logWeights());
  }
}

/** Which columns of a block are known: [S, 1, 1], or [S, 1, N] if the known columns differ between rows. */
function knownColumns({ known }: Subset, { columns }: ColumnBlock): Tensor {
  const rows = known.rank === 1 ? 1 : "N";
  return known
    .reshape([rows, known.shape.at(-1)!])
    .transpose()
    .gather(0, columns)
    .reshape([columns.length, 1, rows])
    .greater(0);
}

/** Numbers [N, J] as [1, J, N]. */
const componentsFirst = (numbers: Tensor): Tensor => {
  const [N, J] = numbers.shape;
  return numbers.transpose().reshape([1, J, N]);
};
