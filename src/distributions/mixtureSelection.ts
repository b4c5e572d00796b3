import type { DataRows } from "../bijections/bijection.ts";
import { Random } from "../random/index.ts";
import { fitGaussianMixture, type MixtureFit, meanLogDensity } from "./expectationMaximization.ts";

/** Rows, and rounds of expectation maximization, that are enough to choose by. */
const ENOUGH = 5_000;
const ROUNDS = 30;
const RIDGES = [1e-3, 1e-6];
const SEEDS = [0, 1, 2];

/**
 * Chooses the number of components (1, 2, 4, ... up to `most`), the ridge and the start that give held-out rows the highest
 * mean log-density, one after the other. Without held-out rows one in six of the rows judges the choice, and the chosen
 * mixture is then fitted to all.
 */
export function chooseGaussianMixture(data: DataRows, most: number, heldOut?: DataRows): MixtureFit {
  const order = new Random(0).split("mixture selection").permutation(data.rows).subarray(0, ENOUGH);
  const held = heldOut ? 0 : Math.max(1, Math.floor(order.length / 6));
  const judged = heldOut ?? select(data, order.subarray(0, held));
  const fitted = select(data, order.subarray(held));
  const fits = (components: number) => components <= most && components <= fitted.rows;
  let best = { components: 1, ridge: RIDGES[0], seed: SEEDS[0], score: Number.NEGATIVE_INFINITY };
  const attempt = (choice: { components?: number; ridge?: number; seed?: number }): boolean => {
    const candidate = { ...best, ...choice };
    const score = meanLogDensity(
      fitGaussianMixture(fitted, candidate.components, { ...candidate, iterations: ROUNDS }),
      judged,
    );
    const better = score > best.score;
    if (better) best = { ...candidate, score };
    return better;
  };
  let misses = 0;
  for (let components = 1; fits(components) && misses < 2; components *= 2) {
    const better = RIDGES.map((ridge) => attempt({ components, ridge })).includes(true);
    misses = better ? 0 : misses + 1;
  }
  for (const seed of SEEDS.slice(1)) attempt({ seed });
  return fitGaussianMixture(data, best.components, best);
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
