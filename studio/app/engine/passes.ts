import { Autoregressive, compile, Random, type Tensor } from "pushforward";
import { parametersOf } from "pushforward/nn";
import { softClamp } from "../formula/softClamp.ts";
import { WASM } from "./wasm.ts";

const FEATURES = 4;
/** Random weights of the last layer of the network, which would otherwise be 0, are multiplied by this. */
const WEIGHT_SCALE = 0.5;

/**
 * An affine autoregressive layer with random weights: v_i = u_i exp(a_i) + b_i, where its network computes a_i and b_i from u_1 ... u_i-1.
 * A layer of MAF has u = x and v = z, and one of IAF has u = z and v = x.
 */
export class PassCounter {
  readonly layer: Autoregressive;
  private readonly network;

  constructor() {
    const order = Array.from({ length: FEATURES }, (_, i) => i);
    const random = new Random(0);
    this.layer = new Autoregressive({ order, network: { hidden: [16, 16] } }, random);
    for (const [name, parameter] of parametersOf(this.layer)) {
      const normal = random.split(name).normal(new Float32Array(parameter.numbers.length));
      if (parameter.numbers.every((value) => value === 0))
        parameter.take(normal.map((value) => WEIGHT_SCALE * value));
    }
    this.network = compile((u: Tensor) => this.layer.network.apply(u), [["N", FEATURES]], WASM);
  }

  /** Computes v from u in one pass of the network. The result has the coordinates that are known after each pass. */
  async allAtOnce(u: readonly number[]): Promise<number[][]> {
    const maps = await this.pass(u);
    return [u.map((value, i) => value * Math.exp(maps[i]!.a) + maps[i]!.b)];
  }

  /** Computes u from v, one more coordinate in each pass of the network. The result has the coordinates that are known after each pass. */
  async oneByOne(v: readonly number[]): Promise<number[][]> {
    const known: number[] = [];
    const passes: number[][] = [];
    for (const [i, value] of v.entries()) {
      // The outputs for coordinate i do not depend on the coordinates that are not known yet.
      const { a, b } = (await this.pass([...known, ...new Array(FEATURES - i).fill(0)]))[i]!;
      known.push((value - b) * Math.exp(-a));
      passes.push([...known]);
    }
    return passes;
  }

  private async pass(u: readonly number[]) {
    const outputs = await this.network(u);
    return u.map((_, i) => ({ b: outputs[i]!, a: softClamp(outputs[FEATURES + i]!) }));
  }
}
