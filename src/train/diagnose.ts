import { contextFor } from "../bijections/bijection.ts";
import { Chain } from "../bijections/chain.ts";
import type { Flow } from "../flows/flow.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { compile, type Floats } from "../runtime/compile.ts";

/** Where a number that is not finite first appears on the way from data to density. */
export interface Culprit {
  /** Path of the layer, such as `bijection.bijections.3` or `base`. */
  readonly layer: string;
  /** Row of the batch, counted from 0. */
  readonly row: number;
}

/** Follows rows through the flow, layer by layer, and names the first layer and row whose result is not finite. */
export async function findNonFinite(
  flow: Flow,
  values: Floats,
  context: Floats,
): Promise<Culprit | undefined> {
  const { bijection, base } = flow;
  const parts = bijection instanceof Chain ? bijection.bijections : [bijection];
  const conditional = flow.context > 0;
  const shapes: Shape[] = [["N", flow.features], ...(conditional ? [["N", flow.context] as Shape] : [])];
  const trace = compile((x, context) => {
    const outputs: Record<string, Tensor> = {};
    let value = x;
    for (let i = parts.length - 1; i >= 0; i--) {
      const next = parts[i].inverse(value, contextFor(parts[i], context));
      value = next.value;
      // Overflow to infinity and NaN alike make this sum non-finite.
      const name = bijection instanceof Chain ? `bijection.bijections.${i}` : "bijection";
      outputs[name] = next.logDet.add(value.mul(0).sum(1)).broadcastTo(["N"]);
    }
    outputs.base = base.logProb(value, contextFor(base, context));
    return outputs;
  }, shapes);
  const results = await trace(...(conditional ? [values, context] : [values]));
  await trace.release();
  for (const [layer, numbers] of Object.entries(results)) {
    const row = numbers.findIndex((x) => !Number.isFinite(x));
    if (row >= 0) return { layer, row };
  }
  return undefined;
}
