import { range } from "../dataset/range.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { Mixture } from "../distributions/mixture.ts";
import {
  asSubsetDistribution,
  isSubsetDistribution,
  knownFeatures,
  type Subset,
  type SubsetDistribution,
} from "../distributions/subsetDistribution.ts";
import { PushforwardError } from "../errors.ts";
import type { Floats } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parametersOf } from "../nn/module.ts";
import { Random } from "../random/index.ts";
import { BatchRunner, type RowInput, type RunOptions } from "./batchRunner.ts";

/** Rows [N, D] in row-major order, and which of their features are known: [N, D], 1 or 0. */
export interface PartialRows {
  readonly values: Float64Array;
  readonly known: Uint8Array;
}

/** Whether a distribution, or a component of a mixture, has exact marginal distributions of any subset of features. */
export const hasExactConditionals = (distribution: Distribution): boolean =>
  isSubsetDistribution(distribution) ||
  (distribution instanceof Mixture && distribution.distributions.some(isSubsetDistribution));

/**
 * The distribution itself if it has exact marginal distributions of any subset of features. For a mixture, returns the mixture of
 * those components that have them, with the same relative weights; `share` is the sum of their weights in the original mixture.
 * Throws `ARGUMENT` if there is none.
 */
export function withExactConditionals(distribution: Distribution): {
  distribution: SubsetDistribution;
  share: number;
} {
  if (isSubsetDistribution(distribution) || !(distribution instanceof Mixture))
    return { distribution: asSubsetDistribution(distribution), share: 1 };
  const weights = distribution.weights;
  const exactIndices = distribution.distributions.flatMap((each, k) =>
    isSubsetDistribution(each) ? [k] : [],
  );
  if (exactIndices.length === 0) {
    throw new PushforwardError("ARGUMENT", "no member of the model has exact conditional distributions", {
      received: distribution.distributions.map((each) => each.describe().type).join(", "),
      hint: "Fit the default model, which has such members.",
    });
  }
  const share = exactIndices.reduce((sum, k) => sum + weights[k], 0);
  const components = exactIndices.map((k) => distribution.distributions[k]);
  const exactWeights = exactIndices.map((k) => Math.max(weights[k], Number.MIN_VALUE));
  const mixture =
    components.length === 1
      ? components[0]
      : new Mixture(components, { weights: exactWeights, learned: false });
  return { distribution: asSubsetDistribution(mixture), share };
}

/** Computes and draws from the conditional distributions p(unknown features | known features) of rows with any known features. */
export class ConditionalRows {
  private readonly distribution: SubsetDistribution;
  private readonly runner: BatchRunner;

  constructor(distribution: SubsetDistribution) {
    this.distribution = distribution;
    this.runner = new BatchRunner(() => parametersOf(distribution));
  }

  /**
   * Replaces the unknown features of each row by a draw from their joint conditional distribution, feature by feature. With `present`
   * they are never missing. Row n depends only on the seed, on `start` + n, and on its known features.
   */
  async complete(
    { values, known }: PartialRows,
    { seed, start, present }: { seed: number; start: number; present: boolean },
    run: RunOptions = {},
  ): Promise<Float64Array> {
    const { distribution } = this;
    const { features: D } = distribution;
    const completed = values.slice();
    for (const { rows, features: given } of patterns(known, D)) {
      const features = [...given];
      for (let feature = 0; feature < D; feature++) {
        if (given.includes(feature)) continue;
        const random = new Random(seed).split(feature);
        const noise = distribution.noise.map(({ kind, size }, i): RowInput => {
          const source = random.split(i);
          return rowsInput(rows, size, (target, row) =>
            source[kind](target, { offset: (start + row) * size }),
          );
        });
        const drawn = await this.run(
          `draw ${present}`,
          (x, subset, ...noise) => distribution.sampleEach(noise, x, subset, { present }),
          { values: completed, rows, features },
          noise,
          run,
        );
        rows.forEach((row, n) => {
          completed[row * D + feature] = drawn[n * D + feature];
        });
        features.push(feature);
      }
    }
    return completed;
  }

  /**
   * log p(x_of | x_given) of each row of `values` [N, D], from indices of features. The given features come first in the factorization,
   * as they do when `complete` draws, so that this is the density of its draws, and integrates to 1.
   */
  async logProb(
    values: Float64Array,
    { of, given }: { of: readonly number[]; given: readonly number[] },
    run: RunOptions = {},
  ): Promise<Float64Array> {
    const rows = range(values.length / this.distribution.features);
    const density = (x: Tensor, subset: Subset) => this.distribution.logProbKnown(x, subset);
    const logProbKnown = (features: readonly number[]) =>
      this.run("density", density, { values, rows, features }, [], run);
    const joint = await logProbKnown([...given, ...of]);
    if (given.length === 0) return joint;
    const ofGiven = await logProbKnown(given);
    return joint.map((value, n) => value - ofGiven[n]);
  }

  /** Waits for the calls before, and then frees sessions and worker threads. */
  release(): Promise<void> {
    return this.runner.release();
  }

  private async run(
    name: string,
    build: (x: Tensor, subset: Subset, ...noise: Tensor[]) => Tensor,
    { values, rows, features }: Pattern & { values: Float64Array },
    noise: readonly RowInput[],
    options: RunOptions,
  ): Promise<Float64Array> {
    const D = this.distribution.features;
    const { known, positions } = knownFeatures(D, features);
    const copyRow = (target: Floats, row: number) => target.set(values.subarray(row * D, (row + 1) * D));
    const { output } = await this.runner.run(
      name,
      (x, known, positions, ...noise) => {
        // All inputs of a `BatchRunner` have a row axis. So the two vectors are repeated in each row, and their maximum over the
        // rows gives the vectors back.
        const subset = { known: known.max(0), positions: positions.max(0) };
        return { output: build(x, subset, ...noise) };
      },
      [
        rowsInput(rows, D, copyRow),
        ...[known, positions].map((numbers) => rowsInput(rows, D, (target) => target.set(numbers))),
        ...noise,
      ],
      rows.length,
      options,
    );
    return output;
  }
}

/** An input whose row i is written by `write(target, rows[i])`. */
const rowsInput = (
  rows: ArrayLike<number>,
  size: number,
  write: (target: Floats, row: number) => void,
): RowInput => ({
  size,
  write(target, start) {
    for (let i = 0; i < target.length / size; i++)
      write(target.subarray(i * size, (i + 1) * size), rows[start + i]);
  },
});

/** Rows with the same known features. */
interface Pattern {
  readonly rows: ArrayLike<number>;
  /** The indices of the known features, in the order of their factorization. */
  readonly features: readonly number[];
}

/** The rows of each set of known features. */
function patterns(known: Uint8Array, features: number): { rows: number[]; features: number[] }[] {
  const byKey = new Map<string, { rows: number[]; features: number[] }>();
  for (let n = 0; n < known.length / features; n++) {
    const flags = known.subarray(n * features, (n + 1) * features);
    const key = flags.join("");
    const indices = () => Array.from(flags).flatMap((flag, d) => (flag === 1 ? [d] : []));
    const pattern = byKey.get(key) ?? { rows: [], features: indices() };
    pattern.rows.push(n);
    byKey.set(key, pattern);
  }
  return [...byKey.values()];
}
