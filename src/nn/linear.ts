import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";

/** x W + b, W [inputs, outputs]. Starts uniform in +-1/sqrt(inputs), or at zero. */
export class Linear {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(inputs: number, outputs: number, random: Random, { zero = false } = {}) {
    this.weight = new Parameter(
      [inputs, outputs],
      zero ? zeros(inputs * outputs) : start(random.split("weight"), inputs, outputs),
    );
    this.bias = new Parameter(
      [outputs],
      zero || inputs === 0 ? zeros(outputs) : start(random.split("bias"), inputs, 1, outputs),
    );
  }

  apply(x: Tensor): Tensor {
    return x.affine(this.weight, this.bias);
  }
}

const zeros = (size: number) => new Float32Array(size);

function start(random: Random, inputs: number, rows: number, columns = inputs): Float32Array {
  const bound = 1 / Math.sqrt(Math.max(1, inputs));
  return random.uniform(new Float32Array(rows * columns)).map((u) => (2 * u - 1) * bound);
}
