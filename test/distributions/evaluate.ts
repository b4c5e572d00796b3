import { type Distribution, TransformedDistribution } from "../../src/distributions/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { batchSize, constant } from "../../src/graph/tensor.ts";
import { trainableParameters } from "../../src/nn/module.ts";
import type { Precision } from "../../src/onnx/export.ts";
import { Random } from "../../src/random/index.ts";
import { compile, type Floats } from "../../src/runtime/compile.ts";

/** A context [N, C] with equal rows for a conditional distribution, in which labels are class 1; undefined otherwise. */
function contextOf(distribution: Distribution) {
  const { context } = distribution;
  if (context === 0) return undefined;
  const embedding = distribution instanceof TransformedDistribution && distribution.embedding?.describe();
  const { numbers = 0 } = embedding || { numbers: context };
  const values = Float64Array.from({ length: context }, (_, i) => (i < numbers ? Math.cos(2 + i) : 1));
  return batchSize()
    .mul(0)
    .add(constant(values, [context]))
    .broadcastTo(["N", context]);
}

/** log p(x) of rows [N, D]. */
export async function logProb(
  distribution: Distribution,
  rows: ArrayLike<number>,
  precision: Precision = "float64",
): Promise<Float64Array> {
  const D = distribution.features;
  const run = compile((x) => distribution.logProb(x, contextOf(distribution)), [["N", D]], { precision });
  const values = Float64Array.from(rows);
  const out = new Float64Array(values.length / D);
  for (let start = 0; start < out.length; start += 4096) {
    const end = Math.min(out.length, start + 4096);
    out.set(await run(values.subarray(start * D, end * D)), start);
  }
  return out;
}

/** Gradients of the sum of log p with respect to the rows and to each trainable parameter. */
export function gradients(
  distribution: Distribution,
  rows: ArrayLike<number>,
  precision: Precision = "float64",
) {
  const parameters = [...trainableParameters(distribution).values()];
  const run = compile(
    (x) => grad(distribution.logProb(x, contextOf(distribution)).sum(), [x, ...parameters]),
    [["N", distribution.features]],
    {
      precision,
    },
  );
  return run(rows);
}

/** Draws n rows, [n, D]. */
export async function draw(
  distribution: Distribution,
  n: number,
  precision: Precision = "float64",
): Promise<Floats> {
  const random = new Random(7);
  const run = compile(
    (...noise) => distribution.sample(noise, contextOf(distribution)),
    distribution.noise.map(({ size }) => ["N", size] as const),
    { precision },
  );
  const noise = distribution.noise.map(({ kind, size }, i) =>
    random.split(i)[kind](new Float64Array(n * size)),
  );
  return run(...noise);
}
