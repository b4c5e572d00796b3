import * as z from "zod/mini";

const finite = z.number().check(z.minimum(-1e30), z.maximum(1e30));
const unit = z.number().check(z.minimum(1e-30), z.maximum(1e30));

export const valueScaleSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("linear") }),
  z.strictObject({ type: z.literal("asinh"), unit }),
  z.strictObject({ type: z.literal("log"), low: finite }),
  z.strictObject({ type: z.literal("inverseSoftplus"), low: finite, unit }),
  z.strictObject({ type: z.literal("reversedLog"), high: finite }),
  z
    .strictObject({ type: z.literal("logit"), low: finite, high: finite })
    .check(z.refine(({ low, high }) => high > low, { path: ["high"], error: "a number above low" })),
]);

/**
 * An increasing map y(x) from the values of a column to all real numbers, which is applied before the `QuantileMap`:
 *
 * - `linear`: y = x
 * - `asinh`: y = asinh(x / unit), for columns with heavy tails on both sides
 * - `log`: y = log(x - low), for values above `low`
 * - `inverseSoftplus`: y = d + unit log(1 - exp(-d / unit)) with d = x - low, for values above `low`. This is about logarithmic within a
 *   unit of `low`, and about linear beyond a few units.
 * - `reversedLog`: y = -log(high - x), for values below `high`
 * - `logit`: y = log((x - low) / (high - x)), for values between `low` and `high`
 *
 * Outside the bounds the density is 0, and no sample lies there.
 */
export type ValueScale = z.output<typeof valueScaleSchema>;
