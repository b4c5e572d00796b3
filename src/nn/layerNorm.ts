import { Parameter, WEIGHT } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";

/** PyTorch's default. It is added to the variance, so that the result is finite if all numbers are equal. */
const EPSILON = 1e-5;

/**
 * Layer normalization (Ba et al. 2016) over the last axis of C numbers: y = (x - mean) / sqrt(variance + 1e-5) * scale + shift,
 * with a learned scale, which starts at 1, and a learned shift, which starts at 0.
 */
export class LayerNorm {
  /** [C] */
  readonly scale: Parameter;
  /** [C] */
  readonly shift: Parameter;

  constructor(size: number) {
    this.scale = new Parameter([size], 1, { domain: WEIGHT });
    this.shift = new Parameter([size], 0, { domain: WEIGHT });
  }

  /** [..., C] -> [..., C]. */
  apply(x: Tensor): Tensor {
    const centered = x.sub(x.mean(-1, { keepAxes: true }));
    const variance = centered.square().mean(-1, { keepAxes: true });
    // A product with the reciprocal would have a gradient of NaN where the variance is infinite.
    return centered.div(variance.add(EPSILON).sqrt()).mul(this.scale).add(this.shift);
  }
}
