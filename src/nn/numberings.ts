import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import { variantOf } from "../graph/tracing/variant.ts";
import type { Random } from "../random/index.ts";
import type { MaskedMLP, MaskedNetwork } from "./maskedMLP.ts";

/** Number of masks or orders that share weights. Uria et al. (2014) average over up to 128; each has its own lists of units. */
export const variantsSchema = sizeSchema.check(z.maximum(256));

/** Permutations of one axis, one for each variant: place j has what is at `orders[m][j]` outside. */
export class Orders {
  readonly orders: readonly Int32Array[];

  constructor(orders: readonly ArrayLike<number>[]) {
    this.orders = orders.map((order) => Int32Array.from(order));
  }

  get size(): number {
    return this.orders[0].length;
  }

  /** An axis in the order of a variant, a number or one-hot numbers. */
  apply(x: Tensor, axis: number, variant: number | Tensor): Tensor {
    return this.reorder(x, axis, variant, false);
  }

  /** Back from the order of a variant. */
  undo(x: Tensor, axis: number, variant: number | Tensor): Tensor {
    return this.reorder(x, axis, variant, true);
  }

  private reorder(x: Tensor, axis: number, variant: number | Tensor, back: boolean): Tensor {
    if (typeof variant === "number")
      return x.gather(axis, back ? inverseOrder(this.orders[variant]) : this.orders[variant]);
    // Not a product of matrices, which some devices round to fewer digits than a place has.
    const chosen = (orders: readonly ArrayLike<number>[]) =>
      variant
        .reshape([orders.length, 1])
        .mul(
          constant(
            orders.flatMap((order) => Array.from(order)),
            [orders.length, this.size],
          ),
        )
        .sum(0);
    const [there, undone] = [chosen(this.orders), chosen(this.orders.map(inverseOrder))];
    return back ? x.permute(axis, undone, there) : x.permute(axis, there, undone);
  }
}

/** The order that undoes another: where each of 0 ... D - 1 stands in it. */
export function inverseOrder(order: ArrayLike<number>): number[] {
  const places = new Array<number>(order.length);
  for (let place = 0; place < order.length; place++) places[order[place]] = place;
  return places;
}

/** `count` orders, the first one given, the others drawn. */
export const drawnOrders = (first: readonly number[], count: number, random: Random): Orders =>
  new Orders(
    Array.from({ length: count }, (_, m) => (m === 0 ? first : random.split(m).permutation(first.length))),
  );

/**
 * Orders of the columns that belong to features, as those do: `columns[c]` is the feature of column c, and the r-th column of
 * a feature goes where the r-th one of its place is.
 */
export function columnOrders(columns: readonly number[], { orders }: Orders): Orders {
  const ofFeature: number[][] = [];
  const ranks = columns.map((feature, column) => {
    ofFeature[feature] ??= [];
    return ofFeature[feature].push(column) - 1;
  });
  return new Orders(
    orders.map((order) => columns.map((place, column) => ofFeature[order[place]][ranks[column]])),
  );
}

/** What is numbered anew: the features, and the units of each hidden layer if `hidden`. */
export interface NumberingsOptions {
  readonly features: Orders;
  /** The feature of each input, if not each feature once. */
  readonly inputs?: readonly number[];
  /** The feature of each output column. */
  readonly columns: readonly number[];
  readonly hidden?: Random;
}

/**
 * Several numberings of a masked network's units with the same weights, which trains it over as many orderings and masks
 * (Germain et al. 2015, sections 4.2 and 4.3; Uria et al. 2014). The network is one of features in their natural order, with
 * all its weights: rows and columns of these are permuted, and the mask stays where it is, so that a sweep over the features
 * goes the same way in every variant.
 *
 * Variant 0 has the first of the orders and the network's own numbering of hidden units.
 */
export class Numberings {
  private readonly features: Orders;
  /** Of the rows and the columns of each layer. */
  private readonly layers: readonly { readonly rows?: Orders; readonly columns?: Orders }[];

  constructor({ layers, options }: MaskedMLP, { features, inputs, columns, hidden }: NumberingsOptions) {
    const { orders } = features;
    const own = inputs ? columnOrders(inputs, features) : features;
    const context = Array.from({ length: layers[0].degrees.length - own.size }, (_, i) => own.size + i);
    const units = layers.slice(1).map(({ degrees }, i) => {
      const natural = degrees.map((_, unit) => unit);
      // What a residual block adds to must have its numbering.
      return hidden && drawnOrders(natural, orders.length, hidden.split(options.residual ? 0 : i));
    });
    this.features = features;
    const between = [new Orders(own.orders.map((order) => [...order, ...context])), ...units];
    this.layers = between.map((rows, i) => ({
      rows,
      columns: [...units, columnOrders(columns, features)][i],
    }));
  }

  /** The variant that is traced now: its network, which takes and gives features in its order, and the way there and back. */
  current(network: MaskedMLP): Variant {
    const { features, layers } = this;
    const variant = variantOf(features.orders.length);
    const reorder = (x: Tensor, axis: number, orders?: Orders) => orders?.apply(x, axis, variant) ?? x;
    return {
      network: network.with((layer, i) => {
        const { rows, columns } = layers[i];
        return layer.with({
          weight: (weight) => reorder(reorder(weight, 0, rows), 1, columns),
          bias: (bias) => reorder(bias, 0, columns),
        });
      }),
      toOrder: (x) => features.apply(x, 1, variant),
      toFeatures: (x) => features.undo(x, 1, variant),
    };
  }
}

export interface Variant {
  readonly network: MaskedNetwork;
  toOrder(x: Tensor): Tensor;
  toFeatures(x: Tensor): Tensor;
}

/** The only variant of a network that has its order in its masks. */
export const single = (network: MaskedNetwork): Variant => ({
  network,
  toOrder: (x) => x,
  toFeatures: (x) => x,
});
