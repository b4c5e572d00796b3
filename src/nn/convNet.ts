import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, gate, scoped, type Tensor } from "../graph/index.ts";
import { MAX_LAYERS, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { type Activation, activate, activationSchema } from "./activation.ts";
import { Convolution } from "./convolution.ts";
import { type ImageShape, imageSize, toImages } from "./image.ts";
import { LayerNorm } from "./layerNorm.ts";
import { Linear } from "./linear.ts";
import { requireColumns } from "./requireColumns.ts";

export const convNetSchema = z.strictObject({
  block: z._default(z.enum(["plain", "residual", "gated"]), "plain"),
  width: z._default(sizeSchema, 64),
  blocks: z._default(z.int().check(z.nonnegative(), z.maximum(MAX_LAYERS)), 1),
  activation: z._default(activationSchema, "relu"),
  weightNorm: z._default(z.boolean(), false),
});

/** Options of a convolutional network, which `ImageCoupling` uses. */
export interface ConvNetOptions {
  /**
   * The blocks between the first and the last 3 x 3 convolution, where a is the activation:
   *
   * - `plain`: h <- conv1x1(a(h)), as in Glow
   * - `residual`: h <- h + conv1x1(a(conv3x3(a(h)))), as in RealNVP but without batch normalization
   * - `gated`: h <- norm(h + u sigmoid(v)) with [u, v] = conv1x1(a(conv3x3(a(h)))), as in Flow++ (Ho et al. 2019), where norm is layer
   *   normalization over the channels of each pixel
   *
   * Default `plain`.
   */
  block?: "plain" | "residual" | "gated" | undefined;
  /** The number of channels of the hidden layers. Default 64. */
  width?: number | undefined;
  /** The number of blocks. Default 1. */
  blocks?: number | undefined;
  /** Activation between the layers. Default `relu`. */
  activation?: Activation | undefined;
  /** Weight normalization of the convolutions, as in RealNVP: weight decay applies to the scales of the weights. Default false. */
  weightNorm?: boolean | undefined;
}

/** The context of a `ConvNet`: a number of features that all pixels share, or the shape of an image of equal height and width. */
export type ImageContext = number | ImageShape;

type Block =
  | { readonly pointwise: Convolution }
  | { readonly spatial: Convolution; readonly pointwise: Convolution; readonly norm?: LayerNorm };

/**
 * A convolutional network from images to images of the same height and width: [N, H, W, inputs] -> [N, H, W, outputs]. Its last
 * layer is initialized with zeros. A linear map of context features is added to the output of the first layer. The channels of a
 * context image are further inputs.
 */
export class ConvNet {
  readonly first: Convolution;
  readonly blocks: readonly Block[];
  readonly last: Convolution;
  readonly contextLayer: Linear | undefined;
  private readonly options: z.output<typeof convNetSchema>;
  private readonly context: ImageContext;

  /** `context` is by default 0: there is none. Throws `ARGUMENT` if the options are not valid. */
  constructor(
    inputs: number,
    outputs: number,
    options: ConvNetOptions,
    random: Random,
    context: ImageContext = 0,
  ) {
    this.options = parse(convNetSchema, options, "a convolutional network");
    this.context = context;
    const { block, width, blocks, weightNorm } = this.options;
    const convolution = (inputs: number, outputs: number, kernel: number, random: Random) =>
      new Convolution(inputs, outputs, kernel, random, { weightNorm });
    const contextChannels = typeof context === "number" ? 0 : context[2];
    this.first = convolution(inputs + contextChannels, width, 3, random.split("first"));
    if (typeof context === "number" && context > 0)
      this.contextLayer = new Linear(context, width, random.split("context"));
    this.blocks = Array.from({ length: blocks }, (_, i): Block => {
      const blockRandom = random.split("blocks").split(i);
      const gates = block === "gated" ? 2 : 1;
      const pointwise = convolution(width, gates * width, 1, blockRandom.split("pointwise"));
      if (block === "plain") return { pointwise };
      const spatial = convolution(width, width, 3, blockRandom.split("spatial"));
      return { spatial, pointwise, ...(block === "gated" && { norm: new LayerNorm(width) }) };
    });
    this.last = new Convolution(width, outputs, 3, random.split("last"), { zeroInit: true, weightNorm });
  }

  /** [N, H, W, inputs] and the context [N, C] -> [N, H, W, outputs]. Throws `SHAPE` for another number of inputs or context features. */
  apply(x: Tensor, context?: Tensor): Tensor {
    const contextSize = typeof this.context === "number" ? this.context : imageSize(this.context);
    requireColumns("context", context, contextSize);
    const input =
      context && typeof this.context !== "number" ? concat([x, toImages(context, this.context)], 3) : x;
    let h = scoped("first", () => this.first.apply(input));
    if (context && this.contextLayer) {
      const shift = scoped("contextLayer", () => this.contextLayer!.apply(context));
      h = h.add(shift.reshape(["N", 1, 1, this.options.width]));
    }
    this.blocks.forEach((block, i) => {
      h = scoped(`blocks.${i}`, () => this.applyBlock(block, h));
    });
    return scoped("last", () => this.last.apply(activate(this.options.activation, h)));
  }

  private applyBlock(block: Block, h: Tensor): Tensor {
    const { activation, width } = this.options;
    const a = activate(activation, h);
    if (!("spatial" in block)) return block.pointwise.apply(a);
    const b = activate(activation, block.spatial.apply(a));
    if (!block.norm) return h.add(block.pointwise.apply(b));
    const [u, v] = block.pointwise.applyInParts(b, [width, width]);
    return block.norm.apply(h.add(gate(u, v)));
  }
}
