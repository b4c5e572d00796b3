import { Parameter, WEIGHT } from "../graph/parameter.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";

/** Logarithms of positive weights are clamped smoothly to this. */
const LOG_BOUND = Math.log(1000);

/**
 * A linear layer of D by D blocks, each of I inputs and O outputs: positive on the diagonal, free from earlier to later features,
 * and 0 from later to earlier ones (De Cao et al. 2019). Features lie one after the other.
 */
export class BlockLinear {
  readonly inputs: number;
  readonly outputs: number;
  /** [D I, D O]: above the diagonal blocks weights, in these the logarithms of weights. */
  readonly weight: Parameter;
  /** [D O] */
  readonly bias: Parameter;
  private readonly features: number;

  constructor(
    features: number,
    inputs: number,
    outputs: number,
    random: Random,
    { last }: { last: boolean },
  ) {
    this.features = features;
    this.inputs = inputs;
    this.outputs = outputs;
    const uniform = (name: string, size: number) =>
      random
        .split(name)
        .uniform(new Float32Array(size))
        .map((u) => 2 * u - 1);
    const columns = features * outputs;
    const weight = () =>
      uniform("weight", features * inputs * columns).map((u, k) => {
        const [from, to] = [Math.floor(k / columns / inputs), Math.floor((k % columns) / outputs)];
        // The means of a block's inputs: sums of many would saturate the next layer.
        if (from === to) return u - Math.log(inputs);
        return last ? 0 : u / Math.sqrt(features * inputs);
      });
    this.weight = new Parameter([features * inputs, columns], weight, { domain: WEIGHT, decay: true });
    this.bias = new Parameter([columns], last ? 0 : () => uniform("bias", columns), { domain: WEIGHT });
  }

  /** [N, D I] -> [N, D O], before the activation. */
  apply(h: Tensor): Tensor {
    const positive = this.weight.softClamp(LOG_BOUND).exp();
    return h.affine(this.free().add(positive.mul(this.mask((from, to) => from === to))), this.bias);
  }

  /** What outputs owe to the features before their own, [N, D I] -> [N, D O]. */
  shift(h: Tensor): Tensor {
    return h.affine(this.free(), this.bias);
  }

  /** The same for feature i alone, from the inputs of the features before it: [N, i I] -> [N, O]. */
  owed(i: number, known: Tensor | undefined): Tensor {
    const [start, end] = [i * this.outputs, (i + 1) * this.outputs];
    const bias = this.bias.slice(0, start, end);
    return known ? known.affine(this.weight.slice(0, 0, i * this.inputs).slice(1, start, end), bias) : bias;
  }

  /** The positive weights of feature i, [I, O]. */
  block(i: number): Tensor {
    return this.weight
      .slice(0, i * this.inputs, (i + 1) * this.inputs)
      .slice(1, i * this.outputs, (i + 1) * this.outputs)
      .softClamp(LOG_BOUND)
      .exp();
  }

  /** Logarithms of the positive weights of all features, [D, I, O]. */
  logBlocks(): Tensor {
    const { features, inputs, outputs } = this;
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

  private free(): Tensor {
    return this.weight.mul(this.mask((from, to) => from < to));
  }

  private mask(keep: (from: number, to: number) => boolean): Tensor {
    const [rows, columns] = this.weight.sizes;
    const values = Array.from({ length: rows * columns }, (_, k) =>
      keep(Math.floor(k / columns / this.inputs), Math.floor((k % columns) / this.outputs)) ? 1 : 0,
    );
    return constant(values, [rows, columns]);
  }
}
