import { decodeModel } from "../../../src/tables/model/index.ts";

/** Loads a model file and returns the log-densities of rows. */
async function score(bytes: readonly number[], rows: readonly number[]): Promise<number[]> {
  const { flow } = await decodeModel(Uint8Array.from(bytes));
  return [...(await flow.logProb(rows))];
}

declare global {
  interface Window {
    score: typeof score;
  }
}

window.score = score;
