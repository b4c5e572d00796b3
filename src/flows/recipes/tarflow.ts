import * as z from "zod/mini";
import { PatchAutoregressive } from "../../bijections/index.ts";
import { parse } from "../../check/index.ts";
import { type TransformerOptions, transformerSchema } from "../../nn/index.ts";
import { Random } from "../../random/index.ts";
import type { Flow } from "../flow.ts";
import { type ImageFlowRecipeOptions, imageFlow, imageFlowFields } from "./images.ts";
import { checkedByConstructor, layerSchemas } from "./options.ts";

/** Options of `tarflow`. */
export interface TarflowOptions extends ImageFlowRecipeOptions, TransformerOptions {
  /** The height and the width of a patch, which must divide the height and the width of the image. Default 4. */
  patch?: number | undefined;
  /** The number of autoregressive maps. Default 4. */
  transforms?: number | undefined;
}

const tarflowSchema = z.strictObject({
  ...imageFlowFields,
  ...transformerSchema.shape,
  patch: z.optional(checkedByConstructor),
  transforms: z._default(layerSchemas.transforms, 4),
});

/**
 * TarFlow (Zhai et al. 2024, "Normalizing flows are capable generative models") of images as rows [N, height * width * channels]: logits
 * of the pixels, and then affine autoregressive maps of the patches, z_t = (x_t - m_t) exp(-a_t), where a causal transformer computes m_t
 * and a_t from the patches before x_t. The base is standard normal. The orderings of the patches alternate. The density takes one pass of
 * each transformer, and sampling takes one step per patch and map. With classes, each transformer has the class as its context.
 *
 * @throws ARGUMENT if an option is not valid, such as a `patch` that does not divide the height and the width of the image, or a `width`
 *   that is not a multiple of `heads`.
 */
export function tarflow(options: TarflowOptions): Flow {
  const parsed = parse(tarflowSchema, options, "an option of tarflow");
  const { image, patch, transforms, classes = 0, seed, width, layers, heads } = parsed;
  const random = new Random(seed).split("recipe");
  const maps = Array.from({ length: transforms }, (_, i) => {
    const reversed = i % 2 === 1;
    const network = { width, layers, heads };
    const description = {
      image,
      reversed,
      context: classes,
      network,
      ...(patch !== undefined && { patch: patch as number }),
    };
    return new PatchAutoregressive(description, random.split(i));
  });
  return imageFlow(parsed, maps);
}
