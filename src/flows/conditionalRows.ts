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

/**
 * The distribution itself if it has exact marginal distributions of any subset of features. Of a mixture, the mixture of those components
 * that have them, with the same relative weights; `share` is the sum of their weights. Throws `ARGUMENT` if there is none.
 */
export function withExactConditionals(distribution: Distribution): {
  distribution: SubsetDistribution;
  share: number;
} {
  if (isSubsetDistribution(distribution) || !(distribution instanceof Mixture))
    return { distribution: asSubsetDistribution(distribution), share: 1 };
  const weights = distribution.weights;
  const kept = distribution.distributions.flatMap((each, k) => (isSubsetDistribution(each) ? [k] : []));
  if (kept.length === 0) {
    throw new PushforwardError("ARGUMENT", "no member of the model has exact conditional distributions", {
      received: distribution.distributions.map((each) => each.describe().type).join(", "),
      hint: "Fit the default model, which has such members.",
    });
  }
  const share = kept.reduce((sum, k) => sum + weights[k], 0);
  const components = kept.map((k) => distribution.distributions[k]);
  const ofKept = kept.map((k) => Math.max(weights[k], Number.MIN_VALUE));
  const mixture =
    components.length === 1 ? components[0] : new Mixture(components, { weights: ofKept, learned: false });
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
    for (const { rows, isKnown } of patterns(known, D)) {
      const numbers = isKnown.slice();
      for (let feature = 0; feature < D; feature++) {
        if (isKnown[feature]) continue;
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
          { values: completed, rows, isKnown: numbers },
          noise,
          run,
        );
        rows.forEach((row, n) => {
          completed[row * D + feature] = drawn[n * D + feature];
        });
        numbers[feature] = true;
      }
    }
    return completed;
  }

  /** log p(known features) of each row. */
  async logProbKnown({ values, known }: PartialRows, run: RunOptions = {}): Promise<Float64Array> {
    const { features: D } = this.distribution;
    const out = new Float64Array(values.length / D);
    for (const { rows, isKnown } of patterns(known, D)) {
      const density = (x: Tensor, subset: Subset) => this.distribution.logProbKnown(x, subset);
      const logProbs = await this.run("density", density, { values, rows, isKnown }, [], run);
      rows.forEach((row, n) => {
        out[row] = logProbs[n];
      });
    }
    return out;
  }

  /** Waits for the calls before, and then frees sessions and worker threads. */
  release(): Promise<void> {
    return this.runner.release();
  }

  private async run(
    name: string,
    build: (x: Tensor, subset: Subset, ...others: Tensor[]) => Tensor,
    { values, rows, isKnown }: Pattern & { values: Float64Array },
    others: readonly RowInput[],
    options: RunOptions,
  ): Promise<Float64Array> {
    const D = this.distribution.features;
    const indices = isKnown.flatMap((each, d) => (each ? [d] : []));
    const { known, positions } = knownFeatures(D, indices);
    const copyRow = (target: Floats, row: number) => target.set(values.subarray(row * D, (row + 1) * D));
    const { output } = await this.runner.run(
      name,
      (x, known, positions, ...others) => {
        // All rows of a call have the same known features, and graphs have no other inputs than rows.
        const subset = { known: known.max(0), positions: positions.max(0) };
        return { output: build(x, subset, ...others) };
      },
      [
        rowsInput(rows, D, copyRow),
        ...[known, positions].map((numbers) => rowsInput(rows, D, (target) => target.set(numbers))),
        ...others,
      ],
      rows.length,
      options,
    );
    return output;
  }
}

/** An input of which row i is written for `rows[i]`. */
const rowsInput = (
  rows: readonly number[],
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
  readonly rows: readonly number[];
  readonly isKnown: readonly boolean[];
}

/** The rows of each set of known features. */
function patterns(known: Uint8Array, features: number): Pattern[] {
  const byKey = new Map<string, { rows: number[]; isKnown: boolean[] }>();
  for (let n = 0; n < known.length / features; n++) {
    const flags = known.subarray(n * features, (n + 1) * features);
    const key = flags.join("");
    const pattern = byKey.get(key) ?? { rows: [], isKnown: Array.from(flags, (flag) => flag === 1) };
    pattern.rows.push(n);
    byKey.set(key, pattern);
  }
  return [...byKey.values()];
}
