import type { Description } from "../description.ts";
import { concat, filled, type Tensor } from "../graph/tensor.ts";
import { chooseComponent } from "./chooseComponent.ts";
import type { Noise } from "./distribution.ts";
import { knownValues, type Subset, type SubsetDistribution } from "./subsetDistribution.ts";

/** S columns of a `ProductMixture`. Tensors are column-first, since the runtime is fastest along long rows. */
export interface ColumnBlock {
  /** [S], the indices of the columns. */
  readonly columns: readonly number[];
  /** Whether the value of a column may be missing. */
  readonly hasGaps: boolean;
  /** log p_j(x_d) of the values [S, N] for each component j: [S, J, N]. */
  logProb(x: Tensor): Tensor;
  /** log p_j(x_d is not missing) for each component j, [S, J, 1]. */
  logPresent(): Tensor;
  /**
   * Values [S, N] from the component that `chosen` names for each row and column, one-hot [S or 1, J, N]. The elements of `noise` are
   * [S, N]. With `present` no value is missing.
   */
  sample(chosen: Tensor, noise: readonly Tensor[], options: { present: boolean }): Tensor;
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
  /** The first is a uniform number that chooses the component of a row, and the others are D numbers each. */
  abstract readonly noise: readonly Noise[];
  /** log w, [J, 1]. */
  protected abstract logWeights(): Tensor;
  /** All columns in blocks. */
  protected abstract blocks(): readonly ColumnBlock[];
  abstract describe(): Description;

  get acceptsMissing(): boolean {
    return this.blocks().some(({ hasGaps }) => hasGaps);
  }

  logProb(x: Tensor): Tensor {
    return this.logJoint(x).logsumexp(0);
  }

  logProbKnown(x: Tensor, subset: Subset): Tensor {
    return this.logJoint(knownValues(x, subset), subset).logsumexp(0);
  }

  logProbPresent(x: Tensor, subset: Subset): Tensor {
    const posterior = this.logJoint(knownValues(x, subset), subset).logSoftmax(0);
    const ofBlocks = this.blocks().map((block) => {
      const S = block.columns.length;
      if (!block.hasGaps) return filled(0, [S, "N"]);
      return posterior
        .reshape([1, ...posterior.shape])
        .add(block.logPresent())
        .logsumexp(1);
    });
    return this.joinColumns(ofBlocks);
  }

  sample([uniform, ...noise]: readonly Tensor[]): Tensor {
    const logWeights = this.logWeights();
    const chosen = chooseComponent(logWeights.reshape([1, ...logWeights.shape]), asRow(uniform), -2);
    return this.sampleBlocks(noise, () => chosen, { present: false });
  }

  sampleEach(
    [uniform, ...noise]: readonly Tensor[],
    x: Tensor,
    subset: Subset,
    options: { present: boolean },
  ): Tensor {
    const logJoint = this.logJoint(knownValues(x, subset), subset);
    const logWeights = logJoint.reshape([1, ...logJoint.shape]);
    const chosen = chooseComponent(logWeights, asRow(uniform), -2);
    const choose = (block: ColumnBlock) =>
      options.present && block.hasGaps
        ? chooseComponent(logWeights.add(block.logPresent()), asRow(uniform), -2)
        : chosen;
    return subset.known.greater(0).where(x, this.sampleBlocks(noise, choose, options));
  }

  /** log w_j + log p_j(x) of each component, for all columns or only the known ones: [J, N]. */
  protected logJoint(x: Tensor, subset?: Subset): Tensor {
    const columns = x.transpose();
    return this.blocks().reduce((sum, block) => {
      const logProb = block.logProb(columns.gather(0, block.columns));
      if (!subset) return sum.add(logProb.sum(0));
      const known = subset.known.gather(0, block.columns).reshape([block.columns.length, 1, 1]);
      return sum.add(known.greater(0).where(logProb, 0).sum(0));
    }, this.logWeights());
  }

  private sampleBlocks(
    noise: readonly Tensor[],
    choose: (block: ColumnBlock) => Tensor,
    options: { present: boolean },
  ): Tensor {
    const columnsOfNoise = noise.map((numbers) => numbers.transpose());
    const values = this.blocks().map((block) =>
      block.sample(
        choose(block),
        columnsOfNoise.map((columns) => columns.gather(0, block.columns)),
        options,
      ),
    );
    return this.joinColumns(values);
  }

  /** Rows [N, D] from the columns [S, N] of each block. */
  private joinColumns(ofBlocks: readonly Tensor[]): Tensor {
    const order = this.blocks().flatMap(({ columns }) => columns);
    return concat(ofBlocks, 0)
      .gather(
        0,
        order.map((_, column) => order.indexOf(column)),
      )
      .transpose();
  }
}

/** Numbers [N, 1] as [1, 1, N]. */
const asRow = (numbers: Tensor): Tensor => numbers.reshape([1, 1, "N"]);
