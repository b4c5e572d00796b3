import { concat, type Tensor } from "../graph/index.ts";

/** Options of a `CausalWindow`. */
interface CausalWindowOptions {
  /** F, the number of features of a row of the image. */
  readonly features: number;
  /** E, how many numbers encode a feature. */
  readonly encodedSize: number;
  /** The number of rows above. */
  readonly rows: number;
  /** The number of features to each side in the rows above. */
  readonly radius: number;
  /** The number of features to the left in the same row. */
  readonly left: number;
}

/**
 * The inputs of a masked convolution (van den Oord et al. 2016, "Pixel recurrent neural networks"): the features near a feature of an
 * image that come before it in raster order. The window has `rows` rows above with `radius` features to each side, and then `left`
 * features in the same row. Outside of the image the numbers are 0.
 */
export class CausalWindow {
  /** The number of inputs from the rows above. */
  readonly sizeAbove: number;
  /** The number of inputs. */
  readonly size: number;
  private readonly options: CausalWindowOptions;

  constructor(options: CausalWindowOptions) {
    const { encodedSize, rows, radius, left } = options;
    this.options = options;
    this.sizeAbove = rows * (2 * radius + 1) * encodedSize;
    this.size = this.sizeAbove + left * encodedSize;
  }

  /** The windows of all features of an image [N, R, F, E]: [N, R, F, size]. */
  apply(image: Tensor): Tensor {
    const { rows, radius, left } = this.options;
    const height = image.shape[1] as number;
    const sides = this.slide(image.pad(1, rows, 0), radius, radius);
    const above = Array.from({ length: rows }, (_, i) => sides.slice(1, i, i + height));
    return concat([...above, this.slide(image, left, -1)], 3);
  }

  /** The parts of windows above a row, from the `rows` rows before it [N, rows, F, E], the nearest one last: [N, F, sizeAbove]. */
  above(rowsBefore: Tensor): Tensor {
    const { features, rows, radius } = this.options;
    const sides = this.slide(rowsBefore, radius, radius).split(1, new Array(rows).fill(1));
    return concat(sides, 3).reshape(["N", features, this.sizeAbove]);
  }

  /** For each feature the numbers from feature -`before` to feature +`after`, relative to it: [N, R, F, (before + after + 1) E]. */
  private slide(image: Tensor, before: number, after: number): Tensor {
    const { features, encodedSize } = this.options;
    const height = image.shape[1] as number;
    const padded = image.pad(2, before, Math.max(0, after));
    const rows = padded.reshape(["N", height, (padded.shape[2] as number) * encodedSize]);
    const width = (before + after + 1) * encodedSize;
    return concat(
      Array.from({ length: features }, (_, f) =>
        rows.slice(2, f * encodedSize, f * encodedSize + width).reshape(["N", height, 1, width]),
      ),
      2,
    );
  }
}
