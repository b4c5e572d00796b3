import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, scoped, type Tensor } from "../graph/index.ts";
import {
  CausalTransformer,
  depthToSpace,
  type ImageShape,
  imageSchema,
  imageSize,
  spaceToDepth,
  type TransformerOptions,
  transformerSchema,
} from "../nn/index.ts";
import { countSchema, type Description, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { affineTransform } from "./scalar/affine.ts";

/** The default height and width of a patch. */
export const DEFAULT_PATCH = 4;

const patchAutoregressiveSchema = z
  .strictObject({
    type: z.literal("patchAutoregressive"),
    image: imageSchema,
    patch: z._default(sizeSchema, DEFAULT_PATCH),
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
  /** The height and the width of a patch, which must divide the height and the width of the image. Default 4. */
  patch?: number | undefined;
  /** Whether the ordering of the patches is reversed, from bottom right to top left. Default false. */
  reversed?: boolean | undefined;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /** The transformer. Default two layers of width 64 with 4 heads. */
  network?: TransformerOptions | undefined;
}

const affine = affineTransform();

/**
 * The block of TarFlow (Zhai et al. 2024, "Normalizing flows are capable generative models"): an affine autoregressive map of the
 * patches of an image, z_t = (x_t - m_t) exp(-a_t), where a causal transformer computes m_t and a_t from the patches before x_t
 * and the context, and a_t is clamped smoothly to +-log 1000. The density takes one pass of the transformer. Sampling takes one step
 * per patch, with the cached keys and values of earlier patches. It starts as the identity.
 */
export class PatchAutoregressive implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: CausalTransformer;
  private readonly options: z.output<typeof patchAutoregressiveSchema>;
  /** T, the number of patches. */
  private readonly tokens: number;
  /** The number of features of a patch. */
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
    // The input for patch t is patch t - 1, and zeros for the first one, so that its output depends on earlier patches only.
    const shifted = patches.slice(1, 0, this.tokens - 1).pad(1, 1, 0);
    const parameters = scoped("network", () => this.network.apply(shifted, context));
    // `affine.toLatent` computes u exp(a) + m, which here maps z to x. So the density uses its inverse, `toData`.
    const { value, logDerivative } = affine.toData(patches, parameters);
    return { value: this.toRows(value), logDet: logDerivative.reshape(["N", this.features]).sum(1) };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const { tokens, size, features } = this;
    const latent = this.toPatches(z).reshape(["N", features]).split(1, new Array(tokens).fill(size));
    const network = this.network.incremental(context);
    const patches: Tensor[] = [];
    const logDerivatives: Tensor[] = [];
    for (const patch of latent) {
      const previous = patches.at(-1) ?? patch.mul(0);
      const parameters = scoped("network", () => network.next(previous));
      const { value, logDerivative } = affine.toLatent(patch, parameters);
      patches.push(value);
      logDerivatives.push(logDerivative);
    }
    const value = this.toRows(concat(patches, 1).reshape(["N", tokens, size]));
    return { value, logDet: concat(logDerivatives, 1).sum(1) };
  }

  /** Rows [N, D] as patches [N, T, size] in the ordering of the map. */
  private toPatches(rows: Tensor): Tensor {
    const { image, patch, reversed } = this.options;
    const patches = spaceToDepth(rows, image, patch);
    return reversed ? patches.flip(1) : patches;
  }

  /** The inverse of `toPatches`. */
  private toRows(patches: Tensor): Tensor {
    const { image, patch, reversed } = this.options;
    return depthToSpace(reversed ? patches.flip(1) : patches, image, patch);
  }

  describe(): Description {
    return this.options;
  }
}

export const patchAutoregressiveKind: BijectionKind<typeof patchAutoregressiveSchema> = {
  schema: patchAutoregressiveSchema,
  build: ({ type: _, ...options }, random) => new PatchAutoregressive(options, random),
};
