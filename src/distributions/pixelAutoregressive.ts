import * as z from "zod/mini";
import type { DataRows } from "../bijections/index.ts";
import { parse } from "../check/index.ts";
import { concat, constant, filled, loop, scalar, scoped, type Tensor } from "../graph/index.ts";
import {
  CausalTransformer,
  CausalWindow,
  type ImageShape,
  imageSchema,
  imageSize,
  ResidualNetwork,
  type TransformerOptions,
  transformerSchema,
} from "../nn/index.ts";
import { countSchema, MAX_LAYERS, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { DiscretizedMixture } from "./discretizedMixture.ts";
import {
  type Atoms,
  type Distribution,
  type DistributionKind,
  type Noise,
  onSupport,
} from "./distribution.ts";
import { integerSupport, isInteger } from "./integers.ts";

const pixelAutoregressiveSchema = z
  .strictObject({
    type: z.literal("pixelAutoregressive"),
    image: imageSchema,
    values: z._default(z.int().check(z.minimum(2), z.maximum(65_536)), 256),
    components: z._default(sizeSchema.check(z.maximum(256)), 8),
    atoms: z._default(sizeSchema.check(z.maximum(256)), 1),
    radius: z._default(sizeSchema.check(z.maximum(64)), 4),
    context: z._default(countSchema, 0),
    transformer: z.prefault(transformerSchema, {}),
    network: z.prefault(
      z.strictObject({
        width: z._default(sizeSchema, 128),
        blocks: z._default(z.int().check(z.nonnegative(), z.maximum(MAX_LAYERS)), 1),
      }),
      {},
    ),
  })
  .check(
    z.refine(({ atoms, values }) => atoms <= values, { path: ["atoms"], error: "no more than `values`" }),
  );

/** Options of `PixelAutoregressive`. */
export interface PixelAutoregressiveOptions {
  /** [height, width, channels] of the image. */
  image: ImageShape;
  /** V: pixels have the values 0, 1, ... V - 1. Default 256. */
  values?: number | undefined;
  /** K, the number of logistic components of the distribution of a pixel. Default 8. */
  components?: number | undefined;
  /** A, the number of atoms: values with a logit of their own, which are the most frequent values of the training data. Default 1. */
  atoms?: number | undefined;
  /** The window has this many rows above a pixel, and this many pixels to each side. Default 4. */
  radius?: number | undefined;
  /** C, the number of context features. Default 0: an unconditional distribution. */
  context?: number | undefined;
  /** The transformer over rows. Default two layers of width 64 with 4 heads. */
  transformer?: TransformerOptions | undefined;
  /** The `ResidualNetwork` that computes the parameters of a pixel. Default width 128 and one block. */
  network?: { width?: number; blocks?: number } | undefined;
}

/**
 * An autoregressive distribution of the pixels of an image, which are integers, in raster order:
 *
 *     P(x) = prod_i P(x_i | x_1 ... x_i-1, context).
 *
 * One network, shared by all pixels, computes the parameters of x_i, a `DiscretizedMixture`, from two inputs: the window of pixels near it
 * (`CausalWindow`), as in PixelCNN (van den Oord et al. 2016), and a state for its column that a causal transformer computes from all
 * rows above it, as in the Image Transformer (Parmar et al. 2018), and from the context. The channels of a pixel follow one another.
 *
 * `logProb` is exact and takes one pass; it is -Infinity for other numbers. Sampling takes a step for each pixel, in a loop.
 */
export class PixelAutoregressive implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly values: number;
  readonly noise: readonly Noise[];
  readonly transformer: CausalTransformer;
  readonly network: ResidualNetwork;
  readonly pixel: DiscretizedMixture;
  private readonly options: z.output<typeof pixelAutoregressiveSchema>;
  private readonly window: CausalWindow;
  /** R, the number of rows. */
  private readonly rows: number;
  /** F, the number of features of a row. */
  private readonly columns: number;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: PixelAutoregressiveOptions, random: Random) {
    const description = { type: "pixelAutoregressive", ...options };
    this.options = parse(pixelAutoregressiveSchema, description, "an autoregressive distribution of pixels");
    const { image, values, components, atoms, radius, context, transformer, network } = this.options;
    const [height, width, channels] = image;
    this.features = imageSize(image);
    this.context = context;
    this.values = values;
    this.rows = height;
    this.columns = width * channels;
    // The two uniform numbers of each pixel that `DiscretizedMixture.sample` needs.
    this.noise = [
      { kind: "uniform", size: this.features },
      { kind: "uniform", size: this.features },
    ];
    this.pixel = new DiscretizedMixture({ values, components, atoms });
    this.window = new CausalWindow({
      features: this.columns,
      encodedSize: this.pixel.encodedSize,
      rows: radius,
      radius: radius * channels,
      left: 2 * radius * channels,
    });
    this.transformer = new CausalTransformer(
      height,
      this.columns * this.pixel.encodedSize,
      this.columns * network.width,
      transformer,
      random.split("transformer"),
      context,
    );
    this.network = new ResidualNetwork(
      this.window.size,
      this.pixel.parameters,
      network,
      random.split("network"),
    );
  }

  get atoms(): readonly Atoms[] {
    return new Array(this.features).fill("all");
  }

  get support() {
    return integerSupport(this.values);
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const { rows, columns, pixel } = this;
    const isValue = isInteger(x, this.values - 1);
    const image = isValue.where(x, 0).reshape(["N", rows, columns]);
    const encoded = pixel.encode(image);
    // The input for a row is the row before it, and zeros for the first one, so that its state depends on earlier rows only.
    const before = encoded
      .reshape(["N", rows, columns * pixel.encodedSize])
      .slice(1, 0, rows - 1)
      .pad(1, 1, 0);
    const states = scoped("transformer", () => this.transformer.apply(before, context));
    const parameters = scoped("network", () =>
      this.network.apply(this.window.apply(encoded), states.reshape(["N", rows, columns, this.width])),
    );
    return onSupport(x, isValue, pixel.logProb(image, parameters).sum([1, 2]));
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    const { rows, columns, features, pixel } = this;
    const { radius } = this.options;
    const transformer = this.transformer.looped(context);
    const noiseOfRows = noise.map((numbers) => numbers.reshape(["N", rows, columns]));
    const zeros = (...shape: number[]) => filled(0, ["N", ...shape]);
    const [image] = loop(
      [zeros(rows, columns), zeros(radius, columns, pixel.encodedSize), scalar(0), ...transformer.initial],
      ([image, above, index, ...cache]) => {
        const isCurrent = oneHot(index, [rows, 1]);
        const previous = above.slice(1, radius - 1, radius).reshape(["N", columns * pixel.encodedSize]);
        const { output, state } = scoped("transformer", () => transformer.next(previous, index, cache));
        const inputs = concat([this.window.above(above), output.reshape(["N", columns, this.width])], 2);
        const ownNoise = noiseOfRows.map((numbers) => isCurrent.where(numbers, 0).sum(1));
        const row = this.sampleRow(ownNoise, inputs).reshape(["N", 1, columns]);
        const next = index.add(1);
        return {
          state: [
            isCurrent.where(row, image),
            concat([above.slice(1, 1, radius), pixel.encode(row)], 1),
            next,
            ...state,
          ],
          proceed: next.less(rows),
        };
      },
      { maxIterations: rows },
    );
    return image.reshape(["N", features]);
  }

  /** Draws the features [N, F] of a row one after the other. `inputs` are the inputs of the network except those from the left. */
  private sampleRow(noise: readonly Tensor[], inputs: Tensor): Tensor {
    const { columns, window, pixel } = this;
    const { encodedSize } = pixel;
    const sizeLeft = window.size - window.sizeAbove;
    const [row] = loop(
      [filled(0, ["N", columns]), filled(0, ["N", sizeLeft]), scalar(0)],
      ([row, left, index]) => {
        const isCurrent = oneHot(index, [columns, 1]);
        const [above, state] = isCurrent.where(inputs, 0).sum(1).split(1, [window.sizeAbove, this.width]);
        const parameters = scoped("network", () => this.network.apply(concat([above, left], 1), state));
        const own = oneHot(index, [columns]);
        const ownNoise = noise.map((numbers) => own.where(numbers, 0).sum(1, { keepAxes: true }));
        const value = pixel.sample(ownNoise, parameters);
        const encoded = pixel.encode(value).reshape(["N", encodedSize]);
        const next = index.add(1);
        return {
          state: [own.where(value, row), concat([left.slice(1, encodedSize, sizeLeft), encoded], 1), next],
          proceed: next.less(columns),
        };
      },
      { maxIterations: columns },
    );
    return row;
  }

  /** The size of the state of a pixel. */
  private get width(): number {
    return this.options.network.width;
  }

  /**
   * The distribution at a temperature T: for samples, logits are divided by T, and scales are multiplied by T. `logProb` does not
   * depend on T.
   */
  atTemperature(temperature: number): PixelAutoregressive {
    const pixel = this.pixel.atTemperature(temperature);
    return Object.assign(Object.create(PixelAutoregressive.prototype), this, { pixel });
  }

  /** Sets the atoms to the most frequent values. */
  fitToData(rows: DataRows): void {
    this.pixel.fitToData(rows);
  }

  describe() {
    return this.options;
  }
}

/** True at position `index` of the only axis that is longer than 1. */
const oneHot = (index: Tensor, shape: readonly number[]): Tensor =>
  constant(
    Array.from({ length: Math.max(...shape) }, (_, i) => i),
    shape,
  ).equal(index);

export const pixelAutoregressiveKind: DistributionKind<typeof pixelAutoregressiveSchema> = {
  schema: pixelAutoregressiveSchema,
  build: ({ type: _, ...options }, random) => new PixelAutoregressive(options, random),
};
