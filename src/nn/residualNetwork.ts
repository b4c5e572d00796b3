import { scoped, type Tensor } from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import { LayerNorm } from "./layerNorm.ts";
import { Linear } from "./linear.ts";

interface Block {
  readonly norm: LayerNorm;
  readonly first: Linear;
  readonly second: Linear;
}

/**
 * A network of pre-norm residual blocks, h <- h + W2 relu(W1 relu(norm(h))) (He et al. 2016; Ba et al. 2016), between a first and a last
 * layer: [..., inputs] -> [..., outputs]. Its last layer is initialized with zeros.
 */
export class ResidualNetwork {
  readonly first: Linear;
  readonly blocks: readonly Block[];
  readonly lastNorm: LayerNorm;
  readonly last: Linear;

  constructor(
    inputs: number,
    outputs: number,
    { width, blocks }: { width: number; blocks: number },
    random: Random,
  ) {
    this.first = new Linear(inputs, width, random.split("first"));
    this.blocks = Array.from({ length: blocks }, (_, i) => {
      const blockRandom = random.split("blocks").split(i);
      return {
        norm: new LayerNorm(width),
        first: new Linear(width, width, blockRandom.split("first")),
        second: new Linear(width, width, blockRandom.split("second")),
      };
    });
    this.lastNorm = new LayerNorm(width);
    this.last = new Linear(width, outputs, random.split("last"), { zeroInit: true });
  }

  /** `added` [..., width] is added to the output of the first layer. */
  apply(x: Tensor, added: Tensor): Tensor {
    let h = scoped("first", () => this.first.apply(x)).add(added);
    this.blocks.forEach(({ norm, first, second }, i) => {
      h = scoped(`blocks.${i}`, () => h.add(second.apply(first.apply(norm.apply(h).relu()).relu())));
    });
    return scoped("last", () => this.last.apply(this.lastNorm.apply(h).relu()));
  }
}
