import { Chain } from "../../bijections/chain.ts";
import { ImageCoupling } from "../../bijections/imageCoupling.ts";
import { Sigmoid } from "../../bijections/sigmoid.ts";
import { type ImageShape, imageSize } from "../../nn/image.ts";
import type { Random } from "../../random/index.ts";

const COUPLINGS = 4;
/** Channels of the hidden layers. The couplings work on all pixels of the image, where wide networks are slow. */
const WIDTH = 16;

/**
 * The dequantizer of variational dequantization (Ho et al. 2019, "Flow++"): affine couplings with checkerboard masks, whose networks also see
 * the image, and a sigmoid. It starts with uniform noise.
 */
export function imageDequantizer(image: ImageShape, random: Random): Chain {
  const couplings = Array.from({ length: COUPLINGS }, (_, i) => {
    const inverted = i % 2 === 1;
    const network = { width: WIDTH };
    return new ImageCoupling(
      { image, mask: "checkerboard", inverted, context: image, network },
      random.split(i),
    );
  });
  return new Chain([...couplings, new Sigmoid({ features: imageSize(image) })]);
}
