import * as z from "zod/mini";
import { countSchema, sizeSchema } from "../description.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { CausalTransformer, type TransformerOptions, transformerSchema } from "../nn/causalTransformer.ts";
import { type ImageShape, imageSchema, imageSize } from "../nn/image.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";

const patchAutoregressiveSchema = z
  .strictObject({
    type: z.literal("patchAutoregressive"),
    image: imageSchema,
    patch: z._default(sizeSchema, 4),
    reversed: z._default(z.boolean(), false),
    context: z._default(countSchema, 0),
    network: z.prefault(transformerSchema, {}),
  })
  .check(
    z.refine(({ image, patch }) => image[0] % patch === 0 && image[1] % patch === 0, {
      path: ["patch"],
      error: "a divisor of the height and the width",
    }),
  );

/** Options of `PatchAutoregressive`. */
export interface PatchAutoregressiveOptions {
  /** [height, width, channels] of the image. */
  image: ImageShape;
  /** The height and the width of a patch, a divisor of those of the image. Default 4. */
  patch?: number;
  /** Whether the last patch comes first in the ordering. Default false. */
  reversed?: boolean;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /** The transformer. Default two layers of width 64 with 4 heads. */
  network?: TransformerOptions;
}

/** The log-scale is clamped smoothly to +-log 1000, as in all affine transforms. */
const LOG_SCALE_BOUND = Math.log(1000);

/**
 * The block of TarFlow (Zhai et al. 2024, "Normalizing flows are capable generative models"): an affine autoregressive map of the
 * patches of an image, z_t = (x_t - m_t) exp(-a_t), where a causal transformer computes m_t and a_t from the patches before x_t
 * and the context. The density takes one pass of the transformer, sampling a step for each patch, which reuses the keys and
 * values of those before. It starts as the identity.
 */
export class PatchAutoregressive implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: CausalTransformer;
  private readonly options: z.output<typeof patchAutoregressiveSchema>;
  /** T, the number of patches, and the numbers of a patch. */
  private readonly tokens: number;
  private readonly size: number;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: PatchAutoregressiveOptions, random: Random) {
    const description = { type: "patchAutoregressive", ...options };
    this.options = parse(patchAutoregressiveSchema, description, "an autoregressive map of patches");
    const { image, patch, context, network } = this.options;
    this.features = imageSize(image);
    this.context = context;
    this.size = patch * patch * image[2];
    this.tokens = this.features / this.size;
    this.network = new CausalTransformer(this.tokens, this.size, 2 * this.size, network, random, context);
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const patches = this.toPatches(x);
    // The transformer sees zeros and then all patches but the last one: its output for a patch depends on those before it.
    const before = patches.slice(1, 0, this.tokens - 1).pad(1, 1, 0);
    const { mean, logScale } = this.split(scoped("network", () => this.network.apply(before, context)));
    const value = patches.sub(mean).mul(logScale.neg().exp());
    return { value: this.toRow(value), logDet: this.logDet(logScale).neg() };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const latent = this.toPatches(z).split(1, new Array(this.tokens).fill(1));
    const network = this.network.incremental(context);
    const patches: Tensor[] = [];
    const logScales: Tensor[] = [];
    for (const patch of latent) {
      const before = patches.at(-1) ?? patch.mul(0);
      const { mean, logScale } = this.split(scoped("network", () => network.next(before)));
      patches.push(patch.mul(logScale.exp()).add(mean));
      logScales.push(logScale);
    }
    return { value: this.toRow(concat(patches, 1)), logDet: this.logDet(concat(logScales, 1)) };
  }

  private split(parameters: Tensor): { mean: Tensor; logScale: Tensor } {
    const [mean, raw] = parameters.split(-1, [this.size, this.size]);
    return { mean, logScale: raw.softClamp(LOG_SCALE_BOUND) };
  }

  private logDet(logScale: Tensor): Tensor {
    return sumFeatures(logScale.reshape(["N", this.features]), this.features);
  }

  /** Rows [N, D] as patches [N, T, size] in the order of the map. */
  private toPatches(rows: Tensor): Tensor {
    const { image, patch, reversed } = this.options;
    const [height, width, channels] = image;
    const patches = rows
      .reshape(["N", height / patch, patch, width / patch, patch, channels])
      .transpose([0, 1, 3, 2, 4, 5])
      .reshape(["N", this.tokens, this.size]);
    return reversed ? patches.flip(1) : patches;
  }

  /** The inverse of `toPatches`. */
  private toRow(patches: Tensor): Tensor {
    const { image, patch, reversed } = this.options;
    const [height, width, channels] = image;
    return (reversed ? patches.flip(1) : patches)
      .reshape(["N", height / patch, width / patch, patch, patch, channels])
      .transpose([0, 1, 3, 2, 4, 5])
      .reshape(["N", this.features]);
  }

  describe(): Description {
    return this.options;
  }
}

export const patchAutoregressiveKind: BijectionKind<typeof patchAutoregressiveSchema> = {
  schema: patchAutoregressiveSchema,
  build: ({ type: _, ...options }, random) => new PatchAutoregressive(options, random),
};
