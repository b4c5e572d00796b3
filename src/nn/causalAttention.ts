import { concat, constant, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { Linear } from "./linear.ts";

/** Added to the scores of later tokens, so that their weights are 0: exp(-1e9) is 0. */
const MASKED = -1e9;

/** The keys and values [N, heads, tokens, width / heads] of the tokens so far; undefined before the first token. */
export interface KeyValueCache {
  keys?: Tensor;
  values?: Tensor;
}

/**
 * Causal multi-head self-attention (Vaswani et al. 2017): softmax(Q K^T / sqrt(width / heads)) V for each head, where a token
 * attends to itself and to earlier tokens, then a linear map of the concatenated heads: [N, T, width] -> [N, T, width].
 */
export class CausalAttention {
  /** Computes the queries, keys and values of a token, [width] -> [3 width]. */
  readonly input: Linear;
  readonly output: Linear;
  private readonly width: number;
  private readonly heads: number;

  /** `width` must be a multiple of `heads`. */
  constructor(width: number, heads: number, random: Random) {
    this.width = width;
    this.heads = heads;
    this.input = new Linear(width, 3 * width, random.split("input"));
    this.output = new Linear(width, width, random.split("output"));
  }

  /**
   * [N, T, width] -> [N, T, width]. With a cache, x must be the next token only, [N, 1, width], and its keys and values are appended to
   * the cache.
   */
  apply(x: Tensor, cache?: KeyValueCache): Tensor {
    const { width, heads } = this;
    const tokens = x.shape[1] as number;
    const [queries, newKeys, newValues] = this.input
      .apply(x)
      .split(-1, [width, width, width])
      .map((part) => part.reshape(["N", tokens, heads, width / heads]).transpose([0, 2, 1, 3]));
    const [keys, values] = cache ? extend(cache, newKeys, newValues) : [newKeys, newValues];
    const scores = queries.matmul(keys, { transposeB: true }).mul(1 / Math.sqrt(width / heads));
    // The cache holds only earlier tokens and this one, so no mask is needed.
    const masked = cache ? scores : scores.add(causalMask(tokens));
    const attended = masked.softmax(-1).matmul(values);
    return this.output.apply(attended.transpose([0, 2, 1, 3]).reshape(["N", tokens, width]));
  }
}

function extend(cache: KeyValueCache, keys: Tensor, values: Tensor): [keys: Tensor, values: Tensor] {
  cache.keys = cache.keys ? concat([cache.keys, keys], 2) : keys;
  cache.values = cache.values ? concat([cache.values, values], 2) : values;
  return [cache.keys, cache.values];
}

const causalMask = (tokens: number): Tensor =>
  constant(
    Array.from({ length: tokens * tokens }, (_, i) => (i % tokens <= Math.floor(i / tokens) ? 0 : MASKED)),
    [tokens, tokens],
  );
