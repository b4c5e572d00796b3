import { layerNormalization, Parameter, type Tensor, WEIGHT } from "../graph/index.ts";

/**
 * Layer normalization (Ba et al. 2016) over the last axis of C numbers: y = (x - mean) / sqrt(variance + 1e-5) * scale + shift,
 * with a learned scale, which starts at 1, and a learned shift, which starts at 0.
 */
export class LayerNorm {
  /** [C] */
  readonly scale: Parameter;
  /** [C] */
  readonly shift: Parameter;

  /** `size` is C. */
  constructor(size: number) {
    this.scale = new Parameter([size], 1, { domain: WEIGHT });
    this.shift = new Parameter([size], 0, { domain: WEIGHT });
  }

  /** [..., C] -> [..., C]. Throws `SHAPE` if the last axis has another size. */
  apply(x: Tensor): Tensor {
    return layerNormalization(x, this.scale, this.shift);
  }
}
