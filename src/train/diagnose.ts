import { contextFor } from "../bijections/bijection.ts";
import { flattened, type Part } from "../bijections/parts.ts";
import { formatSupport } from "../bijections/support.ts";
import type { Flow } from "../flows/flow.ts";
import { vjp } from "../graph/grad.ts";
import type { Shape } from "../graph/shape.ts";
import { filled, type Tensor } from "../graph/tensor.ts";
import { compile, type Floats } from "../runtime/compile.ts";

/** Where a number that is not finite first appears on the way from data to density. */
export interface NonFiniteSource {
  /** Path of the layer, such as `bijection.bijections.3`, `base` or `embedding`. */
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
): Promise<NonFiniteSource | undefined> {
  const { base } = flow;
  const conditional = flow.context > 0;
  const shapes: Shape[] = [["N", flow.features], ...(conditional ? [["N", flow.context] as Shape] : [])];
  const trace = compile((x, context) => {
    const outputs: Record<string, Tensor> = {};
    const given = flow.embed(context);
    if (given && flow.embedding) outputs.embedding = given.mul(0).sum(1);
    let value = x;
    for (const { path, bijection: part } of layersOf(flow).reverse()) {
      const next = part.inverse(value, contextFor(part, given));
      value = next.value;
      // Overflow to infinity and NaN alike make this sum non-finite.
      outputs[path] = next.logDet.add(value.mul(0).sum(1)).broadcastTo(["N"]);
    }
    outputs.base = base.logProb(value, contextFor(base, given));
    return outputs;
  }, shapes);
  const results = await trace(...(conditional ? [values, context] : [values]));
  await trace.release();
  return first(flow, results);
}

/** Where a number that is not finite first appears on the way from noise to the density that a flow is fitted to, and the row of data there. */
export interface NonFiniteDraw extends NonFiniteSource {
  readonly x: Floats;
}

/**
 * Follows rows from the noise through the flow to a log-density and its gradient: the layer is one of the flow, or
 * `logDensity`, or `logDensityGradient`.
 */
export async function findNonFiniteDraw(
  flow: Flow,
  logDensity: (x: Tensor) => Tensor,
  noise: readonly Floats[],
): Promise<NonFiniteDraw | undefined> {
  const trace = compile(
    (...inputs) => {
      const outputs: Record<string, Tensor> = {};
      let value = flow.base.sample(inputs);
      outputs.base = flow.base.logProb(value).add(value.mul(0).sum(1));
      layersOf(flow).forEach(({ path, bijection: part }) => {
        const next = part.forward(value);
        value = next.value;
        outputs[path] = next.logDet.add(value.mul(0).sum(1)).broadcastTo(["N"]);
      });
      outputs.logDensity = logDensity(value);
      const [gradient] = vjp([outputs.logDensity], [value], [filled(1, ["N"])]);
      return { ...outputs, logDensityGradient: gradient.mul(0).sum(1), value };
    },
    flow.base.noise.map(({ size }) => ["N", size]),
  );
  const { value, ...results } = await trace(...noise);
  await trace.release();
  const source = first(flow, results);
  if (!source) return undefined;
  const { row } = source;
  return { ...source, x: value.subarray(row * flow.features, (row + 1) * flow.features) };
}

/** The layers from the base to the data. */
const layersOf = ({ bijection }: Flow): Part[] => flattened(bijection, "bijection");

function first(flow: Flow, results: Readonly<Record<string, Floats>>): NonFiniteSource | undefined {
  for (const [layer, numbers] of Object.entries(results)) {
    const row = numbers.findIndex((x) => !Number.isFinite(x));
    if (row < 0) continue;
    const found = layersOf(flow).find(({ path }) => path === layer)?.bijection;
    const { support } = layer === "base" ? flow.base : (found ?? {});
    const outside = numbers[row] === Number.NEGATIVE_INFINITY;
    return { layer, row, outside, support: support && formatSupport(support) };
  }
  return undefined;
}
