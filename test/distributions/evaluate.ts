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

type CompileFor<C> = (distribution: Distribution, precision: Precision) => C;

function evaluations(compiled: <C extends object>(compileFor: CompileFor<C>) => CompileFor<C>) {
  const compiledLogProb = compiled((distribution, precision) =>
    compile((x) => distribution.logProb(x, contextOf(distribution)), [["N", distribution.features]], {
      precision,
    }),
  );
  const compiledGradients = compiled((distribution, precision) =>
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
  const compiledSample = compiled((distribution, precision) =>
    compile(
      (...noise) => distribution.sample(noise, contextOf(distribution)),
      distribution.noise.map(({ size }) => ["N", size] as const),
      { precision },
    ),
  );
  return {
    /** log p(x) of rows [N, D]. */
    async logProb(
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
    },

    /** log p(x) with the current parameters as an ONNX file. */
    logProbFile: (distribution: Distribution, precision: Precision = "float32"): Uint8Array =>
      compiledLogProb(distribution, precision).bytes(),

    /** Gradients of the sum of log p with respect to the rows and to each trainable parameter. */
    gradients: (distribution: Distribution, rows: ArrayLike<number>, precision: Precision = "float64") =>
      compiledGradients(distribution, precision)(rows),

    /** Draws n rows, [n, D]. */
    async draw(distribution: Distribution, n: number, precision: Precision = "float64"): Promise<Floats> {
      const random = new Random(7);
      const noise = distribution.noise.map(({ kind, size }, i) =>
        random.split(i)[kind](new Float64Array(n * size)),
      );
      return compiledSample(distribution, precision)(...noise);
    },
  };
}

export const { logProb, gradients, draw } = evaluations((compileFor) => compileFor);

/** The same functions, which compile once for each distribution and precision. Only the numbers of its parameters may change between calls. */
export const compiledOnce = evaluations(<C extends object>(compileFor: CompileFor<C>) => {
  const compiled = { float32: new WeakMap<Distribution, C>(), float64: new WeakMap<Distribution, C>() };
  return (distribution, precision) => {
    const known = compiled[precision].get(distribution) ?? compileFor(distribution, precision);
    compiled[precision].set(distribution, known);
    return known;
  };
});
