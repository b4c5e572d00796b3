import * as z from "zod/mini";
import {
  Actnorm,
  additiveKind,
  Coupling,
  DiagonalScaling,
  PerPixel,
  scalarTransformRegistry,
} from "../../bijections/index.ts";
import { parse } from "../../check/index.ts";
import { Logistic } from "../../distributions/index.ts";
import { imageSize, type NetworkOptions } from "../../nn/index.ts";
import { Random } from "../../random/index.ts";
import type { Flow } from "../flow.ts";
import { type ImageFlowRecipeOptions, imageFlow, imageFlowFields } from "./images.ts";
import { networkOptions } from "./layers.ts";
import { layerSchemas, networkSchemas } from "./options.ts";

/** The number of hidden layers of a coupling of `nice` for images, and their width, as in the paper. */
export const NICE_LAYERS = 5;
const NICE_WIDTH = 1000;

/** Options of `nice` for images. The defaults are those of the paper for MNIST. */
export interface NiceImageOptions extends ImageFlowRecipeOptions, NetworkOptions {
  /** The widths of the hidden layers of each coupling. Default five of 1,000. */
  hidden?: number[] | undefined;
  /** The number of couplings. Default 4. */
  transforms?: number | undefined;
}

const niceSchema = z.strictObject({
  ...imageFlowFields,
  ...networkSchemas,
  hidden: z._default(networkSchemas.hidden, () => new Array<number>(NICE_LAYERS).fill(NICE_WIDTH)),
  activation: z.optional(networkSchemas.activation),
  residual: z.optional(networkSchemas.residual),
  transforms: z._default(layerSchemas.transforms, 4),
});

/**
 * NICE for images (Dinh et al. 2015, section 5.1). The couplings are additive, y_b = x_b + m(x_a), where m is a fully connected network,
 * and a and b are every second number of a row [N, height * width * channels]. A diagonal scaling with a logistic base follows them. An
 * actnorm scales the channels of the pixels, which are not mapped to logits. With classes, the networks have the class as their context.
 */
export function niceOfImages(options: NiceImageOptions): Flow {
  const parsed = parse(niceSchema, options, "an option of nice");
  const { image, transforms, classes = 0, seed } = parsed;
  scalarTransformRegistry.add([additiveKind]);
  const features = imageSize(image);
  const random = new Random(seed).split("recipe");
  const network = networkOptions(parsed);
  const couplings = Array.from({ length: transforms }, (_, i) => {
    const mask = Array.from({ length: features }, (_, d) => (d + i) % 2 === 0);
    const transform = { type: "additive" } as const;
    return new Coupling({ mask, transform, context: classes, network }, random.split(i));
  });
  return imageFlow(parsed, [...couplings, new DiagonalScaling({ features })], {
    preprocessing: new PerPixel({ image, bijection: new Actnorm({ features: image[2] }) }),
    base: new Logistic({ features }),
  });
}
