import * as z from "zod/mini";
import { Actnorm } from "../../bijections/actnorm.ts";
import { Coupling } from "../../bijections/coupling.ts";
import { DiagonalScaling } from "../../bijections/diagonalScaling.ts";
import { PerPixel } from "../../bijections/perPixel.ts";
import { Logistic } from "../../distributions/logistic.ts";
import { imageSize } from "../../nn/image.ts";
import type { NetworkOptions } from "../../nn/mlp.ts";
import { parse } from "../../parse.ts";
import { Random } from "../../random/index.ts";
import type { Flow } from "../flow.ts";
import { type ImageFlowRecipeOptions, imageFlow, imageFlowFields } from "./images.ts";
import { layerSchemas, networkSchemas } from "./options.ts";

/** Options of `nice` for images. The defaults are those of the paper for MNIST. */
export interface NiceImageOptions extends ImageFlowRecipeOptions, NetworkOptions {
  /** The widths of the hidden layers of each coupling. Default five of 1,000. */
  hidden?: number[];
  /** The number of couplings. Default 4. */
  transforms?: number;
}

const niceSchema = z.strictObject({
  ...imageFlowFields,
  ...networkSchemas,
  hidden: z._default(networkSchemas.hidden, () => new Array<number>(5).fill(1000)),
  activation: z.optional(networkSchemas.activation),
  residual: z.optional(networkSchemas.residual),
  transforms: z._default(layerSchemas.transforms, 4),
});

/**
 * NICE for images (Dinh et al. 2015, section 5.1): additive couplings of all pixels with fully connected networks, whose masks alternate from
 * pixel to pixel, and a diagonal scaling, with a logistic base. Pixels are not mapped to logits; an actnorm scales each
 * channel. With classes, the networks have the class as their context.
 */
export function niceOfImages(options: NiceImageOptions): Flow {
  const parsed = parse(niceSchema, options, "an option of nice");
  const { image, transforms, classes = 0, seed, hidden, activation, residual } = parsed;
  const features = imageSize(image);
  const random = new Random(seed).split("recipe");
  const network = {
    hidden,
    ...(activation && { activation }),
    ...(residual !== undefined && { residual }),
  };
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
