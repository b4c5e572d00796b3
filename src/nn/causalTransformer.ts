import * as z from "zod/mini";
import { PushforwardError } from "../check/index.ts";
import {
  constant,
  filled,
  formatShape,
  Parameter,
  sameShape,
  scoped,
  type Tensor,
  WEIGHT,
} from "../graph/index.ts";
import { MAX_LAYERS, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { CausalAttention, FixedCache, GrowingCache, type KeyValueCache } from "./causalAttention.ts";
import { LayerNorm } from "./layerNorm.ts";
import { Linear } from "./linear.ts";
import { requireColumns } from "./requireColumns.ts";

export const transformerSchema = z
  .strictObject({
    width: z._default(sizeSchema, 64),
    layers: z._default(sizeSchema.check(z.maximum(MAX_LAYERS)), 2),
    heads: z.optional(sizeSchema),
  })
  .check(
    z.refine(({ width, heads = 1 }) => width % heads === 0, {
      path: ["heads"],
      error: "a divisor of the width",
    }),
  );

/** Options of a causal transformer. */
export interface TransformerOptions {
  /** The size of the hidden state of a token. Default 64. */
  width?: number | undefined;
  /** The number of layers; each has attention and a feed-forward network. Default 2. */
  layers?: number | undefined;
  /** The number of attention heads, a divisor of the width. Default 4, or 2 or 1 if the width is not a multiple of 4. */
  heads?: number | undefined;
}

const defaultHeads = (width: number): number => [4, 2].find((heads) => width % heads === 0) ?? 1;

/** The hidden layer of a feed-forward network has this many times the width (Vaswani et al. 2017). */
const EXPANSION = 4;

interface Layer {
  readonly attentionNorm: LayerNorm;
  readonly attention: CausalAttention;
  readonly norm: LayerNorm;
  readonly expansion: Linear;
  readonly contraction: Linear;
}

/** A transformer that computes the outputs token by token. */
export interface IncrementalTransformer {
  /** The outputs [N, outputs] of the next token from its inputs [N, inputs]. */
  next(token: Tensor): Tensor;
}

/** A transformer that computes the outputs token by token in a loop. */
export interface LoopedTransformer {
  /** The state before the first token. */
  readonly initial: readonly Tensor[];
  /** The outputs [N, outputs] of token `index`, a scalar counted from 0, from its inputs [N, inputs], and the next state. */
  next(
    token: Tensor,
    index: Tensor,
    state: readonly Tensor[],
  ): { readonly output: Tensor; readonly state: readonly Tensor[] };
}

/**
 * A transformer whose output for a token depends on this token, earlier tokens and the context: [N, T, inputs] -> [N, T, outputs]
 * (Vaswani et al. 2017). It has learned position embeddings and pre-norm layers, h <- h + attention(norm(h)) and h <- h + W2
 * gelu(W1 norm(h)) (Xiong et al. 2020). Its last layer is initialized with zeros.
 */
export class CausalTransformer {
  readonly first: Linear;
  /** [T, width] */
  readonly positions: Parameter;
  readonly contextLayer: Linear | undefined;
  readonly layers: readonly Layer[];
  readonly lastNorm: LayerNorm;
  readonly last: Linear;
  private readonly width: number;
  private readonly heads: number;

  /**
   * `tokens` is T, and `context` is C, by default 0. `heads` is by default 4, or 2 or 1 if the width is not a multiple of 4. Throws
   * `ARGUMENT` if it does not divide the width.
   */
  constructor(
    tokens: number,
    inputs: number,
    outputs: number,
    { width, layers, heads = defaultHeads(width) }: z.output<typeof transformerSchema>,
    random: Random,
    context = 0,
  ) {
    this.width = width;
    this.heads = heads;
    this.first = new Linear(inputs, width, random.split("first"));
    // Standard deviation 0.02, as in GPT (Radford et al. 2018).
    const start = () =>
      random
        .split("positions")
        .normal(new Float32Array(tokens * width))
        .map((v) => 0.02 * v);
    this.positions = new Parameter([tokens, width], start, { domain: WEIGHT });
    if (context > 0) this.contextLayer = new Linear(context, width, random.split("context"));
    this.layers = Array.from({ length: layers }, (_, i): Layer => {
      const layerRandom = random.split("layers").split(i);
      return {
        attentionNorm: new LayerNorm(width),
        attention: new CausalAttention(width, heads, layerRandom.split("attention")),
        norm: new LayerNorm(width),
        expansion: new Linear(width, EXPANSION * width, layerRandom.split("expansion")),
        contraction: new Linear(EXPANSION * width, width, layerRandom.split("contraction")),
      };
    });
    this.lastNorm = new LayerNorm(width);
    this.last = new Linear(width, outputs, random.split("last"), { zeroInit: true });
  }

  /**
   * [N, T, inputs] and the context [N, C] -> [N, T, outputs]. Throws `SHAPE` for another number of tokens, inputs or context features.
   */
  apply(tokens: Tensor, context?: Tensor): Tensor {
    const [count] = this.positions.sizes;
    const [inputs] = this.first.weight.sizes;
    if (!sameShape(tokens.shape, ["N", count, inputs])) {
      throw new PushforwardError("SHAPE", "the tokens of a transformer have a wrong shape", {
        expected: formatShape(["N", count, inputs]),
        received: formatShape(tokens.shape),
      });
    }
    const embeddedContext = this.embedContext(context)?.reshape(["N", 1, this.width]);
    return this.applyLayers(this.embed(tokens, this.positions, embeddedContext));
  }

  /** Computes token by token with the cached keys and values of earlier tokens, so that each is computed once. */
  incremental(context?: Tensor): IncrementalTransformer {
    const caches = this.layers.map(() => new GrowingCache());
    const embeddedContext = this.embedContext(context);
    let count = 0;
    return {
      next: (token) => {
        const position = this.positions.slice(0, count, count + 1);
        count++;
        return this.applyLayers(this.embed(token, position, embeddedContext), caches);
      },
    };
  }

  /** Computes token by token, as `incremental`, in a `loop` over all tokens. The state is the keys and values of each layer. */
  looped(context?: Tensor): LoopedTransformer {
    const { layers, width, heads, positions } = this;
    const [tokens] = positions.sizes;
    const embeddedContext = this.embedContext(context);
    const indices = Array.from({ length: tokens }, (_, t) => t);
    const [column, row] = [constant(indices, [tokens, 1]), constant(indices, [1, tokens])];
    return {
      initial: layers.flatMap(() => {
        const empty = filled(0, ["N", heads, tokens, width / heads]);
        return [empty, empty];
      }),
      next: (token, index, state) => {
        const isNext = column.equal(index);
        const cachePosition = { isNext, isLater: row.greater(index) };
        const caches = layers.map((_, i) => {
          const [keys, values] = state.slice(2 * i);
          return new FixedCache({ keys, values }, cachePosition);
        });
        const position = isNext.where(positions, 0).sum(0, { keepAxes: true });
        const output = this.applyLayers(this.embed(token, position, embeddedContext), caches);
        return { output, state: caches.flatMap(({ cached }) => [cached.keys, cached.values]) };
      },
    };
  }

  /** [N, C] -> [N, width] */
  private embedContext(context: Tensor | undefined): Tensor | undefined {
    const { contextLayer } = this;
    requireColumns("context", context, contextLayer?.weight.sizes[0] ?? 0);
    return context && contextLayer && scoped("contextLayer", () => contextLayer.apply(context));
  }

  private embed(tokens: Tensor, positions: Tensor, context: Tensor | undefined): Tensor {
    const h = scoped("first", () => this.first.apply(tokens)).add(positions);
    return context ? h.add(context) : h;
  }

  private applyLayers(embedded: Tensor, caches?: readonly KeyValueCache[]): Tensor {
    let h = embedded;
    this.layers.forEach(({ attentionNorm, attention, norm, expansion, contraction }, i) => {
      h = scoped(`layers.${i}`, () => {
        const attended = h.add(attention.apply(attentionNorm.apply(h), caches?.[i]));
        return attended.add(contraction.apply(expansion.apply(norm.apply(attended)).gelu()));
      });
    });
    return scoped("last", () => this.last.apply(this.lastNorm.apply(h)));
  }
}
