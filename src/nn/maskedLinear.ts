import { Parameter, WEIGHT } from "../graph/parameter.ts";
import { concat, constant, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { requireNumbers } from "../sizeBudget.ts";
import { affineOfParts, startOf } from "./linear.ts";

/** The units of a group, and what they see. */
interface Block<T extends Tensor> {
  readonly units: readonly number[];
  /** From the inputs of the group itself, under the mask: [inputs, units]. */
  readonly weight: T;
  /** [units] */
  readonly bias: T;
  /** From the inputs of each group before, which the units of this one see without exception: [inputs, units]. */
  readonly before: readonly { readonly weight: T }[];
}

/**
 * A linear layer in which unit b sees the inputs of degree up to `reach[b]`, stored without most of what the mask forbids.
 * Inputs, sorted by degree, and units, by their reach, are cut into the same groups: a unit sees all inputs of the groups
 * before its own, none of those after, and of its own what the mask allows. These blocks are a staircase with little more
 * than half of a dense layer's numbers, and most of them need no mask.
 */
export class MaskedLinear<T extends Tensor = Parameter> {
  /** Degree of each input, and the highest degree that each unit sees. */
  readonly degrees: readonly number[];
  readonly reach: readonly number[];
  /** One for each group of units. */
  readonly blocks: readonly Block<T>[];

  private constructor(degrees: readonly number[], reach: readonly number[], blocks: readonly Block<T>[]) {
    this.degrees = degrees;
    this.reach = reach;
    this.blocks = blocks;
  }

  /**
   * `bounds` are the groups' highest degrees, ascending, the last one Infinity; with that alone the layer is a single block, for
   * inputs in any number of groups. If the layer is `thin`, with few inputs, these are not cut: every group of units has all of
   * them under its mask. A `whole` layer starts with numbers under the mask too,
   * any other with zeros.
   */
  static random(
    degrees: readonly number[],
    reach: readonly number[],
    bounds: readonly number[],
    random: Random,
    { thin, zero, whole }: Readonly<Record<"thin" | "zero" | "whole", boolean>>,
  ): MaskedLinear {
    const members = (values: readonly number[], group: number) =>
      values.flatMap((value, i) => (bounds.findIndex((bound) => value <= bound) === group ? [i] : []));
    const inputsOf = bounds.map((_, g) => (thin ? degrees.map((_, i) => i) : members(degrees, g)));
    const places = bounds.map((_, g) => ({
      units: members(reach, g),
      own: inputsOf[g],
      before: thin ? [] : inputsOf.slice(0, g),
    }));
    // Numbers are drawn for a dense layer, which has a few times as many.
    requireNumbers(
      places.reduce((sum, { units, own, before }) => sum + units.length * [own, ...before].flat().length, 0),
    );
    const dense = startOf(degrees.length, reach.length, random, { zero });
    const [weights, biases] = [dense.weight(), dense.bias()];
    const blocks = places.map(({ units, own, before }): Block<Parameter> => {
      const from = (inputs: readonly number[]) =>
        part(weights, inputs, units, reach.length, (input, unit) => whole || degrees[input] <= reach[unit]);
      return {
        units,
        weight: from(own),
        bias: new Parameter(
          [units.length],
          units.map((unit) => biases[unit]),
          { domain: WEIGHT },
        ),
        before: before.map((inputs) => ({ weight: from(inputs) })),
      };
    });
    return new MaskedLinear(degrees, reach, blocks);
  }

  /** A layer of one block with other numbers under its mask. */
  with(change: { weight(weight: Tensor): Tensor; bias(bias: Tensor): Tensor }): MaskedLinear<Tensor> {
    const blocks = this.blocks.map(({ weight, bias, ...rest }) => ({
      ...rest,
      weight: change.weight(weight),
      bias: change.bias(bias),
    }));
    return new MaskedLinear<Tensor>(this.degrees, this.reach, blocks);
  }

  /** The inputs of each group (all together for a thin layer), [N, inputs], to the units of each group, [N, units]. */
  apply(groups: readonly Tensor[]): Tensor[] {
    const { blocks } = this;
    return blocks.map((block) => {
      const weights = this.weights(block);
      // The weight of a single block has rows for all groups.
      if (blocks.length === 1) return affineOfParts(groups, weights[0], block.bias);
      return weights.reduce((sum: Tensor, weight, k) => groups[k].affine(weight, sum), block.bias);
    });
  }

  /** The same as one tensor, in the order of the units: [N, units]. */
  applyInOrder(groups: readonly Tensor[]): Tensor {
    const order = this.blocks.flatMap(({ units }) => units);
    return concat(this.apply(groups), 1).gather(
      -1,
      order.map((_, unit) => order.indexOf(unit)),
    );
  }

  /** The block with the units of this reach, all in the order of their reach, with a row for each input that they see. */
  block(reach: number): { weight: Tensor; bias: Tensor; reach: number[] } | undefined {
    const found = this.blocks.find(({ units }) => units.some((unit) => this.reach[unit] === reach));
    if (!found) return undefined;
    const { units, weight, bias, before } = found;
    const order = units.map((_, i) => i).sort((i, k) => this.reach[units[i]] - this.reach[units[k]] || i - k);
    const rows = [...before.map(({ weight }) => weight), weight];
    return {
      weight: (rows.length > 1 ? concat(rows, 0) : weight).gather(1, order),
      bias: bias.gather(0, order),
      reach: order.map((i) => this.reach[units[i]]),
    };
  }

  /** What the units of a block see of each group of inputs, what the mask forbids being 0. */
  private weights({ units, weight, before }: Block<T>): Tensor[] {
    const start = before.reduce((sum, { weight }) => sum + size(weight), 0);
    return [...before.map(({ weight }) => weight), this.masked(weight, start, units)];
  }

  private masked(weight: Tensor, start: number, units: readonly number[]): Tensor {
    const rows = size(weight);
    const reach = units.map((unit) => this.reach[unit]);
    const values: number[] = [];
    for (const degree of this.degrees.slice(start, start + rows))
      for (const highest of reach) values.push(degree <= highest ? 1 : 0);
    return values.includes(0) ? weight.mul(constant(values, [rows, units.length])) : weight;
  }
}

const size = (weight: Tensor) => weight.shape[0] as number;

/** The chosen rows and columns of a dense layer's weight, 0 where the mask is. */
function part(
  numbers: Float32Array,
  rows: readonly number[],
  columns: readonly number[],
  width: number,
  mask: (row: number, column: number) => boolean,
): Parameter {
  const values = new Float32Array(rows.length * columns.length);
  rows.forEach((row, i) => {
    columns.forEach((column, k) => {
      if (mask(row, column)) values[i * columns.length + k] = numbers[row * width + column];
    });
  });
  return new Parameter([rows.length, columns.length], values, { domain: WEIGHT, decay: true });
}
