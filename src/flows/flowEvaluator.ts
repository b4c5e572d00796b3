import { Standardize } from "../bijections/standardize.ts";
import type { Samples } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import type { Floats } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";
import { partsOfClass } from "../nn/module.ts";
import type { Precision } from "../onnx/export.ts";
import { Random } from "../random/index.ts";
import { contextError } from "./contextError.ts";
import { nestedFloat64Column } from "./float64Column.ts";
import type { Flow, Unstandardized } from "./flow.ts";
import { RowJobs, type Rows, type RunOptions, rowsOf } from "./rowJobs.ts";

export interface SampleOptions extends RunOptions {
  /** Default 0. The same seed gives the same rows, however many are drawn: the first 10 of 100 are those of 10. */
  seed?: number;
  /** Number of the first row: rows 1000 to 1099 of a seed are its first 1100 without the first 1000. Default 0. */
  start?: number;
  /** [n, C], or one row [C] for all. Required by a conditional flow. */
  context?: ArrayLike<number>;
}

/**
 * Computes what a flow gives for numbers: graphs of the flow without its outer standardizations run over chunks of rows, and
 * the standardizations are applied in float64.
 */
export class FlowEvaluator {
  private readonly flow: Flow;
  private readonly jobs: RowJobs;
  /** All in the flow, found when first needed. */
  private standardizations: readonly Standardize[] | undefined;

  constructor(flow: Flow) {
    this.flow = flow;
    this.jobs = new RowJobs(() => flow.parameters());
  }

  async logProb(
    x: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Float64Array> {
    const outer = this.flow.unstandardized();
    const build = (x: Tensor, context?: Tensor) => ({ logProb: outer.inner.logProb(x, context) });
    const given = this.given("logProb", x, outer.standardize);
    const { logProb } = await this.run("logProb", build, given, outer, context, options);
    return subtract(logProb, outer.standardize?.logScale() ?? 0);
  }

  async toLatent(
    x: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Float64Array> {
    const outer = this.flow.unstandardized();
    const given = this.given("toLatent", x, outer.standardize);
    if (this.flow.bijection.isIdentity) return this.unchanged(x, given.rows, context);
    const build = (x: Tensor, context?: Tensor) => ({ z: outer.inner.toLatent(x, context) });
    return (await this.run("toLatent", build, given, outer, context, options)).z;
  }

  async toData(
    z: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Float64Array> {
    const outer = this.flow.unstandardized();
    const given = this.given("toData", z);
    if (this.flow.bijection.isIdentity) return this.unchanged(z, given.rows, context);
    const build = (z: Tensor, context?: Tensor) => ({ x: outer.inner.toData(z, context) });
    const { x } = await this.run("toData", build, given, outer, context, options);
    return outer.standardize ? outer.standardize.toData(x, x) : x;
  }

  async sample(n: number, options: SampleOptions = {}): Promise<Float64Array> {
    const build = (inner: Flow, noise: readonly Tensor[], context?: Tensor) => ({
      samples: inner.sample(noise, context),
    });
    return (await this.draw("sample", build, n, options)).samples;
  }

  async sampleAndLogProb(n: number, options: SampleOptions = {}): Promise<Samples<Float64Array>> {
    const build = (inner: Flow, noise: readonly Tensor[], context?: Tensor) => ({
      ...inner.sampleAndLogProb(noise, context),
    });
    const { samples, logProb } = await this.draw("sampleAndLogProb", build, n, options);
    return { samples, logProb: subtract(logProb, this.flow.unstandardized().standardize?.logScale() ?? 0) };
  }

  private async draw(
    name: string,
    build: (inner: Flow, noise: readonly Tensor[], context?: Tensor) => Record<string, Tensor>,
    n: number,
    options: SampleOptions,
  ): Promise<Record<string, Float64Array>> {
    if (!Number.isInteger(n) || n < 0) {
      throw new PushforwardError("ARGUMENT", "a number of samples does not fit", {
        expected: "0, 1, 2, ...",
        received: `${n}`,
      });
    }
    const first = options.start ?? 0;
    if (!Number.isSafeInteger(first) || first < 0) {
      throw new PushforwardError("ARGUMENT", "the number of the first sample does not fit", {
        expected: "start: 0, 1, 2, ...",
        received: `${first}`,
      });
    }
    const random = new Random(options.seed ?? 0).split("sample");
    const inputs = this.flow.noise.map((each, i): Rows => ({ ...each, random: random.split(i), first }));
    const outer = this.flow.unstandardized();
    const draw = (...tensors: Tensor[]) =>
      build(outer.inner, tensors.slice(0, inputs.length), tensors[inputs.length]);
    const drawn = await this.run(name, draw, { inputs, rows: n }, outer, options.context, options);
    outer.standardize?.toData(drawn.samples, drawn.samples);
    return drawn;
  }

  private async run(
    name: string,
    build: (...inputs: Tensor[]) => Record<string, Tensor>,
    { inputs, rows }: { readonly inputs: readonly Rows[]; readonly rows: number },
    outer: Unstandardized,
    context: ArrayLike<number> | undefined,
    { providers, threads, precision = this.precisionFor(outer) }: RunOptions,
  ): Promise<Record<string, Float64Array>> {
    const all = [...inputs, ...this.contextRows(context, rows, outer.standardizeContext)];
    return this.jobs.run(name, build, all, rows, { providers, threads, precision });
  }

  /** The precision that the graph of the inner flow needs. */
  private precisionFor({ inner, standardize, standardizeContext }: Unstandardized): Precision {
    this.standardizations ??= partsOfClass(this.flow, Standardize);
    const nested = this.standardizations.some((each) => each !== standardize && each !== standardizeContext);
    return nested && nestedFloat64Column(inner) ? "float64" : "float32";
  }

  /** Numbers of the caller as rows of D. */
  private given(name: string, values: ArrayLike<number>, standardize?: Standardize) {
    const { features } = this.flow;
    const rows = values.length / features;
    if (Number.isInteger(rows)) return { inputs: [rowsOf(values, features, standardize)], rows };
    throw new PushforwardError("SHAPE", `${name} got numbers that do not make whole rows`, {
      expected: `a multiple of ${features}`,
      received: `${values.length}`,
    });
  }

  /** What an identity makes of numbers, with the checks of any other map. */
  private unchanged(values: ArrayLike<number>, rows: number, context?: ArrayLike<number>): Float64Array {
    this.contextRows(context, rows);
    return Float64Array.from(values);
  }

  /** The context as an input of `rows` rows; none for an unconditional flow. */
  private contextRows(
    context: ArrayLike<number> | undefined,
    rows: number,
    standardize?: Standardize,
  ): Rows[] {
    const size = this.flow.context;
    if (!context || size === 0) {
      if (context?.length || size > 0)
        throw contextError(size, context ? `${context.length} numbers` : "none");
      return [];
    }
    if (context.length !== rows * size && context.length !== size) {
      throw new PushforwardError("SHAPE", "the context does not fit the rows", {
        expected: `${size} numbers for all rows, or ${rows * size} for ${rows} rows`,
        received: `${context.length}`,
      });
    }
    this.flow.embedding?.check(context);
    if (context.length === rows * size) return [rowsOf(context, size, standardize)];
    const row = standardize?.toLatent(Float64Array.from(context)) ?? context;
    const write = (target: Floats) => {
      for (let i = 0; i < target.length; i++) target[i] = row[i % size];
    };
    return [{ size, write }];
  }
}

/** In place: a million rows need no second array. */
function subtract(values: Float64Array, constant: number): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] -= constant;
  return values;
}
