import { maf } from "../../../src/index.ts";

/** log p of two rows, which a page and Node compute. */
export async function logProbInFloat64(): Promise<number[]> {
  const flow = maf(2, { transforms: 1, hidden: [4], seed: 2 });
  return [...(await flow.logProb([0.5, -1, 2, 3], undefined, { precision: "float64" }))];
}
