import { type Distribution, TransformedDistribution } from "../../src/distributions/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { batchSize, constant } from "../../src/graph/tensor.ts";
import { parametersOf, trainableParameters } from "../../src/nn/module.ts";
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

/** The numbers of the parameters that are not trained, which may be constants of a graph. */
const fixedNumbers = (distribution: Distribution): string =>
  JSON.stringify(
    [...parametersOf(distribution).values()].flatMap(({ trainable, numbers }) =>
      trainable ? [] : [Array.from(numbers)],
    ),
  );

/** Returns a function that compiles once for each distribution and precision, and again if fixed parameters have changed. */
function compiledOnce<C extends object>(compileFor: (distribution: Distribution, precision: Precision) => C) {
  type Compiled = { readonly run: C; readonly fixed: string };
  const compiled = {
    float32: new WeakMap<Distribution, Compiled>(),
    float64: new WeakMap<Distribution, Compiled>(),
  };
  return (distribution: Distribution, precision: Precision): C => {
    const fixed = fixedNumbers(distribution);
    const known = compiled[precision].get(distribution);
    if (known?.fixed === fixed) return known.run;
    const run = compileFor(distribution, precision);
    compiled[precision].set(distribution, { run, fixed });
    return run;
  };
}

const compiledLogProb = compiledOnce((distribution, precision) =>
  compile((x) => distribution.logProb(x, contextOf(distribution)), [["N", distribution.features]], {
    precision,
  }),
);

/** log p(x) of rows [N, D]. */
export async function logProb(
  distribution: Distribution,
  rows: ArrayLike<number>,
  precision: Precision = "float64",
): Promise<Float64Array> {
  const D = distribution.features;
  const run = compiledLogProb(distribution, precision);
  const values = Float64Array.from(rows);
  const out = new Float64Array(values.length / D);
  for (let start = 0; start < out.length; start += 4096) {
    const end = Math.min(out.length, start + 4096);
    out.set(await run(values.subarray(start * D, end * D)), start);
  }
  return out;
}

const compiledGradients = compiledOnce((distribution, precision) =>
  compile(
    (x) =>
      grad(distribution.logProb(x, contextOf(distribution)).sum(), [
        x,
        ...trainableParameters(distribution).values(),
      ]),
    [["N", distribution.features]],
    { precision },
  ),
);

/** Gradients of the sum of log p with respect to the rows and to each trainable parameter. */
export const gradients = (
  distribution: Distribution,
  rows: ArrayLike<number>,
  precision: Precision = "float64",
) => compiledGradients(distribution, precision)(rows);

const compiledSample = compiledOnce((distribution, precision) =>
  compile(
    (...noise) => distribution.sample(noise, contextOf(distribution)),
    distribution.noise.map(({ size }) => ["N", size] as const),
    { precision },
  ),
);

/** Draws n rows, [n, D]. */
export async function draw(
  distribution: Distribution,
  n: number,
  precision: Precision = "float64",
): Promise<Floats> {
  const random = new Random(7);
  const noise = distribution.noise.map(({ kind, size }, i) =>
    random.split(i)[kind](new Float64Array(n * size)),
  );
  return compiledSample(distribution, precision)(...noise);
}
