import { Parameter } from "../graph/parameter.ts";
import { concat, constant, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { Linear } from "./linear.ts";

/** The units of a group, and what they see. */
interface Block<T extends Tensor> {
  readonly units: readonly number[];
  /** From the inputs of the group itself (or all, in a layer of one block), under the mask: [inputs, units]. */
  readonly weight: T;
  /** [units] */
  readonly bias: T;
  /** From the inputs of all groups before, which the units of this one see without exception. */
  readonly before: { readonly weight: T } | undefined;
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
  readonly blocks: readonly Block<T>[];

  private constructor(degrees: readonly number[], reach: readonly number[], blocks: readonly Block<T>[]) {
    this.degrees = degrees;
    this.reach = reach;
    this.blocks = blocks;
  }

  /** `bounds` are the groups' highest degrees, ascending, the last one Infinity. */
  static random(
    degrees: readonly number[],
    reach: readonly number[],
    bounds: readonly number[],
    random: Random,
    options: { readonly zero: boolean },
  ): MaskedLinear {
    const whole = new Linear(degrees.length, reach.length, random, options);
    const lows = [Number.NEGATIVE_INFINITY, ...bounds];
    const blocks = bounds.flatMap((bound, g): Block<Parameter>[] => {
      const within = (degree: number) => degree > lows[g] && degree <= bound;
      const units = reach.flatMap((r, unit) => (within(r) ? [unit] : []));
      if (units.length === 0) return [];
      const start = degrees.filter((degree) => degree <= lows[g]).length;
      const end = degrees.filter((degree) => degree <= bound).length;
      return [
        {
          units,
          weight: part(whole.weight, start, end, units),
          bias: new Parameter([units.length], new Float32Array(units.map((unit) => whole.bias.value[unit]))),
          before: start > 0 ? { weight: part(whole.weight, 0, start, units) } : undefined,
        },
      ];
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

  /** [N, inputs] -> [N, units]. */
  apply(x: Tensor): Tensor {
    const parts = this.blocks.map(({ units, weight, bias, before }) => {
      const start = before ? size(before.weight) : 0;
      const seen = this.masked(weight, start, units);
      const own = x.slice(1, start, start + size(weight));
      if (!before) return own.affine(seen, bias);
      return own.matmul(seen).add(x.slice(1, 0, start).affine(before.weight, bias));
    });
    const order = this.blocks.flatMap(({ units }) => units);
    return concat(parts, 1).gather(
      1,
      order.map((_, unit) => order.indexOf(unit)),
    );
  }

  /** The block with the units of this reach, all in the order of their reach, with a row for each input that they see. */
  block(reach: number): { weight: Tensor; bias: Tensor; reach: number[] } | undefined {
    const found = this.blocks.find(({ units }) => units.some((unit) => this.reach[unit] === reach));
    if (!found) return undefined;
    const { units, weight, bias, before } = found;
    const order = units.map((_, i) => i).sort((i, k) => this.reach[units[i]] - this.reach[units[k]] || i - k);
    return {
      weight: (before ? concat([before.weight, weight], 0) : weight).gather(1, order),
      bias: bias.gather(0, order),
      reach: order.map((i) => this.reach[units[i]]),
    };
  }

  private masked(weight: Tensor, start: number, units: readonly number[]): Tensor {
    const rows = size(weight);
    const values = this.degrees
      .slice(start, start + rows)
      .flatMap((degree) => units.map((unit) => (degree <= this.reach[unit] ? 1 : 0)));
    return values.includes(0) ? weight.mul(constant(values, [rows, units.length])) : weight;
  }
}

const size = (weight: Tensor) => weight.shape[0] as number;

/** Rows start to end - 1 of the chosen columns of a dense layer's weight. */
function part(whole: Parameter, start: number, end: number, columns: readonly number[]): Parameter {
  const values = new Float32Array((end - start) * columns.length);
  for (let row = start, i = 0; row < end; row++)
    for (const column of columns) values[i++] = whole.value[row * whole.sizes[1] + column];
  return new Parameter([end - start, columns.length], values);
}
