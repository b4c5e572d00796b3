/** The set of rows [D] with a positive density, if it is not all of R^D. */
export type Support =
  /** x_i > 0 for all i. */
  | "positive"
  /** x_1 < x_2 < ... < x_D. */
  | "ordered"
  /** x_i > 0 for all i, with a sum below 1. */
  | "simplex"
  /** min < x_i < max for all i. */
  | { readonly min: number; readonly max: number }
  /** Any other set, in words or as a formula. */
  | { readonly description: string };

/** A support as a formula, for errors and documentation. */
export function formatSupport(support: Support): string {
  if (support === "positive") return "x > 0";
  if (support === "ordered") return "x_1 < x_2 < ... < x_D";
  if (support === "simplex") return "x_i > 0 with a sum below 1";
  return "description" in support ? support.description : `${support.min} < x < ${support.max}`;
}

/** The image of a support under further maps, in words. */
export const mappedSupport = (support: Support): Support => ({
  description: `the image of ${formatSupport(support)} under the maps that follow`,
});
