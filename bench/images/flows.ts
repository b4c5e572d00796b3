import { Chain, FactorOut, ImageCoupling, Sigmoid, Squeeze } from "../../src/bijections/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { dequantize, Flow, glow, logitPixels, tarflow } from "../../src/flows/index.ts";
import type { ImageShape } from "../../src/nn/index.ts";
import { Random } from "../../src/random/index.ts";

/** The number of values of a pixel. */
export const VALUES = 256;
const image: ImageShape = [28, 28, 1];
export const PIXELS = 784;

/** The flows of MNIST that are compared with PyTorch, as distributions of whole pixels. */
export const imageFlows: Readonly<Record<string, () => Flow>> = {
  imageGlow: () => glow({ image, levels: 2, steps: 8, width: 64, dequantization: "uniform" }),
  imageMultiScale,
  imageTarflow: () =>
    tarflow({ image, patch: 4, transforms: 4, layers: 4, width: 128, heads: 2, dequantization: "uniform" }),
};

/**
 * The multi-scale flow of tutorial 11 of the University of Amsterdam: variational dequantization with four couplings, two couplings of pixels,
 * two of 4 channels after a squeeze, half of the channels factored out, and four couplings of 8 channels after another squeeze. Networks have
 * three gated blocks. The activation is ELU instead of [ELU(h), ELU(-h)], which would double the inputs of each convolution, and the pixels have
 * the logit preprocessing of RealNVP.
 */
function imageMultiScale(): Flow {
  const random = new Random(0).split("multi-scale");
  const couplings = (
    count: number,
    name: string,
    options: { image: ImageShape; mask?: "checkerboard"; width: number; context?: ImageShape },
  ) => {
    const { width, ...others } = options;
    const network = { block: "gated" as const, width, blocks: 3, activation: "elu" as const };
    return Array.from(
      { length: count },
      (_, i) => new ImageCoupling({ ...others, inverted: i % 2 === 1, network }, random.split(name).split(i)),
    );
  };
  const fromDataToBase = [
    logitPixels({ features: PIXELS, values: VALUES }),
    ...couplings(2, "pixels", { image, mask: "checkerboard", width: 32 }),
    new Squeeze({ image }),
    ...couplings(2, "channels", { image: [14, 14, 4], width: 48 }),
    new FactorOut({
      image: [14, 14, 4],
      bijection: new Chain([
        ...couplings(4, "last", { image: [7, 7, 8], width: 64 }),
        new Squeeze({ image: [14, 14, 2] }),
      ]),
    }),
  ];
  const density = new Flow(new StandardNormal({ features: PIXELS }), new Chain(fromDataToBase.toReversed()));
  const dequantizer = new Chain([
    ...couplings(4, "dequantizer", { image, mask: "checkerboard", width: 16, context: image }),
    new Sigmoid({ features: PIXELS }),
  ]);
  return dequantize(density, { values: VALUES, dequantizer });
}
