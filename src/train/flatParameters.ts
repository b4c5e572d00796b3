import type { Parameter } from "../graph/parameter.ts";
import { sizeOf } from "../graph/shape.ts";

/** The trainable parameters of a model as views of one flat buffer, beside one of equal layout for their gradients. */
export class FlatParameters {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  /** 1 where weight decay applies: the weights of networks. */
  readonly decays: Uint8Array;
  /** Views of `gradient`, by the parameters' names. */
  readonly gradientViews: Readonly<Record<string, Float32Array>>;

  constructor(parameters: ReadonlyMap<string, Parameter>) {
    const sizes = [...parameters.values()].map((p) => sizeOf(p.shape));
    const total = sizes.reduce((a, b) => a + b, 0);
    this.values = new Float32Array(total);
    this.gradient = new Float32Array(total);
    this.decays = new Uint8Array(total);
    const views: Record<string, Float32Array> = {};
    let start = 0;
    for (const [name, parameter] of parameters) {
      const end = start + sizeOf(parameter.shape);
      this.values.set(parameter.value, start);
      parameter.value = this.values.subarray(start, end);
      views[name] = this.gradient.subarray(start, end);
      if (name.endsWith(".weight")) this.decays.fill(1, start, end);
      start = end;
    }
    this.gradientViews = views;
  }
}
