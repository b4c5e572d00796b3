import type { Distribution } from "../distributions/distribution.ts";
import { Mixture } from "../distributions/mixture.ts";
import {
  asSubsetDistribution,
  isSubsetDistribution,
  knownFeatures,
  type SubsetDistribution,
} from "../distributions/subsetDistribution.ts";
import { PushforwardError } from "../errors.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Random } from "../random/index.ts";
import { type Compiled, compile } from "../runtime/compile.ts";

/** Rows in a call of the graphs, so that their memory does not grow with the number of rows. */
const MAX_ROWS = 4096;

/** Rows [N, D] in row-major order, and which of their features are known: [N, D], 1 or 0. */
export interface PartialRows {
  readonly values: Float64Array;
  readonly known: Uint8Array;
  /** [N, C] */
  readonly context?: Float64Array | undefined;
}

/**
 * The part of a distribution that has exact marginal distributions of any subset of features: the distribution itself, or for a
 * mixture those of its components, with their weights. `share` is the sum of these weights. Throws `ARGUMENT` if there is none.
 */
export function subsetPart(distribution: Distribution): { part: SubsetDistribution; share: number } {
  if (isSubsetDistribution(distribution)) return { part: distribution, share: 1 };
  if (!(distribution instanceof Mixture)) return { part: asSubsetDistribution(distribution), share: 1 };
  const weights = softmax(Array.from(distribution.logWeights.value));
  const kept = distribution.distributions.flatMap((each, k) => (isSubsetDistribution(each) ? [k] : []));
  if (kept.length === 0) {
    throw new PushforwardError("ARGUMENT", "no part of the model has exact conditional distributions", {
      received: distribution.distributions.map((each) => each.describe().type).join(", "),
      hint: "Fit the default model, which contains parts that have them.",
    });
  }
  const share = kept.reduce((sum, k) => sum + weights[k], 0);
  const parts = kept.map((k) => distribution.distributions[k]);
  const ofKept = kept.map((k) => Math.max(weights[k], Number.MIN_VALUE));
  const part = parts.length === 1 ? parts[0] : new Mixture(parts, { weights: ofKept, learned: false });
  return { part: asSubsetDistribution(part), share };
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

/** Computes and draws from the conditional distributions p(unknown features | known features) of rows with any known features. */
export class ConditionalRows implements AsyncDisposable {
  private readonly distribution: SubsetDistribution;
  private readonly threads: number | undefined;
  private draw: { present: boolean; run: Compiled<Tensor> } | undefined;
  private density: Compiled<Tensor> | undefined;

  constructor(distribution: SubsetDistribution, { threads }: { threads?: number | undefined } = {}) {
    this.distribution = distribution;
    this.threads = threads;
  }

  /**
   * Replaces the unknown features of each row by a draw from their joint conditional distribution, feature by feature. With `present`
   * they are never missing. Row n depends only on the seed, on n, and on its known features.
   */
  async complete(
    { values, known, context }: PartialRows,
    { seed = 0, present = false, start = 0 }: { seed?: number; present?: boolean; start?: number } = {},
  ): Promise<Float64Array> {
    const { features: D, noise } = this.distribution;
    const completed = values.slice();
    const random = new Random(seed);
    for (const { rows, isKnown } of this.patterns(known)) {
      const unknown = isKnown.flatMap((each, d) => (each ? [] : [d]));
      const nowKnown = isKnown.slice();
      for (const feature of unknown) {
        const { known: mask, positions } = knownFeatures(D, indicesOf(nowKnown));
        for (let first = 0; first < rows.length; first += MAX_ROWS) {
          const chunk = rows.slice(first, first + MAX_ROWS);
          const numbers = noise.map(({ kind, size }, i) => {
            const source = random.split(feature).split(i);
            const out = new Float64Array(chunk.length * size);
            chunk.forEach((row, n) => {
              const target = out.subarray(n * size, (n + 1) * size);
              source[kind](target, { offset: (start + row) * size });
            });
            return out;
          });
          const inputs = [
            gather(completed, chunk, D),
            mask,
            positions,
            ...this.contextOf(context, chunk),
            ...numbers,
          ];
          const drawn = await this.sampler(present)(...inputs);
          chunk.forEach((row, n) => {
            completed[row * D + feature] = drawn[n * D + feature];
          });
        }
        nowKnown[feature] = true;
      }
    }
    return completed;
  }

  /** log p(known features | context) of each row. */
  async logProbKnown({ values, known, context }: PartialRows): Promise<Float64Array> {
    const { features: D } = this.distribution;
    const out = new Float64Array(values.length / D);
    for (const { rows, isKnown } of this.patterns(known)) {
      const { known: mask, positions } = knownFeatures(D, indicesOf(isKnown));
      for (let first = 0; first < rows.length; first += MAX_ROWS) {
        const chunk = rows.slice(first, first + MAX_ROWS);
        this.density ??= this.compiled(
          (x, subset, rest) => this.distribution.logProbKnown(x, subset, rest.context),
          [],
        );
        const inputs = [gather(values, chunk, D), mask, positions, ...this.contextOf(context, chunk)];
        const logProbs = await this.density(...inputs);
        chunk.forEach((row, n) => {
          out[row] = logProbs[n];
        });
      }
    }
    return out;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.draw?.run.release();
    await this.density?.release();
  }

  private sampler(present: boolean): Compiled<Tensor> {
    if (this.draw?.present !== present) {
      const { distribution } = this;
      const shapes = distribution.noise.map(({ size }): Shape => ["N", size]);
      const run = this.compiled(
        (x, subset, { noise, context }) => distribution.sampleEach(noise, x, subset, { present }, context),
        shapes,
      );
      this.draw = { present, run };
    }
    return this.draw.run;
  }

  private compiled(
    build: (
      x: Tensor,
      subset: { known: Tensor; positions: Tensor },
      rest: { context: Tensor | undefined; noise: Tensor[] },
    ) => Tensor,
    noiseShapes: readonly Shape[],
  ): Compiled<Tensor> {
    const { features: D, context: C } = this.distribution;
    const contextShapes: Shape[] = C > 0 ? [["N", C]] : [];
    return compile(
      (x, known, positions, ...others) => {
        const noise = others.slice(contextShapes.length);
        return build(x, { known, positions }, { context: C > 0 ? others[0] : undefined, noise });
      },
      [["N", D], [D], [D], ...contextShapes, ...noiseShapes],
      { ...(this.threads !== undefined && { threads: this.threads }) },
    );
  }

  private contextOf(context: Float64Array | undefined, rows: readonly number[]): Float64Array[] {
    const C = this.distribution.context;
    return C > 0 ? [gather(context!, rows, C)] : [];
  }

  /** The rows of each set of known features. */
  private patterns(known: Uint8Array): { rows: number[]; isKnown: boolean[] }[] {
    const D = this.distribution.features;
    const byPattern = new Map<string, { rows: number[]; isKnown: boolean[] }>();
    for (let n = 0; n < known.length / D; n++) {
      const pattern = known.subarray(n * D, (n + 1) * D);
      const key = pattern.join("");
      if (!byPattern.has(key))
        byPattern.set(key, { rows: [], isKnown: Array.from(pattern, (each) => each === 1) });
      byPattern.get(key)!.rows.push(n);
    }
    return [...byPattern.values()];
  }
}

const indicesOf = (flags: readonly boolean[]): number[] => flags.flatMap((flag, i) => (flag ? [i] : []));

function gather(values: Float64Array, rows: readonly number[], width: number): Float64Array {
  const out = new Float64Array(rows.length * width);
  rows.forEach((row, n) => {
    out.set(values.subarray(row * width, (row + 1) * width), n * width);
  });
  return out;
}
