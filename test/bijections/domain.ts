import type { Bijection, Description } from "../../src/bijections/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { Case } from "./cases.ts";
import { type Rows, rowsFor } from "./invariants.ts";

/**
 * Rows for both sides of a bijection, as `rowsFor` has them, put where it is defined: latent rows and, with a map onto a part
 * of space, data rows that it makes of others. Such maps squeeze what is far out until floats cannot tell it apart, so their
 * rows stay near the origin.
 */
export async function rowsWithin(example: Case, bijection: Bijection, scale = 1): Promise<Rows> {
  const rows = rowsFor(bijection, example.hasSupport ? scale / 3 : scale);
  const into = domainOf(example.description);
  const within = { ...rows, z: rows.z.map(into), x: rows.x.map(into) };
  if (!example.hasSupport) return within;
  const forward = compile((z) => bijection.forward(z).value, [["N", bijection.features]], {
    precision: "float64",
  });
  return { ...within, x: Float64Array.from(await forward(within.x)) };
}

/** Whether there are rows on which a bijection is not defined: its log-determinant is -Infinity there. */
export const isBounded = ({ hasSupport, description }: Case): boolean =>
  hasSupport || JSON.stringify(description).includes('"tails":"none"');

/** An increasing map of the line into the part of it that latent rows may have. */
function domainOf(description: Description): (u: number) => number {
  const text = JSON.stringify(description);
  const bound = text.includes('"circularSpline"') ? Math.PI : 3;
  if (text.includes('"tails":"none"') || text.includes('"circularSpline"'))
    return (u) => bound * Math.tanh(u / bound);
  return text.includes('"power"') ? Math.exp : (u) => u;
}
