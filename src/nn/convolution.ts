import { checkOptions, trueOrFalse } from "../check/index.ts";
import { conv2d, Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import { initialValues } from "./linear.ts";

/**
 * Convolution with a K x K kernel, stride 1 and same padding: [N, H, W, inputs] -> [N, H, W, outputs]. Weights and biases are
 * initialized uniformly in +-1 / sqrt(K K inputs), or with zeros if `zeroInit`.
 *
 * With `weightNorm` the weights of output o are g_o v_o / rms(v_o), with learned scales g and directions v (weight normalization, Salimans and
 * Kingma 2016). The initial weights are the same. Weight decay applies to the scales, as in RealNVP (Dinh et al. 2017), because the length of v
 * does not matter. With the root mean square instead of the norm of the paper, a step of Adam changes the weights of wide layers as fast as
 * without the normalization.
 */
export class Convolution {
  /** [K, K, inputs, outputs]: the weights, or with `weightNorm` their directions v. */
  readonly weight: Parameter;
  /** [outputs]: the scales g, with `weightNorm`. */
  readonly scale: Parameter | undefined;
  /** [outputs] */
  readonly bias: Parameter;

  /** `kernel` is K. `zeroInit` and `weightNorm` are false by default. Throws `ARGUMENT` for an option that is not valid. */
  constructor(
    inputs: number,
    outputs: number,
    kernel: number,
    random: Random,
    options: { zeroInit?: boolean; weightNorm?: boolean } = {},
  ) {
    checkOptions("new Convolution", options, { zeroInit: trueOrFalse, weightNorm: trueOrFalse });
    const { zeroInit = false, weightNorm = false } = options;
    const initialize = (zeroInit: boolean) =>
      initialValues(kernel * kernel * inputs, outputs, random, { zeroInit });
    const initial = initialize(zeroInit);
    // A direction of zeros has no gradient, so that the weights are 0 because of their scale.
    const { weight } = weightNorm ? initialize(false) : initial;
    this.weight = new Parameter([kernel, kernel, inputs, outputs], weight, {
      domain: WEIGHT,
      decay: !weightNorm,
    });
    if (weightNorm) {
      const scale = zeroInit ? 0 : () => columnRootMeanSquares(weight(), outputs);
      this.scale = new Parameter([outputs], scale, { domain: WEIGHT, decay: true });
    }
    this.bias = new Parameter([outputs], initial.bias, { domain: WEIGHT });
  }

  /** [N, H, W, inputs] -> [N, H, W, outputs]. Throws `SHAPE` for x of another shape, and if K is even. */
  apply(x: Tensor): Tensor {
    return conv2d(x, this.kernel(), this.bias);
  }

  /**
   * Same as `apply` and a split of the outputs: [N, H, W, inputs] -> one [N, H, W, size] for each of `sizes`. Splitting the weights takes less time
   * than splitting the outputs and joining their gradients. Throws `SHAPE` if the sum of the sizes is not `outputs`, and the errors of `apply`.
   */
  applyInParts(x: Tensor, sizes: readonly number[]): Tensor[] {
    const weights = this.kernel().split(3, sizes);
    const biases = this.bias.split(0, sizes);
    return weights.map((weight, i) => conv2d(x, weight, biases[i]));
  }

  private kernel(): Tensor {
    const { weight, scale } = this;
    return scale ? weight.mul(scale.div(weight.mul(weight).mean([0, 1, 2]).sqrt())) : weight;
  }
}

/** The root mean squares of the columns of a matrix with `columns` columns. */
function columnRootMeanSquares(matrix: Float32Array, columns: number): Float32Array {
  const squares = new Float32Array(columns);
  matrix.forEach((value, i) => {
    squares[i % columns] += value * value;
  });
  return squares.map((sum) => Math.sqrt((sum * columns) / matrix.length));
}
