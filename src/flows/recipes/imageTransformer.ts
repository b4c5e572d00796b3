import * as z from "zod/mini";
import { parse } from "../../check/index.ts";
import {
  ContextEmbedding,
  PixelAutoregressive,
  type PixelAutoregressiveOptions,
} from "../../distributions/index.ts";
import { type TransformerOptions, transformerSchema } from "../../nn/index.ts";
import { Random } from "../../random/index.ts";
import { Flow } from "../flow.ts";
import { type ImageRecipeOptions, imageFields } from "./images.ts";
import { checkedByConstructor } from "./options.ts";

/** Options of `imageTransformer`. */
export interface ImageTransformerOptions
  extends ImageRecipeOptions,
    TransformerOptions,
    Pick<PixelAutoregressiveOptions, "components" | "atoms" | "radius" | "network"> {
  /** The size of the hidden state of a row. Default 128. */
  width?: number | undefined;
}

/** The default number of atoms. In MNIST, the five values 0 and 252 to 255 are far more frequent than the others. */
const ATOMS = 5;

const imageTransformerSchema = z.strictObject({
  ...imageFields,
  ...transformerSchema.shape,
  width: z._default(transformerSchema.shape.width, 128),
  components: z.optional(checkedByConstructor),
  atoms: z.optional(checkedByConstructor),
  radius: z.optional(checkedByConstructor),
  network: z.optional(checkedByConstructor),
});

/**
 * An autoregressive model of the pixels of images as rows x [N, height * width * channels], P(x) = prod_i P(x_i | x_1 ... x_i-1, class),
 * after the Image Transformer (Parmar et al. 2018) and PixelCNN (van den Oord et al. 2016): a causal transformer over rows, and a network
 * of the pixels nearby; see `PixelAutoregressive`. Its log-probability is exact, without dequantization. It has no latent space. Sampling
 * takes one step per pixel. With classes, the transformer has the class as its context. `atoms` is 5 by default, or `values` if that is
 * less.
 *
 * @throws ARGUMENT if an option is not valid, such as a `width` that is not a multiple of `heads`, or `atoms` above `values`.
 */
export function imageTransformer(options: ImageTransformerOptions): Flow {
  const parsed = parse(imageTransformerSchema, options, "an option of imageTransformer");
  const { image, values, classes = 0, seed, width, layers, heads, ...others } = parsed;
  const { atoms = Math.min(ATOMS, values) } = others;
  const model = new PixelAutoregressive(
    {
      ...({ ...others, atoms } as Partial<PixelAutoregressiveOptions>),
      image,
      values,
      context: classes,
      transformer: { width, layers, heads },
    },
    new Random(seed).split("recipe"),
  );
  return new Flow(model, undefined, classes > 0 ? new ContextEmbedding({ classes: [classes] }) : undefined);
}
