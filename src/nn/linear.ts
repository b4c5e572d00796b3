import { Parameter, WEIGHT } from "../graph/parameter.ts";
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
    const start = startOf(inputs, outputs, random, { zero });
    this.weight = new Parameter([inputs, outputs], start.weight, { domain: WEIGHT, decay: true });
    this.bias = new Parameter([outputs], start.bias, { domain: WEIGHT });
  }

  apply(x: Tensor): Tensor {
    return x.affine(this.weight, this.bias);
  }
}

/** What makes the starting weights [inputs, outputs] and biases [outputs] of a linear layer. */
export function startOf(inputs: number, outputs: number, random: Random, { zero }: { zero: boolean }) {
  const start = (name: string, size: number) => {
    const values = new Float32Array(size);
    if (zero) return values;
    return random
      .split(name)
      .uniform(values)
      .map((u) => (2 * u - 1) / Math.sqrt(inputs));
  };
  return { weight: () => start("weight", inputs * outputs), bias: () => start("bias", outputs) };
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
