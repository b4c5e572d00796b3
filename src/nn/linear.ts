import { checkOptions, trueOrFalse } from "../check/index.ts";
import { Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import type { Random } from "../random/index.ts";

/** Float32 numbers in a vector register (AVX-512). A product computes this many columns in the time of one. */
export const VECTOR_WIDTH = 16;

/** x W + b: [N, inputs] -> [N, outputs]. Weights and biases start uniform in +-1/sqrt(inputs), or at 0 with `zeroInit`. */
export class Linear {
  /** [inputs, outputs] */
  readonly weight: Parameter;
  /** [outputs] */
  readonly bias: Parameter;

  /** `zeroInit` is false by default. Throws `ARGUMENT` for an option that is not valid. */
  constructor(inputs: number, outputs: number, random: Random, options: { zeroInit?: boolean } = {}) {
    checkOptions("new Linear", options, { zeroInit: trueOrFalse });
    const { zeroInit = false } = options;
    const initial = initialValues(inputs, outputs, random, { zeroInit });
    this.weight = new Parameter([inputs, outputs], initial.weight, { domain: WEIGHT, decay: true });
    this.bias = new Parameter([outputs], initial.bias, { domain: WEIGHT });
  }

  /** [N, inputs] -> [N, outputs]. Throws `SHAPE` if the last axis of x has another size. */
  apply(x: Tensor): Tensor {
    return x.affine(this.weight, this.bias);
  }
}

/** Linear layers between `sizes` of units. The last one starts at 0 with `zeroInit`, which is true by default. */
export const linearLayers = (sizes: readonly number[], random: Random, zeroInit = true): Linear[] =>
  sizes
    .slice(1)
    .map(
      (size, i) =>
        new Linear(sizes[i], size, random.split(i), { zeroInit: zeroInit && i === sizes.length - 2 }),
    );

/** Functions that return the initial weights [inputs, outputs] and biases [outputs] of a linear layer. */
export function initialValues(
  inputs: number,
  outputs: number,
  random: Random,
  { zeroInit }: { zeroInit: boolean },
) {
  const values = (name: string, size: number) => {
    const array = new Float32Array(size);
    if (zeroInit) return array;
    return random
      .split(name)
      .uniform(array)
      .map((u) => (2 * u - 1) / Math.sqrt(inputs));
  };
  return { weight: () => values("weight", inputs * outputs), bias: () => values("bias", outputs) };
}

/**
 * `concat(parts, 1).affine(weight, bias)` as a sum of products: [N, I1], [N, I2], ... -> [N, O]. One product for each part takes
 * less time than a concatenation and a single product.
 */
export function affineOfConcat(parts: readonly Tensor[], weight: Tensor, bias: Tensor): Tensor {
  let end = 0;
  return parts.reduce((sum, part) => {
    const start = end;
    end += part.shape[1] as number;
    return part.affine(weight.slice(0, start, end), sum);
  }, bias);
}
