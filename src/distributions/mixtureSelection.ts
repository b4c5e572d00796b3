import type { DataRows } from "../bijections/bijection.ts";
import { Random } from "../random/index.ts";
import { fitGaussianMixture, type MixtureFit, meanLogDensity } from "./expectationMaximization.ts";

/** Rows that are enough to choose by. */
const ENOUGH = 10_000;
const RIDGES = [1e-3, 1e-4, 1e-6];
const SEEDS = [0, 1, 2];

/**
 * Chooses the number of components (1, 2, 4, ... up to `most`), the ridge and the start that give held-out rows (one in
 * six) the highest mean log-density, one after the other, and fits all rows with them.
 */
export function chooseGaussianMixture(data: DataRows, most: number): MixtureFit {
  const order = new Random(0).split("mixture selection").permutation(data.rows).subarray(0, ENOUGH);
  const held = Math.max(1, Math.floor(order.length / 6));
  const judged = select(data, order.subarray(0, held));
  const fitted = select(data, order.subarray(held));
  let best = { components: 1, ridge: 1e-4, seed: 0, score: Number.NEGATIVE_INFINITY };
  const attempt = (components: number, ridge: number, seed: number): boolean => {
    const score = meanLogDensity(fitGaussianMixture(fitted, components, { ridge, seed }), judged);
    const better = score > best.score;
    if (better) best = { components, ridge, seed, score };
    return better;
  };
  if (fitted.rows > 0) {
    let misses = 0;
    for (let k = 1; k <= most && misses < 2; k *= 2) misses = attempt(k, best.ridge, best.seed) ? 0 : misses + 1;
    for (const ridge of RIDGES) if (ridge !== best.ridge) attempt(best.components, ridge, best.seed);
    for (const seed of SEEDS) if (seed !== best.seed) attempt(best.components, best.ridge, seed);
  }
  return fitGaussianMixture(data, best.components, { ridge: best.ridge, seed: best.seed });
}

function select({ features, values, weights }: DataRows, chosen: Int32Array): DataRows {
  const out = new Float64Array(chosen.length * features);
  chosen.forEach((row, i) => {
    out.set(values.subarray(row * features, (row + 1) * features), i * features);
  });
  return {
    rows: chosen.length,
    features,
    values: out,
    ...(weights && { weights: Float64Array.from(chosen, (row) => weights[row]) }),
  };
}
