import { chooseComponent, MAX_UNIFORM } from "../../distributions/index.ts";
import type { Tensor } from "../../graph/index.ts";

/** With up to this many components, each is a block. */
const MAX_BLOCKS_OF_ONE = 64;
/** Replaces weights of 0. Rounding may choose a block whose weights are all 0, and their logarithms must be finite. */
const MIN_WEIGHT = 1e-37;

/**
 * Draws a component for each row in two stages, a block of about sqrt(J) components and a component within it, so that a row needs
 * 2 sqrt(J) one-hot numbers instead of J.
 */
export class TwoStageChoice {
  /** One-hot, [A, N]. */
  private readonly block: Tensor;
  /** One-hot, [B, N]: the component within its block. */
  private readonly within: Tensor;
  /**
   * This many components of weight 0 come before the others, so that all blocks have B components. Counted with them, component i is
   * number floor(i / A) of block i mod A.
   */
  private readonly padding: number;

  /** Inverts the cumulative distribution of the log-weights, [J, N] or [J, 1], at uniform numbers [1, N]. */
  constructor(logWeights: Tensor, uniform: Tensor) {
    const [J, rows] = logWeights.shape as [number, "N" | 1];
    const A = J <= MAX_BLOCKS_OF_ONE ? J : Math.ceil(Math.sqrt(J));
    const B = Math.ceil(J / A);
    this.padding = A * B - J;
    const weights = logWeights.softmax(0).pad(0, this.padding, 0).reshape([B, A, rows]);
    const blockWeights = weights.sum(0);
    this.block = chooseComponent(blockWeights.log(), uniform, -2);
    const chosenWeights =
      rows === 1
        ? weights.reshape([B, A]).matmul(this.block)
        : weights.mul(this.block.reshape([1, A, "N"])).sum(1);
    // The position of the uniform number in the interval of its block, from 0 to 1. It is clipped, because near 0 rounding could choose a
    // component of the padding, whose weight is `MIN_WEIGHT`.
    const start = blockWeights.cumsum(0).sub(blockWeights);
    const chosen = (numbers: Tensor) => numbers.mul(this.block).sum(0, { keepAxes: true });
    const position = uniform.sub(chosen(start)).div(chosen(blockWeights).maximum(MIN_WEIGHT));
    const inside = position.clip(1 - MAX_UNIFORM, MAX_UNIFORM);
    this.within = chooseComponent(chosenWeights.maximum(MIN_WEIGHT).log(), inside, -2);
  }

  /** Numbers [Q, J] of each component, for the chosen one of each row: [Q, N]. */
  select(numbers: Tensor): Tensor {
    const [Q] = numbers.shape as number[];
    const [A] = this.block.shape as number[];
    const [B, N] = this.within.shape as [number, "N"];
    const blockNumbers = numbers
      .pad(1, this.padding, 0)
      .reshape([Q * B, A])
      .matmul(this.block);
    return blockNumbers
      .reshape([Q, B, N])
      .mul(this.within.reshape([1, B, N]))
      .sum(1);
  }
}
