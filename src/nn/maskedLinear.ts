import { concat, constant, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { Linear } from "./linear.ts";

/**
 * A linear layer in which unit b sees the inputs of degree up to `reach[b]`, stored without most of what the mask forbids:
 * units are cut into groups by their reach, and a group's block has rows only for the inputs up to the group's bound.
 * Where both sides are sorted by degree the blocks are a staircase with little more than half of a dense layer's numbers.
 */
export class MaskedLinear {
  /** One for each group: columns are the group's units, rows the first inputs (or all, where they are not sorted). */
  readonly blocks: readonly Linear[];
  /** Degree of each input, and the highest degree that each unit sees. */
  readonly degrees: readonly number[];
  readonly reach: readonly number[];
  private readonly columns: readonly (readonly number[])[];

  /** `bounds` are the groups' highest degrees, ascending, the last one Infinity. */
  constructor(
    degrees: readonly number[],
    reach: readonly number[],
    bounds: readonly number[],
    random: Random,
    options: { readonly zero: boolean },
  ) {
    this.degrees = degrees;
    this.reach = reach;
    const sorted = degrees.every((degree, i) => i === 0 || degrees[i - 1] <= degree);
    const group = (degree: number) => bounds.findIndex((bound) => degree <= bound);
    const groups = bounds.map((_, g) => reach.flatMap((r, unit) => (group(r) === g ? [unit] : [])));
    this.columns = groups.filter((units) => units.length > 0);
    const whole = new Linear(degrees.length, reach.length, random, options);
    this.blocks =
      this.columns.length === 1
        ? [whole]
        : this.columns.map((units) => {
            const bound = bounds[group(reach[units[0]])];
            const rows = sorted ? degrees.filter((degree) => degree <= bound).length : degrees.length;
            return whole.part(rows, units);
          });
  }

  /** [N, inputs] -> [N, units]. */
  apply(x: Tensor): Tensor {
    const parts = this.blocks.map(({ weight, bias }, g) => {
      const rows = weight.shape[0] as number;
      return x.slice(1, 0, rows).affine(this.masked(weight, rows, this.columns[g]), bias);
    });
    const order = this.columns.flat();
    const joined = concat(parts, 1);
    if (order.every((unit, i) => unit === i)) return joined;
    return joined.gather(
      1,
      order.map((_, unit) => order.indexOf(unit)),
    );
  }

  /** The block that holds the units of this reach: its weight and bias, units in the order of their reach. */
  group(reach: number): { weight: Tensor; bias: Tensor; reach: number[] } {
    const g = this.columns.findIndex((units) => units.some((unit) => this.reach[unit] === reach));
    const units = this.columns[g];
    const order = units.map((_, i) => i).sort((i, k) => this.reach[units[i]] - this.reach[units[k]] || i - k);
    const { weight, bias } = this.blocks[g];
    return {
      weight: weight.gather(1, order),
      bias: bias.gather(0, order),
      reach: order.map((i) => this.reach[units[i]]),
    };
  }

  private masked(weight: Tensor, rows: number, units: readonly number[]): Tensor {
    const values = this.degrees
      .slice(0, rows)
      .flatMap((degree) => units.map((unit) => (degree <= this.reach[unit] ? 1 : 0)));
    return values.includes(0) ? weight.mul(constant(values, [rows, units.length])) : weight;
  }
}
