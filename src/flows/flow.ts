import type { Bijection, Description } from "../bijections/bijection.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { PushforwardError } from "../errors.ts";
import type { Parameter } from "../graph/parameter.ts";
import { scoped } from "../graph/scope.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parametersOf } from "../nn/module.ts";
import type { Precision } from "../onnx/export.ts";
import { Random } from "../random/index.ts";
import { type Compiled, compile, type Floats } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engine.ts";

/** How rows are computed. */
export interface RunOptions extends EngineOptions {
  /** Default `float32`. */
  precision?: Precision;
}

export interface SampleOptions extends RunOptions {
  /** Default 0. The same seed gives the same rows, however many are drawn: the first 10 of 100 are those of 10. */
  seed?: number;
  /** [n, C], or one row [C] for all. Required by a conditional flow. */
  context?: ArrayLike<number>;
}

/** Rows at a time: enough for large products, small enough for a core's cache. */
const CHUNK = 1024;

/**
 * A normalizing flow: the distribution of x = f(z) where z follows `base` and f is `bijection`,
 *
 *     log p(x) = log p_base(f^-1(x)) + log |det d f^-1 / dx|.
 *
 * `logDensity` and `draw` build graphs and compose with other tensors; the other methods compute with typed arrays,
 * row-major, for any number of rows.
 */
export class Flow {
  readonly base: Distribution;
  readonly bijection: Bijection;
  private readonly compiled = new Map<string, Compiled<Record<string, Tensor>>>();

  constructor(base: Distribution, bijection: Bijection) {
    if (base.features !== bijection.features) {
      throw new PushforwardError("SHAPE", "the base distribution does not fit the bijection", {
        expected: `${bijection.features} features`,
        received: `${base.features}`,
      });
    }
    this.base = base;
    this.bijection = bijection;
  }

  /** D, the number of features of a row. */
  get features(): number {
    return this.bijection.features;
  }

  /** C, the number of context features; 0 for an unconditional flow. */
  get context(): number {
    return this.bijection.context;
  }

  /** log p(x | context) in nats, symbolically: [N, D], [N, C] -> [N]. */
  logDensity(x: Tensor, context?: Tensor): Tensor {
    const { value, logDet } = scoped("bijection", () => this.bijection.inverse(x, context));
    return scoped("base", () => this.base.logProb(value)).add(logDet);
  }

  /** Rows drawn from noise tensors in the order of `base.noise`, with their log-densities, symbolically. */
  draw(noise: readonly Tensor[], context?: Tensor): { value: Tensor; logProb: Tensor } {
    const latent = scoped("base", () => this.base.sample(noise));
    const { value, logDet } = scoped("bijection", () => this.bijection.forward(latent, context));
    return { value, logProb: scoped("base", () => this.base.logProb(latent)).sub(logDet) };
  }

  /** log p(x | context) of each row in nats. */
  async logProb(
    x: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Floats> {
    const build = (x: Tensor, context?: Tensor) => ({ logProb: this.logDensity(x, context) });
    const { logProb } = await this.run("logProb", build, [[x, this.features]], context, options);
    return logProb;
  }

  /** z = f^-1(x) of each row: [N, D]. */
  async toLatent(
    x: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Floats> {
    const build = (x: Tensor, context?: Tensor) => ({ z: this.bijection.inverse(x, context).value });
    return (await this.run("toLatent", build, [[x, this.features]], context, options)).z;
  }

  /** x = f(z) of each row: [N, D]. */
  async toData(z: ArrayLike<number>, context?: ArrayLike<number>, options: RunOptions = {}): Promise<Floats> {
    const build = (z: Tensor, context?: Tensor) => ({ x: this.bijection.forward(z, context).value });
    return (await this.run("toData", build, [[z, this.features]], context, options)).x;
  }

  /** n rows drawn from the flow: [n, D]. */
  async sample(n: number, options: SampleOptions = {}): Promise<Floats> {
    return (await this.sampleAndLogProb(n, options)).samples;
  }

  /** n rows drawn from the flow, with the log-density of each, at the cost of the rows alone. */
  async sampleAndLogProb(
    n: number,
    options: SampleOptions = {},
  ): Promise<{ samples: Floats; logProb: Floats }> {
    if (!Number.isInteger(n) || n < 0) {
      throw new PushforwardError("ARGUMENT", "a number of samples does not fit", {
        expected: "0, 1, 2, ...",
        received: `${n}`,
      });
    }
    const random = new Random(options.seed ?? 0).split("sample");
    const noise = this.base.noise.map(({ kind, size }, i): [Floats, number] => [
      random.split(i)[kind](new (options.precision === "float64" ? Float64Array : Float32Array)(n * size)),
      size,
    ]);
    const context = repeated(options.context, this.context, n);
    const build = (...inputs: Tensor[]) => {
      const { value, logProb } = this.draw(inputs.slice(0, noise.length), inputs[noise.length]);
      return { samples: value, logProb };
    };
    const { samples, logProb } = await this.run("sample", build, noise, context, options);
    return { samples, logProb };
  }

  /** All parameters by their path. */
  parameters(): Map<string, Parameter> {
    return parametersOf({ base: this.base, bijection: this.bijection });
  }

  /** A JSON description from which `buildFlow` makes the same flow (but for its parameters). */
  describe(): { base: Description; bijection: Description } {
    return { base: this.base.describe(), bijection: this.bijection.describe() };
  }

  /** Compiles a job once and runs it over the rows in chunks, so that memory stays bounded. */
  private async run(
    job: string,
    build: (...inputs: Tensor[]) => Record<string, Tensor>,
    inputs: readonly (readonly [ArrayLike<number>, number])[],
    context: ArrayLike<number> | undefined,
    options: RunOptions,
  ): Promise<Record<string, Floats>> {
    const [[first, width]] = inputs;
    const rows = first.length / width;
    const all = [...inputs];
    if (this.context > 0) {
      if (!context) {
        throw new PushforwardError("ARGUMENT", "this flow is conditional and got no context", {
          mend: `Give ${this.context} context features a row.`,
        });
      }
      all.push([repeated(context, this.context, rows)!, this.context]);
    }
    for (const [values, size] of all) {
      if (!Number.isInteger(rows) || values.length !== rows * size) {
        throw new PushforwardError("SHAPE", `${job} got rows that do not fit`, {
          expected: `rows of ${size} numbers`,
          received: `${values.length} numbers`,
        });
      }
    }
    const key = JSON.stringify([job, options.precision, options.threads, options.providers]);
    let compiled = this.compiled.get(key);
    if (!compiled) {
      const shapes = all.map(([, size]): Shape => ["N", size]);
      const batched = (...tensors: Tensor[]) =>
        Object.fromEntries(
          Object.entries(build(...tensors)).map(([k, t]) => [k, t.rank === 0 ? t.broadcastTo(["N"]) : t]),
        );
      compiled = compile(batched, shapes, { ...options, parameterNames: this.parameterNames() });
      this.compiled.set(key, compiled);
    }
    const Type = options.precision === "float64" ? Float64Array : Float32Array;
    const outputs: Record<string, Floats> = {};
    const widths = compiled.graph.outputs.map(
      ({ name, tensor }) => [name, (tensor.shape[1] as number) ?? 1] as const,
    );
    for (const [name, size] of widths) outputs[name] = new Type(rows * size);
    for (let start = 0; start < rows; start += CHUNK) {
      const end = Math.min(rows, start + CHUNK);
      const feeds = all.map(([values, size]) => part(values, start * size, end * size, Type));
      const views = widths.map(
        ([name, size]) => [name, outputs[name].subarray(start * size, end * size)] as const,
      );
      await compiled.into(feeds, Object.fromEntries(views));
    }
    return outputs;
  }

  private parameterNames(): Map<Parameter, string> {
    return new Map([...this.parameters()].map(([name, parameter]) => [parameter, name]));
  }
}

type FloatsConstructor = typeof Float32Array | typeof Float64Array;

function part(values: ArrayLike<number>, start: number, end: number, Type: FloatsConstructor): Floats {
  if (values instanceof Type) return values.subarray(start, end);
  return new Type(end - start).map((_, i) => values[start + i]);
}

function repeated(
  context: ArrayLike<number> | undefined,
  width: number,
  rows: number,
): ArrayLike<number> | undefined {
  if (!context || width === 0 || context.length !== width || rows === 1) return context;
  return new Float64Array(rows * width).map((_, i) => context[i % width]);
}
