import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { scalar, type Tensor } from "../graph/index.ts";
import { inversePermutation } from "../nn/index.ts";
import { countSchema, type Description } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";

/** A permutation of 0 ... D - 1. */
export const orderSchema = z.array(countSchema).check(
  z.minLength(1),
  z.refine((order) => new Set(order).size === order.length && order.every((index) => index < order.length), {
    error: "each of 0 to D - 1 once",
  }),
);

const permutationSchema = z.strictObject({ type: z.literal("permutation"), order: orderSchema });

/** The permutation x_i = z_order[i] of the D features, which preserves volume: log |det dx/dz| = 0. */
export class Permutation implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  private readonly order: readonly number[];

  /** Throws `ARGUMENT` if `order` [D] does not contain each of 0 to D - 1 once. */
  constructor(options: { order: readonly number[] }) {
    const { order } = parse(permutationSchema, { type: "permutation", ...options }, "a permutation");
    this.order = order;
    this.features = order.length;
  }

  forward(z: Tensor): Transformed {
    return { value: z.gather(-1, this.order), logDet: scalar(0) };
  }

  inverse(x: Tensor): Transformed {
    return { value: x.gather(-1, inversePermutation(this.order)), logDet: scalar(0) };
  }

  describe(): Description {
    return { type: "permutation", order: this.order };
  }
}

export const permutationKind: BijectionKind<typeof permutationSchema> = {
  schema: permutationSchema,
  build: (description) => new Permutation(description),
};

/** 0, 1, ..., D - 1. */
export const identityOrder = (features: number): number[] => Array.from({ length: features }, (_, i) => i);

/** D - 1, ..., 1, 0. */
export const reverseOrder = (features: number): number[] => identityOrder(features).reverse();

/** A permutation drawn uniformly from all D!. */
export const randomOrder = (features: number, random: Random): number[] =>
  Array.from(random.permutation(features));
