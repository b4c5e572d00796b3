import { requireNumbers } from "../check/index.ts";
import { concat, constant, Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import { inversePermutation } from "./axisPermutations.ts";
import { affineOfConcat, initialValues } from "./linear.ts";

/** The weights of a group of units. */
interface Block<T extends Tensor> {
  readonly units: readonly number[];
  /** Weights from the inputs of the same group, to be masked: [inputs, units]. */
  readonly weight: T;
  /** [units] */
  readonly bias: T;
  /** Weights from the inputs of each earlier group, which all units of this group may read: [inputs, units]. */
  readonly before: readonly { readonly weight: T }[];
}

export interface MaskedLinearOptions {
  /**
   * The highest degree of each group, ascending, the last one Infinity. With a single group the layer is one block, which reads
   * inputs in any number of groups.
   */
  readonly groupEnds: readonly number[];
  /** If false, each group of units has weights from all inputs, under a mask, which is faster for a layer with few inputs. */
  readonly groupInputs: boolean;
  /** Starts all weights and biases at 0. */
  readonly zeroInit: boolean;
  /** Also initializes weights that the mask multiplies by 0, which masks for other orderings need. */
  readonly initMasked: boolean;
}

/**
 * A masked linear layer of MADE: unit b reads only inputs of degree at most `maxDegrees[b]`.
 *
 * Inputs, sorted by degree, and units, sorted by maximum degree, are divided into the same groups. A unit reads all inputs of
 * earlier groups, no inputs of later groups, and the inputs of its own group that the mask allows. So only the blocks on the diagonal
 * need a mask, the blocks below it need none, and those above it are not stored: little more than half of the weights of a
 * dense layer.
 */
export class MaskedLinear<T extends Tensor = Parameter> {
  readonly inputDegrees: readonly number[];
  readonly maxDegrees: readonly number[];
  /** One block for each group of units. */
  readonly blocks: readonly Block<T>[];

  private constructor(
    inputDegrees: readonly number[],
    maxDegrees: readonly number[],
    blocks: readonly Block<T>[],
  ) {
    this.inputDegrees = inputDegrees;
    this.maxDegrees = maxDegrees;
    this.blocks = blocks;
  }

  /** A layer with random initial weights. Throws `MODEL` if a model file that is loaded has too few numbers for it. */
  static random(
    inputDegrees: readonly number[],
    maxDegrees: readonly number[],
    random: Random,
    { groupEnds, groupInputs, zeroInit, initMasked }: MaskedLinearOptions,
  ): MaskedLinear {
    const membersOf = (group: number, degrees: readonly number[]) =>
      degrees.flatMap((degree, i) => (groupEnds.findIndex((end) => degree <= end) === group ? [i] : []));
    const groupsOfInputs = groupEnds.map((_, group) =>
      groupInputs ? membersOf(group, inputDegrees) : inputDegrees.map((_, i) => i),
    );
    const groups = groupEnds.map((_, group) => ({
      units: membersOf(group, maxDegrees),
      inputs: groupsOfInputs[group],
      inputsBefore: groupInputs ? groupsOfInputs.slice(0, group) : [],
    }));
    // Checked before initial values are drawn for a dense layer, which has a few times as many weights.
    requireNumbers(
      groups.reduce(
        (sum, { units, inputs, inputsBefore }) =>
          sum + units.length * [inputs, ...inputsBefore].flat().length,
        0,
      ),
    );
    const initial = initialValues(inputDegrees.length, maxDegrees.length, random, { zeroInit });
    const [weights, biases] = [initial.weight(), initial.bias()];
    const blocks = groups.map(({ units, inputs, inputsBefore }): Block<Parameter> => {
      const weightsFrom = (rows: readonly number[]) =>
        selectWeights(
          weights,
          rows,
          units,
          maxDegrees.length,
          (input, unit) => initMasked || inputDegrees[input] <= maxDegrees[unit],
        );
      return {
        units,
        weight: weightsFrom(inputs),
        bias: new Parameter(
          [units.length],
          units.map((unit) => biases[unit]),
          { domain: WEIGHT },
        ),
        before: inputsBefore.map((rows) => ({ weight: weightsFrom(rows) })),
      };
    });
    return new MaskedLinear(inputDegrees, maxDegrees, blocks);
  }

  /** A layer of one block with other weights under the same mask. */
  with(change: { weight(weight: Tensor): Tensor; bias(bias: Tensor): Tensor }): MaskedLinear<Tensor> {
    const blocks = this.blocks.map(({ weight, bias, ...rest }) => ({
      ...rest,
      weight: change.weight(weight),
      bias: change.bias(bias),
    }));
    return new MaskedLinear<Tensor>(this.inputDegrees, this.maxDegrees, blocks);
  }

  /** Maps the inputs of each group, [N, inputs], or all inputs if they are not grouped, to the units of each group, [N, units]. */
  apply(groups: readonly Tensor[]): Tensor[] {
    const { blocks } = this;
    return blocks.map((block) => {
      const weights = this.maskedWeights(block);
      // A single block has a row for each input of all groups.
      if (blocks.length === 1) return affineOfConcat(groups, weights[0], block.bias);
      return weights.reduce((sum: Tensor, weight, g) => groups[g].affine(weight, sum), block.bias);
    });
  }

  /** The units of all groups as one tensor, in the order of `maxDegrees`: [N, units]. */
  applyInUnitOrder(groups: readonly Tensor[]): Tensor {
    const order = this.blocks.flatMap(({ units }) => units);
    return concat(this.apply(groups), 1).gather(-1, inversePermutation(order));
  }

  /**
   * The block with the units of this maximum degree. Its units are sorted by maximum degree, and its weight has a row for each
   * input that they read. Undefined if there are no such units.
   */
  blockWith(maxDegree: number): { weight: Tensor; bias: Tensor; maxDegrees: number[] } | undefined {
    const block = this.blocks.find(({ units }) => units.some((unit) => this.maxDegrees[unit] === maxDegree));
    if (!block) return undefined;
    const { units, weight, bias, before } = block;
    const order = units
      .map((_, i) => i)
      .sort((i, k) => this.maxDegrees[units[i]] - this.maxDegrees[units[k]] || i - k);
    const rows = [...before.map(({ weight }) => weight), weight];
    return {
      weight: (rows.length > 1 ? concat(rows, 0) : weight).gather(1, order),
      bias: bias.gather(0, order),
      maxDegrees: order.map((i) => this.maxDegrees[units[i]]),
    };
  }

  /** The weights of a block from each group of inputs, 0 under the mask. */
  private maskedWeights({ units, weight, before }: Block<T>): Tensor[] {
    const start = before.reduce((sum, { weight }) => sum + rowsOf(weight), 0);
    return [...before.map(({ weight }) => weight), this.masked(weight, start, units)];
  }

  /** The product of a weight, whose first row is input `start`, and its mask. */
  private masked(weight: Tensor, start: number, units: readonly number[]): Tensor {
    const rows = rowsOf(weight);
    const maxDegrees = units.map((unit) => this.maxDegrees[unit]);
    const mask: number[] = [];
    for (const degree of this.inputDegrees.slice(start, start + rows))
      for (const maxDegree of maxDegrees) mask.push(degree <= maxDegree ? 1 : 0);
    return mask.includes(0) ? weight.mul(constant(mask, [rows, units.length])) : weight;
  }
}

const rowsOf = (weight: Tensor) => weight.shape[0] as number;

/** Rows and columns of the weight of a dense layer with `width` columns, 0 where `keep` is false. */
function selectWeights(
  weights: Float32Array,
  rows: readonly number[],
  columns: readonly number[],
  width: number,
  keep: (row: number, column: number) => boolean,
): Parameter {
  const values = new Float32Array(rows.length * columns.length);
  rows.forEach((row, i) => {
    columns.forEach((column, k) => {
      if (keep(row, column)) values[i * columns.length + k] = weights[row * width + column];
    });
  });
  return new Parameter([rows.length, columns.length], values, { domain: WEIGHT, decay: true });
}
