import * as z from "zod/mini";
import { PushforwardError, parse } from "../check/index.ts";
import { concat, scoped, type Tensor } from "../graph/index.ts";
import { type ImageShape, imageSchema, imageSize, toImages, toRows } from "../nn/index.ts";
import type { Description, NestedSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, DataRows, FitToRows, Transformed } from "./bijection.ts";
import { formatSupport, mappedSupport, type Support } from "./support.ts";

const factorOutSchema = (bijection: NestedSchema) =>
  z.strictObject({ type: z.literal("factorOut"), image: imageSchema, bijection });

/** Options of `FactorOut`. */
export interface FactorOutOptions {
  /** [height, width, channels] of the image on the side of the data. */
  image: ImageShape;
  /** The map of the first channels, which contains the further levels of the flow. It has height * width features per channel. */
  bijection: Bijection;
}

/**
 * Factoring out of RealNVP (Dinh et al. 2017, section 3.6): a bijection, which contains the further levels of a multi-scale flow,
 * maps the first channels of an image. The other channels become latent variables unchanged. On the latent side the features
 * of the bijection come first in the row, so the coarsest level comes first.
 *
 * An affine `ImageCoupling` with the mask `channels` on the side of the data is the learned conditional prior of Glow: the other
 * channels b are N(m(a), exp(2 s(a))) given the first ones a.
 */
export class FactorOut implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly bijection: Bijection;
  private readonly image: ImageShape;
  /** The number of channels that the bijection maps. */
  private readonly channels: number;

  /** Throws `SHAPE` unless the bijection has the features of at least one of the channels, but not of all. */
  constructor({ image, bijection }: FactorOutOptions) {
    this.image = parse(imageSchema, image, "the image of a FactorOut");
    const [height, width, channels] = this.image;
    this.features = imageSize(this.image);
    this.context = bijection.context;
    this.bijection = bijection;
    this.channels = bijection.features / (height * width);
    if (!Number.isInteger(this.channels) || this.channels >= channels) {
      throw new PushforwardError("SHAPE", "a FactorOut needs a bijection of some channels, but not of all", {
        expected: `a multiple of ${height * width} features below ${this.features}`,
        received: `${bijection.features}`,
      });
    }
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const [height, width, channels] = this.image;
    const [mapped, other] = z.split(1, [this.bijection.features, this.features - this.bijection.features]);
    const { value, logDet } = scoped("bijection", () => this.bijection.forward(mapped, context));
    const parts = [
      toImages(value, [height, width, this.channels]),
      toImages(other, [height, width, channels - this.channels]),
    ];
    return { value: toRows(concat(parts, 3)), logDet };
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const [mapped, other] = toImages(x, this.image).split(3, [this.channels, this.image[2] - this.channels]);
    const { value, logDet } = scoped("bijection", () => this.bijection.inverse(toRows(mapped), context));
    return { value: concat([value, toRows(other)], 1), logDet };
  }

  get levels(): readonly number[] {
    const { features } = this.bijection;
    return [...(this.bijection.levels ?? [features]), this.features - features];
  }

  get support(): Support | undefined {
    return this.bijection.support && mappedSupport(this.bijection.support);
  }

  get domain(): Support | undefined {
    const { domain, features } = this.bijection;
    return domain && { description: `${formatSupport(domain)} for the first ${features} features` };
  }

  get fitToData(): FitToRows | undefined {
    const { bijection, image } = this;
    const isMapped = (column: number) => column % image[2] < this.channels;
    return bijection.fitToData && ((rows) => bijection.fitToData!(this.select(rows, isMapped)));
  }

  get fitToLatent(): FitToRows | undefined {
    const { bijection } = this;
    const isMapped = (column: number) => column < bijection.features;
    return bijection.fitToLatent && ((rows) => bijection.fitToLatent!(this.select(rows, isMapped)));
  }

  /** The columns of rows that the bijection maps. */
  private select(rows: DataRows, isMapped: (column: number) => boolean): DataRows {
    const { features } = this;
    const values = rows.values.filter((_, i) => isMapped(i % features));
    return { ...rows, features: this.bijection.features, values };
  }

  describe(): Description {
    return { type: "factorOut", image: this.image, bijection: this.bijection.describe() };
  }
}

export const factorOutKind: BijectionKind<typeof factorOutSchema> = {
  schema: factorOutSchema,
  build: ({ image, bijection }, random, nested) =>
    new FactorOut({ image, bijection: nested(bijection, random) }),
};
