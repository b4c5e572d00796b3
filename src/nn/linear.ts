import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Random } from "../random/index.ts";

/** x W + b: [N, inputs] -> [N, outputs]. Weights and biases start uniform in +-1/sqrt(inputs), or at zero. */
export class Linear {
  /** [inputs, outputs] */
  readonly weight: Parameter;
  /** [outputs] */
  readonly bias: Parameter;

  constructor(inputs: number, outputs: number, random: Random, { zero = false } = {}) {
    const start = (name: string, size: number) => {
      const values = new Float32Array(size);
      if (zero) return values;
      return random
        .split(name)
        .uniform(values)
        .map((u) => (2 * u - 1) / Math.sqrt(inputs));
    };
    this.weight = new Parameter([inputs, outputs], start("weight", inputs * outputs));
    this.bias = new Parameter([outputs], start("bias", outputs));
  }

  apply(x: Tensor): Tensor {
    return x.affine(this.weight, this.bias);
  }

  /** A layer of its own that starts as the first `rows` inputs and the chosen units of this one. */
  part(rows: number, units: readonly number[]): Linear {
    const part = new Linear(rows, units.length, new Random(0), { zero: true });
    const outputs = this.bias.sizes[0];
    units.forEach((unit, column) => {
      part.bias.value[column] = this.bias.value[unit];
      for (let row = 0; row < rows; row++)
        part.weight.value[row * units.length + column] = this.weight.value[row * outputs + unit];
    });
    return part;
  }
}
