import type { Bijection } from "../../src/bijections/index.ts";
import type { Description } from "../../src/parts/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { Case } from "./cases.ts";
import { type Rows, rowsFor } from "./invariants.ts";

/**
 * Latent and data rows in the domain of a bijection: those of `rowsFor`, mapped into the domain; for a bijection with a support, data
 * rows are its samples. Such bijections map distant latent rows to nearly equal numbers, so their rows stay near the origin.
 */
export async function rowsInDomain(example: Case, bijection: Bijection, scale = 1): Promise<Rows> {
  const rows = rowsFor(bijection, example.hasSupport ? scale / 3 : scale);
  const mapIntoDomain = domainOf(example.description);
  const rowsOfDomain = { ...rows, z: rows.z.map(mapIntoDomain), x: rows.x.map(mapIntoDomain) };
  if (!example.hasSupport) return rowsOfDomain;
  const forward = compile((z) => bijection.forward(z).value, [["N", bijection.features]], {
    precision: "float64",
  });
  return { ...rowsOfDomain, x: Float64Array.from(await forward(rowsOfDomain.x)) };
}

/** Whether there are rows outside the domain of a bijection, where its log-determinant is -Infinity. */
export const hasBoundedDomain = ({ hasSupport, description }: Case): boolean =>
  hasSupport || JSON.stringify(description).includes('"tails":"none"');

/** An increasing function from the real line into the domain of latent rows. */
function domainOf(description: Description): (u: number) => number {
  const text = JSON.stringify(description);
  const bound = text.includes('"circularSpline"') ? Math.PI : 3;
  if (text.includes('"tails":"none"') || text.includes('"circularSpline"'))
    return (u) => bound * Math.tanh(u / bound);
  return text.includes('"power"') ? Math.exp : (u) => u;
}
