import { supportOf } from "../bijections/build.ts";
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
  /** Whether the row lies where the layer has density 0: its log-determinant is -Infinity, and nothing else is wrong. */
  readonly outside: boolean;
  /** Where the layer has more than that, in words. */
  readonly support: string | undefined;
}

/** Follows rows through the flow, layer by layer, and names the first layer and row whose result is not finite. */
export async function findNonFinite(
  flow: Flow,
  values: Floats,
  context: Floats,
): Promise<Culprit | undefined> {
  const { bijection, base } = flow;
  const parts = bijection instanceof Chain ? bijection.bijections : [bijection];
  const nameOf = (i: number) => (bijection instanceof Chain ? `bijection.bijections.${i}` : "bijection");
  const conditional = flow.context > 0;
  const shapes: Shape[] = [["N", flow.features], ...(conditional ? [["N", flow.context] as Shape] : [])];
  const trace = compile((x, context) => {
    const outputs: Record<string, Tensor> = {};
    let value = x;
    for (let i = parts.length - 1; i >= 0; i--) {
      const next = parts[i].inverse(value, parts[i].context > 0 ? context : undefined);
      value = next.value;
      // Overflow to infinity and NaN alike make this sum non-finite.
      outputs[nameOf(i)] = next.logDet.add(value.mul(0).sum(1)).broadcastTo(["N"]);
    }
    outputs.base = base.logProb(value);
    return outputs;
  }, shapes);
  const results = await trace(...(conditional ? [values, context] : [values]));
  await trace.release();
  for (const [layer, numbers] of Object.entries(results)) {
    const row = numbers.findIndex((x) => !Number.isFinite(x));
    if (row < 0) continue;
    const part = parts.find((_, i) => layer === nameOf(i));
    const outside = numbers[row] === Number.NEGATIVE_INFINITY;
    return { layer, row, outside, support: part && supportOf(part) };
  }
  return undefined;
}
