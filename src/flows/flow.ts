import { type Bijection, contextFor, type Description } from "../bijections/bijection.ts";
import { Identity } from "../bijections/identity.ts";
import { Standardize } from "../bijections/standardize.ts";
import type { ContextEmbedding, ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { TransformedDistribution } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import { buildGraph } from "../graph/graph.ts";
import type { Floats } from "../graph/operation.ts";
import type { Parameter } from "../graph/parameter.ts";
import { formatShape } from "../graph/shape.ts";
import { input, type Tensor } from "../graph/tensor.ts";
import { parametersOf, partsOfClass } from "../nn/module.ts";
import { exportOnnx, type Precision } from "../onnx/export.ts";
import { Random } from "../random/index.ts";
import {
  contextStandardization,
  dataStandardization,
  type Float64Column,
  float64Column,
  isIdentity,
  nestedFloat64Column,
  relativeToContext,
  relativeToData,
} from "./outerStandardization.ts";
import { RowJobs, type Rows, type RunOptions, rowsOf } from "./rowJobs.ts";

export interface SampleOptions extends RunOptions {
  /** Default 0. The same seed gives the same rows, however many are drawn: the first 10 of 100 are those of 10. */
  seed?: number;
  /** Number of the first row: rows 1000 to 1099 of a seed are its first 1100 without the first 1000. Default 0. */
  start?: number;
  /** [n, C], or one row [C] for all. Required by a conditional flow. */
  context?: ArrayLike<number>;
}

/** A flow whose standardizations next to the data and of the context are outside of it. */
export interface Unstandardized {
  readonly inner: Flow;
  readonly standardize?: Standardize;
  readonly standardizeContext?: Standardize;
}

/**
 * A normalizing flow: the distribution of x = f(z) where z follows `base` and f is `bijection`,
 *
 *     log p(x) = log p_base(f^-1(x)) + log |det d f^-1 / dx|.
 *
 * `logDensity` and `draw` build graphs and compose with other tensors; the other methods compute with numbers, row-major,
 * for any number of rows, and give float64 arrays whatever the precision of the graphs. A standardization next to the data, or
 * of the context, they apply themselves, in float64: columns far from 0, such as years or time stamps, lose nothing. Where one
 * stands elsewhere and float32 is too coarse for it, they compute in float64 unless a precision is given.
 */
export class Flow {
  readonly base: Distribution;
  readonly bijection: Bijection;
  /** What the base and the bijection see of the context, if not the context itself. */
  readonly embedding: ContextEmbedding | undefined;
  /** The same as a distribution, which may be a part of another one. */
  readonly distribution: TransformedDistribution;
  private readonly jobs = new RowJobs(() => this.parameters());
  /** All in the flow, found when first needed. */
  private standardizations: readonly Standardize[] | undefined;

  /** Without a bijection the flow is the base alone. Throws `SHAPE` if the parts do not fit each other. */
  constructor(
    base: Distribution,
    bijection: Bijection = new Identity({ features: base.features }),
    embedding?: ContextEmbedding,
  ) {
    this.base = base;
    this.bijection = bijection;
    this.embedding = embedding;
    this.distribution = new TransformedDistribution(base, bijection, embedding);
  }

  /** D, the number of features of a row. */
  get features(): number {
    return this.bijection.features;
  }

  /** C, the number of context features; 0 for an unconditional flow. */
  get context(): number {
    return this.distribution.context;
  }

  /** log p(x | context) in nats, symbolically: [N, D], [N, C] -> [N]. Throws if the shapes do not fit the flow. */
  logDensity(x: Tensor, context?: Tensor): Tensor {
    this.checkShapes(x, context);
    return this.distribution.logProb(x, context);
  }

  /** Rows drawn from noise tensors in the order of `base.noise`, with their log-densities, symbolically. */
  draw(noise: readonly Tensor[], context?: Tensor): { value: Tensor; logProb: Tensor } {
    this.checkContext(context);
    return this.distribution.draw(noise, context);
  }

  /**
   * log p(x | context) of each row in nats: x [N, D], context [N, C] or one row [C] for all -> [N].
   *
   * Like the methods below it throws `SHAPE` if the numbers do not make rows that fit, and `ARGUMENT` for a context that
   * is missing or that the flow does not have; and `DATA` for a class that its embedding does not have.
   */
  async logProb(
    x: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Float64Array> {
    const outer = this.unstandardized();
    const build = (x: Tensor, context?: Tensor) => ({ logProb: outer.inner.logDensity(x, context) });
    const given = this.given("logProb", x, outer.standardize);
    const { logProb } = await this.run("logProb", build, given, outer, context, options);
    return subtract(logProb, outer.standardize?.logScale() ?? 0);
  }

  /** z = f^-1(x) of each row: [N, D]. */
  async toLatent(
    x: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Float64Array> {
    const outer = this.unstandardized();
    const { inner, standardize } = outer;
    const given = this.given("toLatent", x, standardize);
    if (isIdentity(this.bijection)) return this.unchanged(x, given.rows, context);
    const build = (x: Tensor, context?: Tensor) => ({
      z: inner.bijection.inverse(x, contextFor(inner.bijection, inner.distribution.embed(context))).value,
    });
    return (await this.run("toLatent", build, given, outer, context, options)).z;
  }

  /** x = f(z) of each row: [N, D]. */
  async toData(
    z: ArrayLike<number>,
    context?: ArrayLike<number>,
    options: RunOptions = {},
  ): Promise<Float64Array> {
    const outer = this.unstandardized();
    const { inner, standardize } = outer;
    const given = this.given("toData", z);
    if (isIdentity(this.bijection)) return this.unchanged(z, given.rows, context);
    const build = (z: Tensor, context?: Tensor) => ({
      x: inner.bijection.forward(z, contextFor(inner.bijection, inner.distribution.embed(context))).value,
    });
    const { x } = await this.run("toData", build, given, outer, context, options);
    return standardize ? standardize.toData(x, x) : x;
  }

  /** n rows drawn from the flow: [n, D]. Throws `ARGUMENT` if n or `start` is not a whole number from 0. */
  async sample(n: number, options: SampleOptions = {}): Promise<Float64Array> {
    return (await this.drawRows("sample", ({ value }) => ({ samples: value }), n, options)).samples;
  }

  /** The same rows, with the log-density of each, which costs little more. */
  async sampleAndLogProb(
    n: number,
    options: SampleOptions = {},
  ): Promise<{ samples: Float64Array; logProb: Float64Array }> {
    const build = ({ value, logProb }: ReturnType<Flow["draw"]>) => ({ samples: value, logProb });
    const { samples, logProb } = await this.drawRows("sampleAndLogProb", build, n, options);
    return { samples, logProb: subtract(logProb, this.unstandardized().standardize?.logScale() ?? 0) };
  }

  private async drawRows(
    name: string,
    build: (drawn: ReturnType<Flow["draw"]>) => Record<string, Tensor> & { samples: Tensor },
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
    const inputs = this.base.noise.map((each, i): Rows => ({ ...each, random: random.split(i), first }));
    const outer = this.unstandardized();
    const draw = (...tensors: Tensor[]) =>
      build(outer.inner.draw(tensors.slice(0, inputs.length), tensors[inputs.length]));
    const drawn = await this.run(name, draw, { inputs, rows: n }, outer, options.context, options);
    outer.standardize?.toData(drawn.samples, drawn.samples);
    return drawn;
  }

  /**
   * The flow without the standardization next to the data and that of the context, and these:
   *
   *     log p(x | c) = log p_inner((x - center) / scale | (c - center') / scale') - sum log scale.
   *
   * The inner flow shares its trained parameters with this one. What it keeps of several standardizations, such as those of
   * the components of a mixture, it takes from their numbers as they are now.
   */
  unstandardized(): Unstandardized {
    const standardize = dataStandardization(this.distribution);
    const standardizeContext = contextStandardization(this.distribution);
    if (!standardize && !standardizeContext) return { inner: this };
    let inner = this.distribution;
    if (standardize) inner = relativeToData(inner, standardize);
    if (standardizeContext) inner = relativeToContext(inner, standardizeContext);
    return {
      inner: new Flow(inner.base, inner.bijection, inner.embedding),
      ...(standardize && { standardize }),
      ...(standardizeContext && { standardizeContext }),
    };
  }

  /** All parameters by their path. */
  parameters(): Map<string, Parameter> {
    const { base, bijection, embedding } = this;
    return parametersOf({ base, bijection, embedding });
  }

  /** A JSON description from which `buildFlow` makes the same flow (but for its parameters). */
  describe(): { base: Description; bijection: Description; embedding?: ContextEmbeddingOptions } {
    const { base, bijection, embedding } = this;
    return {
      base: base.describe(),
      bijection: bijection.describe(),
      ...(embedding && { embedding: embedding.describe() }),
    };
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
    this.standardizations ??= partsOfClass(this.distribution, Standardize);
    const nested = this.standardizations.some((each) => each !== standardize && each !== standardizeContext);
    return nested && nestedFloat64Column(inner.distribution) ? "float64" : "float32";
  }

  /** Numbers of the caller as rows of D. */
  private given(name: string, values: ArrayLike<number>, standardize?: Standardize) {
    const rows = values.length / this.features;
    if (Number.isInteger(rows)) return { inputs: [rowsOf(values, this.features, standardize)], rows };
    throw new PushforwardError("SHAPE", `${name} got numbers that do not make whole rows`, {
      expected: `a multiple of ${this.features}`,
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
    const size = this.context;
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
    this.embedding?.check(context);
    if (context.length === rows * size) return [rowsOf(context, size, standardize)];
    const row = standardize?.toLatent(Float64Array.from(context)) ?? context;
    const write = (target: Floats) => {
      for (let i = 0; i < target.length; i++) target[i] = row[i % size];
    };
    return [{ size, write }];
  }

  private checkShapes(x: Tensor, context: Tensor | undefined): void {
    if (x.rank !== 2 || x.shape[1] !== this.features) {
      throw new PushforwardError("SHAPE", "rows do not fit the flow", {
        expected: formatShape(["N", this.features]),
        received: formatShape(x.shape),
      });
    }
    this.checkContext(context);
  }

  private checkContext(context: Tensor | undefined): void {
    const fits = context ? context.rank === 2 && context.shape[1] === this.context : this.context === 0;
    if (!fits) throw contextError(this.context, context ? formatShape(context.shape) : "none");
  }

  /**
   * The density as an ONNX file that any runtime computes without pushforward: inputs `x` [N, D] and, for a conditional
   * flow, `context` [N, C]; outputs `logProb` [N] in nats and `z` [N, D]. A standardization is part of the graph and runs
   * in its precision: throws `ARGUMENT` in float32 for columns that are too far from 0 for it.
   */
  exportOnnx(options: { precision?: Precision } = {}): Uint8Array<ArrayBuffer> {
    const fine = this.columnForFloat64();
    if (fine && options.precision !== "float64") {
      throw new PushforwardError("ARGUMENT", "float32 is too coarse for a standardization of this flow", {
        expected: 'precision: "float64"',
        received: `column ${fine.column} of center ${fine.center} and deviation ${fine.deviation}`,
        mend: "Inputs of the file would lose the digits that tell rows apart.",
      });
    }
    const x = input("x", ["N", this.features]);
    const context = this.context > 0 ? input("context", ["N", this.context]) : undefined;
    const outputs = this.distribution.density(x, context);
    const graph = buildGraph(context ? [x, context] : [x], { ...outputs }, this.parameterNames());
    return exportOnnx(graph, { ...options, embedParameters: true });
  }

  /** The first column that a graph with all of the flow in it has to compute in float64. */
  columnForFloat64(): Float64Column | undefined {
    const { inner, standardize, standardizeContext } = this.unstandardized();
    return (
      (standardize && float64Column(standardize)) ??
      (standardizeContext && float64Column(standardizeContext)) ??
      nestedFloat64Column(inner.distribution)
    );
  }

  private parameterNames(): Map<Parameter, string> {
    return new Map([...this.parameters()].map(([name, parameter]) => [parameter, name]));
  }
}

/** In place: a million rows need no second array. */
function subtract(values: Float64Array, constant: number): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] -= constant;
  return values;
}

function contextError(size: number, received: string): PushforwardError {
  return size === 0
    ? new PushforwardError("ARGUMENT", "the flow is not conditional", { expected: "no context", received })
    : new PushforwardError("ARGUMENT", "the flow is conditional", {
        expected: `a context of ${size} features a row`,
        received,
      });
}
