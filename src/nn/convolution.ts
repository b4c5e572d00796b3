import { conv2d } from "../graph/operations/convolution.ts";
import { Parameter, WEIGHT } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { checkOptions, trueOrFalse } from "../options.ts";
import type { Random } from "../random/index.ts";
import { initialValues } from "./linear.ts";

/**
 * Convolution with a K x K kernel, stride 1 and same padding: [N, H, W, inputs] -> [N, H, W, outputs]. Weights and biases are
 * initialized uniformly in +-1 / sqrt(K K inputs), or with zeros if `zeroInit`.
 */
export class Convolution {
  /** [K, K, inputs, outputs] */
  readonly weight: Parameter;
  /** [outputs] */
  readonly bias: Parameter;

  constructor(
    inputs: number,
    outputs: number,
    kernel: number,
    random: Random,
    options: { zeroInit?: boolean } = {},
  ) {
    checkOptions("new Convolution", options, { zeroInit: trueOrFalse });
    const { zeroInit = false } = options;
    const initial = initialValues(kernel * kernel * inputs, outputs, random, { zeroInit });
    this.weight = new Parameter([kernel, kernel, inputs, outputs], initial.weight, {
      domain: WEIGHT,
      decay: true,
    });
    this.bias = new Parameter([outputs], initial.bias, { domain: WEIGHT });
  }

  /** [N, H, W, inputs] -> [N, H, W, outputs]. */
  apply(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias);
  }
}
