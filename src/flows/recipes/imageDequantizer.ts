import { Chain, ImageCoupling, Sigmoid } from "../../bijections/index.ts";
import { type ImageShape, imageSize } from "../../nn/index.ts";
import type { Random } from "../../random/index.ts";

/** Channels of the hidden layers. The networks work on all pixels of the image, where wide layers are slow. */
const WIDTH = 16;

/**
 * The dequantizer of variational dequantization (Ho et al. 2019, "Flow++"): two affine couplings with checkerboard masks, whose networks
 * also see the image, and a sigmoid. It starts with uniform noise. On the digits of `bench/images`, four couplings are not better than two.
 */
export function imageDequantizer(image: ImageShape, random: Random): Chain {
  const couplings = [false, true].map((inverted, i) => {
    const network = { width: WIDTH };
    return new ImageCoupling(
      { image, mask: "checkerboard", inverted, context: image, network },
      random.split(i),
    );
  });
  return new Chain([...couplings, new Sigmoid({ features: imageSize(image) })]);
}
