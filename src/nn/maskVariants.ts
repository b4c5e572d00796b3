import * as z from "zod/mini";
import { currentVariant, type Tensor } from "../graph/index.ts";
import { sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { AxisPermutations, columnPermutations, drawPermutations } from "./axisPermutations.ts";
import type { MaskedMLP, MaskedNetwork } from "./maskedMLP.ts";

/**
 * The number of variants that share weights. It is limited because each variant adds permutations to a graph. Uria et al. (2014)
 * average over up to 128 variants.
 */
export const variantCountSchema = sizeSchema.check(z.maximum(256));

export interface MaskVariantsOptions {
  /** The orderings of the features, one for each variant. */
  readonly features: AxisPermutations;
  /** The feature of each input. By default input i is feature i. */
  readonly inputs?: readonly number[] | undefined;
  /** The feature of each output column. */
  readonly columns: readonly number[];
  /** Draws permutations of the hidden units, which give other connectivity masks. By default these are not permuted. */
  readonly hidden?: Random | undefined;
}

/**
 * Orderings and connectivity masks that share the weights of one masked network (order-agnostic and connectivity-agnostic
 * training: Germain et al. 2015, sections 4.2 and 4.3; Uria et al. 2014).
 *
 * The masks of the network are for features in their natural order. A variant permutes the rows and columns of the weights, and
 * not the masks, so the incremental evaluation visits the features in the same order in every variant. Variant 0 has the first
 * ordering and does not permute hidden units.
 */
export class MaskVariants {
  private readonly features: AxisPermutations;
  /** For each layer, the permutations of the rows and columns of its weight. */
  private readonly layers: readonly {
    readonly rows: AxisPermutations | undefined;
    readonly columns: AxisPermutations | undefined;
  }[];

  constructor({ layers, options }: MaskedMLP, { features, inputs, columns, hidden }: MaskVariantsOptions) {
    const { permutations } = features;
    const inputPermutations = inputs ? columnPermutations(inputs, features) : features;
    // Context comes after the inputs and is not permuted.
    const contextColumns = Array.from(
      { length: layers[0].inputDegrees.length - inputPermutations.size },
      (_, i) => inputPermutations.size + i,
    );
    const hiddenPermutations = layers.slice(1).map(({ inputDegrees }, i) => {
      const identity = inputDegrees.map((_, unit) => unit);
      // The layers of a residual network have the same permutation, since the output of a block is added to its input.
      return (
        hidden && drawPermutations(identity, permutations.length, hidden.split(options.residual ? 0 : i))
      );
    });
    const rows = [
      new AxisPermutations(inputPermutations.permutations.map((order) => [...order, ...contextColumns])),
      ...hiddenPermutations,
    ];
    const columnsOfLayers = [...hiddenPermutations, columnPermutations(columns, features)];
    this.features = features;
    this.layers = rows.map((permutations, i) => ({ rows: permutations, columns: columnsOfLayers[i] }));
  }

  /** The network with its weights permuted for the variant that is being traced. */
  current(network: MaskedMLP): MaskVariant {
    const { features, layers } = this;
    const variant = currentVariant(features.permutations.length);
    const permute = (x: Tensor, axis: number, permutations: AxisPermutations | undefined) =>
      permutations?.apply(x, axis, variant) ?? x;
    return {
      network: network.with((layer, i) => {
        const { rows, columns } = layers[i];
        return layer.with({
          weight: (weight) => permute(permute(weight, 0, rows), 1, columns),
          bias: (bias) => permute(bias, 0, columns),
        });
      }),
      toNetworkOrder: (x) => features.apply(x, 1, variant),
      toFeatureOrder: (x) => features.applyInverse(x, 1, variant),
    };
  }
}

/** A masked network and the ordering of its features. */
export interface MaskVariant {
  readonly network: MaskedNetwork;
  /** From features in the order of the data, [N, D], to the order of the network. */
  toNetworkOrder(x: Tensor): Tensor;
  /** The inverse of `toNetworkOrder`. */
  toFeatureOrder(x: Tensor): Tensor;
}

/** The only variant of a network whose masks contain its ordering. */
export const singleVariant = (network: MaskedNetwork): MaskVariant => ({
  network,
  toNetworkOrder: (x) => x,
  toFeatureOrder: (x) => x,
});
