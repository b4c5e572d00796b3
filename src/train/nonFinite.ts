import { contextFor, flatten, formatSupport, type Part } from "../bijections/index.ts";
import type { Flow } from "../flows/index.ts";
import { filled, type Shape, type Tensor, vjp } from "../graph/index.ts";
import { compile, type Floats } from "../runtime/index.ts";

/** The first layer, in the order of computation, whose result is not finite. */
export interface NonFiniteSource {
  /** Path of the layer, such as `bijection.bijections.3`, `base` or `embedding`. */
  readonly layer: string;
  /** Index of the row in the batch. */
  readonly row: number;
  /** Whether the log-determinant or log-density of the layer is -Infinity because the row lies outside of its support. */
  readonly outsideSupport: boolean;
  /** The support of the layer in words, if it is not all real numbers. */
  readonly support: string | undefined;
}

/** Computes rows layer by layer, from the data to the base, and returns the first layer and row whose result is not finite. */
export async function findNonFinite(
  flow: Flow,
  values: Floats,
  context: Floats,
): Promise<NonFiniteSource | undefined> {
  const { base } = flow;
  const conditional = flow.context > 0;
  const shapes: Shape[] = [["N", flow.features], ...(conditional ? [["N", flow.context] as Shape] : [])];
  const compiled = compile((x, context) => {
    const outputs: Record<string, Tensor> = {};
    const embedded = flow.embed(context);
    if (embedded && flow.embedding) outputs.embedding = embedded.mul(0).sum(1);
    let value = x;
    for (const { path, bijection: part } of layersOf(flow).reverse()) {
      const next = part.inverse(value, contextFor(part, embedded));
      value = next.value;
      // An infinite number times 0 is NaN, so the sum is NaN if one of the numbers is infinite or NaN.
      outputs[path] = next.logDet.add(value.mul(0).sum(1)).broadcastTo(["N"]);
    }
    outputs.base = base.logProb(value, contextFor(base, embedded));
    return outputs;
  }, shapes);
  try {
    return firstNonFinite(flow, await compiled(...(conditional ? [values, context] : [values])));
  } finally {
    await compiled.release();
  }
}

/** A source of non-finite numbers in samples of a flow, with the sample. */
export interface NonFiniteDraw extends NonFiniteSource {
  readonly x: Floats;
}

/**
 * Computes samples layer by layer, from the noise to a log-density and its gradient, and returns the first layer and row whose
 * result is not finite. The layer is a path in the flow, `logDensity` or `logDensityGradient`.
 */
export async function findNonFiniteDraw(
  flow: Flow,
  logDensity: (x: Tensor) => Tensor,
  noise: readonly Floats[],
): Promise<NonFiniteDraw | undefined> {
  const compiled = compile(
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
  try {
    const { value, ...results } = await compiled(...noise);
    const source = firstNonFinite(flow, results);
    if (!source) return undefined;
    const { row } = source;
    return { ...source, x: value.subarray(row * flow.features, (row + 1) * flow.features) };
  } finally {
    await compiled.release();
  }
}

/** The layers from the base to the data. */
const layersOf = ({ bijection }: Flow): Part[] => flatten(bijection, "bijection");

function firstNonFinite(flow: Flow, results: Readonly<Record<string, Floats>>): NonFiniteSource | undefined {
  for (const [layer, numbers] of Object.entries(results)) {
    const row = numbers.findIndex((x) => !Number.isFinite(x));
    if (row < 0) continue;
    const bijection = layersOf(flow).find(({ path }) => path === layer)?.bijection;
    const { support } = layer === "base" ? flow.base : (bijection ?? {});
    const outside = numbers[row] === Number.NEGATIVE_INFINITY;
    return { layer, row, outsideSupport: outside, support: support && formatSupport(support) };
  }
  return undefined;
}
