import { z } from "zod";
import { scalar, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, Description, Transformed } from "./bijection.ts";

/** A list that holds each of 0 ... D - 1 once. */
export const orderSchema = z
  .array(z.int().nonnegative())
  .min(1)
  .refine((order) => new Set(order).size === order.length && Math.max(...order) === order.length - 1, {
    error: "an order holds each of 0 to D - 1 once",
  });

export const permutationSchema = z.strictObject({ type: z.literal("permutation"), order: orderSchema });

/** x_i = z_order[i]; volume is kept. */
export class Permutation implements Bijection {
  readonly features: number;
  readonly context = 0;
  private readonly order: readonly number[];

  constructor({ order }: { order: readonly number[] }) {
    this.order = orderSchema.parse(order);
    this.features = order.length;
  }

  forward(z: Tensor): Transformed {
    return { value: z.gather(1, this.order), logDet: scalar(0) };
  }

  inverse(x: Tensor): Transformed {
    return {
      value: x.gather(
        1,
        this.order.map((_, i) => this.order.indexOf(i)),
      ),
      logDet: scalar(0),
    };
  }

  describe(): Description {
    return { type: "permutation", order: this.order };
  }
}

export const identityOrder = (features: number): number[] => Array.from({ length: features }, (_, i) => i);
export const reverseOrder = (features: number): number[] => identityOrder(features).reverse();
export const randomOrder = (features: number, random: Random): number[] =>
  Array.from(random.permutation(features));
