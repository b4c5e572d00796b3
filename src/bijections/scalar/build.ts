import { z } from "zod";
import { additiveTransform } from "./additive.ts";
import { affineTransform } from "./affine.ts";
import { rationalQuadraticSpline } from "./rationalQuadraticSpline.ts";
import type { ScalarTransform } from "./scalarTransform.ts";

export const scalarTransformSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("additive") }),
  z.strictObject({ type: z.literal("affine") }),
  z.strictObject({
    type: z.literal("rationalQuadraticSpline"),
    bins: z.int().positive().default(8),
    bound: z.number().positive().default(5),
  }),
]);

/** Which map of one variable a coupling or autoregressive bijection applies. */
export type ScalarTransformOptions = z.input<typeof scalarTransformSchema>;

export function buildScalarTransform(options: z.output<typeof scalarTransformSchema>): ScalarTransform {
  switch (options.type) {
    case "additive":
      return additiveTransform;
    case "affine":
      return affineTransform;
    case "rationalQuadraticSpline":
      return rationalQuadraticSpline(options.bins, options.bound);
  }
}
