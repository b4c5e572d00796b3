import { matrixMask, Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import type { Random } from "../random/index.ts";

/**
 * A linear layer of block neural autoregressive flows (De Cao et al. 2019). Each of the D features has I inputs and O outputs.
 * The weight from a feature to itself (a diagonal block) is positive, from a feature to a later one it is any number, and to an
 * earlier one it is 0.
 */
export class BlockLinear {
  readonly inputsPerFeature: number;
  readonly outputsPerFeature: number;
  /** `[D I, D O]`: logarithms of the weights in the diagonal blocks, the weights themselves above them. */
  readonly weight: Parameter;
  /** [D O] */
  readonly bias: Parameter;
  private readonly features: number;

  /** `inputs` is I and `outputs` is O. In the `last` layer, the biases and the weights between features start at 0. */
  constructor(
    features: number,
    inputs: number,
    outputs: number,
    random: Random,
    { last }: { last: boolean },
  ) {
    this.features = features;
    this.inputsPerFeature = inputs;
    this.outputsPerFeature = outputs;
    const uniform = (name: string, size: number) =>
      random
        .split(name)
        .uniform(new Float32Array(size))
        .map((u) => 2 * u - 1);
    const columns = features * outputs;
    const weight = () =>
      uniform("weight", features * inputs * columns).map((u, k) => {
        const [from, to] = [Math.floor(k / columns / inputs), Math.floor((k % columns) / outputs)];
        // A positive weight starts at about 1/I, so that outputs start near a mean of the inputs. Sums would saturate the next
        // layer.
        if (from === to) return u - Math.log(inputs);
        return last ? 0 : u / Math.sqrt(features * inputs);
      });
    this.weight = new Parameter([features * inputs, columns], weight, { domain: WEIGHT, decay: true });
    this.bias = new Parameter([columns], last ? 0 : () => uniform("bias", columns), { domain: WEIGHT });
  }

  /** [N, D I] -> [N, D O], before the activation. Throws `SHAPE` if h has another number of columns. */
  apply(h: Tensor): Tensor {
    const positive = this.weight.softClamp(LOG_BOUND).exp();
    return h.affine(
      this.offDiagonalWeight().add(positive.mul(this.mask((from, to) => from === to))),
      this.bias,
    );
  }

  /** The contribution of earlier features, and the bias: [N, D I] -> [N, D O]. */
  applyOffDiagonal(h: Tensor): Tensor {
    return h.affine(this.offDiagonalWeight(), this.bias);
  }

  /** `applyOffDiagonal` for feature i only, from the inputs of the features before it, if there are any: [N, i I] -> [N, O]. */
  applyOffDiagonalTo(i: number, earlier: Tensor | undefined): Tensor {
    const [start, end] = [i * this.outputsPerFeature, (i + 1) * this.outputsPerFeature];
    const bias = this.bias.slice(0, start, end);
    return earlier
      ? earlier.affine(this.weight.slice(0, 0, i * this.inputsPerFeature).slice(1, start, end), bias)
      : bias;
  }

  /** The positive weights from feature i to itself, [I, O]. */
  diagonalBlock(i: number): Tensor {
    return this.weight
      .slice(0, i * this.inputsPerFeature, (i + 1) * this.inputsPerFeature)
      .slice(1, i * this.outputsPerFeature, (i + 1) * this.outputsPerFeature)
      .softClamp(LOG_BOUND)
      .exp();
  }

  /** Logarithms of the diagonal blocks of all features, [D, I, O]. */
  logDiagonalBlocks(): Tensor {
    const { features, inputsPerFeature: inputs, outputsPerFeature: outputs } = this;
    return this.weight
      .reshape([features, inputs, features, outputs])
      .transpose([0, 2, 1, 3])
      .reshape([features * features, inputs, outputs])
      .gather(
        0,
        Array.from({ length: features }, (_, i) => i * (features + 1)),
      )
      .softClamp(LOG_BOUND);
  }

  private offDiagonalWeight(): Tensor {
    return this.weight.mul(this.mask((from, to) => from < to));
  }

  private mask(keep: (from: number, to: number) => boolean): Tensor {
    return matrixMask("BlockLinear", this.weight.shape, (row, column) =>
      keep(Math.floor(row / this.inputsPerFeature), Math.floor(column / this.outputsPerFeature)),
    );
  }
}
