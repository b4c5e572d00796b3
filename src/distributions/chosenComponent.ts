import type { Tensor } from "../graph/tensor.ts";
import { chooseComponent, MAX_UNIFORM } from "./chooseComponent.ts";

/** With up to this many components, each is a block. */
const MAX_BLOCKS_OF_ONE = 64;
/** Stands for a weight of 0 in a block that rounding may choose although all its weights are 0. */
const MIN_WEIGHT = 1e-37;

/**
 * A component drawn for each row from J of them, which may be thousands of kernels. The components are divided into about sqrt(J) blocks:
 * first a block is drawn, and then a component of this block. So the one-hot numbers of a row are 2 sqrt(J) instead of J.
 */
export class ChosenComponent {
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
    const ofBlocks = weights.sum(0);
    this.block = chooseComponent(ofBlocks.log(), uniform, -2);
    const ofChosen =
      rows === 1
        ? weights.reshape([B, A]).matmul(this.block)
        : weights.mul(this.block.reshape([1, A, "N"])).sum(1);
    // Where the number lies within the interval of its block. At 0, rounding could choose the padding, whose weights are `MIN_WEIGHT`.
    const start = ofBlocks.cumsum(0).sub(ofBlocks);
    const chosen = (numbers: Tensor) => numbers.mul(this.block).sum(0, { keepAxes: true });
    const position = uniform.sub(chosen(start)).div(chosen(ofBlocks).maximum(MIN_WEIGHT));
    const inside = position.clip(1 - MAX_UNIFORM, MAX_UNIFORM);
    this.within = chooseComponent(ofChosen.maximum(MIN_WEIGHT).log(), inside, -2);
  }

  /** Numbers [Q, J] of each component, for the chosen one of each row: [Q, N]. */
  select(numbers: Tensor): Tensor {
    const [Q] = numbers.shape as number[];
    const [A] = this.block.shape as number[];
    const [B, N] = this.within.shape as [number, "N"];
    const ofBlocks = numbers
      .pad(1, this.padding, 0)
      .reshape([Q * B, A])
      .matmul(this.block);
    return ofBlocks
      .reshape([Q, B, N])
      .mul(this.within.reshape([1, B, N]))
      .sum(1);
  }
}
