import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";

/** Columns that a product takes at a time on wide processors: it takes as long for fewer. */
export const LANES = 16;

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
}

/**
 * `x.affine(weight, bias)` for an x in parts, whose columns lie side by side: [N, I1], [N, I2]... -> [N, O]. A product of each
 * part, added to what the parts before it gave, costs less than to put them together.
 */
export function affineOfParts(parts: readonly Tensor[], weight: Tensor, bias: Tensor): Tensor {
  let row = 0;
  return parts.reduce((sum, part) => {
    const start = row;
    row += part.shape[1] as number;
    return part.affine(weight.slice(0, start, row), sum);
  }, bias);
}
