import type { Tensor } from "../graph/tensor.ts";
import type { Bijection, Description, Transformed } from "./bijection.ts";

/** The same map with its directions exchanged: MAF becomes IAF, and the cheap direction the other one. */
export class Invert implements Bijection {
  readonly bijection: Bijection;

  constructor(bijection: Bijection) {
    this.bijection = bijection;
  }

  get features(): number {
    return this.bijection.features;
  }

  get context(): number {
    return this.bijection.context;
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.bijection.inverse(z, context);
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.bijection.forward(x, context);
  }

  describe(): Description {
    return { type: "invert", bijection: this.bijection.describe() };
  }
}
