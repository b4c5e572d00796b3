import { brief, PushforwardError } from "../check/index.ts";
import { concat, constantMatrix, type Tensor } from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import { Linear } from "./linear.ts";

/** Added to the scores of later tokens, so that their weights are 0: exp(-1e9) is 0. */
const MASKED_SCORE = -1e9;

/** The keys and values of tokens, both [N, heads, tokens, width / heads]. */
export interface KeysAndValues {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** The keys and values of the tokens so far. */
export interface KeyValueCache {
  /**
   * Adds the keys and values of the next token, and returns all that the cache contains. `mask` [1, tokens] is added to the scores of the
   * returned keys; it is undefined if the next token may attend to all of them.
   */
  append(next: KeysAndValues): KeysAndValues & { readonly mask?: Tensor };
}

/** A cache that contains only the tokens so far, so that it grows with each token. */
export class GrowingCache implements KeyValueCache {
  private cached: KeysAndValues | undefined;

  append(next: KeysAndValues): KeysAndValues {
    const { cached } = this;
    this.cached = cached
      ? { keys: concat([cached.keys, next.keys], 2), values: concat([cached.values, next.values], 2) }
      : next;
    return this.cached;
  }
}

/** Marks the position of the next token in a `FixedCache` of T tokens. */
interface CachePosition {
  /** [T, 1]: whether a token is the next one. */
  readonly isNext: Tensor;
  /** [1, T]: whether a token comes after the next one. */
  readonly isLater: Tensor;
}

/** A cache that contains all T tokens from the beginning, for a loop, whose state has a fixed shape. */
export class FixedCache implements KeyValueCache {
  private readonly position: CachePosition;
  /** The keys and values of all tokens. Those of later tokens are masked, so they may be any finite numbers. */
  cached: KeysAndValues;

  constructor(cached: KeysAndValues, position: CachePosition) {
    this.cached = cached;
    this.position = position;
  }

  append(next: KeysAndValues): KeysAndValues & { readonly mask: Tensor } {
    const { cached, position } = this;
    const { isNext, isLater } = position;
    this.cached = {
      keys: isNext.where(next.keys, cached.keys),
      values: isNext.where(next.values, cached.values),
    };
    return { ...this.cached, mask: isLater.where(MASKED_SCORE, 0) };
  }
}

/** The order of axes that changes [N, tokens, heads, size] to [N, heads, tokens, size], and back. */
const HEADS_FIRST = [0, 2, 1, 3];

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

  /** Throws `ARGUMENT` if `width` is not a multiple of `heads`. */
  constructor(width: number, heads: number, random: Random) {
    if (!(Number.isSafeInteger(heads) && heads > 0 && width % heads === 0)) {
      throw new PushforwardError("ARGUMENT", "the number of attention heads does not divide the width", {
        expected: `a divisor of ${width}`,
        received: brief(heads),
      });
    }
    this.width = width;
    this.heads = heads;
    this.input = new Linear(width, 3 * width, random.split("input"));
    this.output = new Linear(width, width, random.split("output"));
  }

  /**
   * [N, T, width] -> [N, T, width]. With a cache, x is the next token only, [N, width]. The result has this shape too, and the keys and values of x
   * are appended to the cache. Throws `SHAPE` if the last axis of x has another size.
   */
  apply(x: Tensor, cache?: KeyValueCache): Tensor {
    const { width, heads } = this;
    const tokens = cache ? 1 : (x.shape[1] as number);
    const [q, k, v] = this.input
      .apply(x)
      .split(-1, [width, width, width])
      .map((part) => part.reshape(["N", tokens, heads, width / heads]));
    const values = v.transpose(HEADS_FIRST);
    const attentionInputs = cache
      ? this.scoresOfOne(q, cache.append({ keys: k.transpose(HEADS_FIRST), values }))
      : {
          scores: q.transpose(HEADS_FIRST).matmul(k.transpose([0, 2, 3, 1])),
          mask: causalMask(tokens),
          values,
        };
    const { mask } = attentionInputs;
    const scores = attentionInputs.scores.mul(1 / Math.sqrt(width / heads));
    const masked = mask ? scores.add(mask) : scores;
    const attended = masked.softmax(-1).matmul(attentionInputs.values);
    return this.output.apply(attended.transpose(HEADS_FIRST).reshape(x.shape));
  }

  /**
   * Returns the cached keys and values together with the scores [N, heads, 1, tokens] of the query [N, 1, heads, width / heads] of one token.
   * The product has the keys as rows and the query as a column, because a new row can be appended to the cached rows in one copy.
   */
  private scoresOfOne<T extends KeysAndValues>(query: Tensor, cached: T): T & { readonly scores: Tensor } {
    const [, , heads, size] = query.shape;
    const products = cached.keys.matmul(query.reshape(["N", heads, size, 1]));
    return { ...cached, scores: products.reshape(["N", heads, 1, cached.keys.shape[2]]) };
  }
}

const causalMask = (tokens: number): Tensor =>
  constantMatrix(tokens, tokens, (query, key) => (key <= query ? 0 : MASKED_SCORE));
