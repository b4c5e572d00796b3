/// <reference lib="esnext.disposable" preserve="true" />
import { type Bijection, contextFor } from "../bijections/bijection.ts";
import { Identity } from "../bijections/identity.ts";
import type { Standardize } from "../bijections/standardize.ts";
import type { RowForms, RowsInput } from "../dataset/rowsInput.ts";
import type { ContextEmbedding } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { type Samples, TransformedDistribution } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import { buildGraph } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import { formatShape } from "../graph/shape.ts";
import { input, Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { checkParametersFound } from "../nn/lostParameters.ts";
import { parametersOf } from "../nn/module.ts";
import { exportOnnx, type Precision } from "../onnx/export.ts";
import { checkOptions } from "../options.ts";
import { brief } from "../parse.ts";
import { checkRunOptions } from "../runtime/options.ts";
import { checkParts } from "./checkParts.ts";
import { ConditionedFlow } from "./conditionedFlow.ts";
import { contextError } from "./contextError.ts";
import { type Float64Column, float64Column, nestedFloat64Column } from "./float64Column.ts";
import { FlowEvaluator, type RowOptions, type SampleOptions } from "./flowEvaluator.ts";
import type { ContextInput } from "./rowInputs.ts";
import type { RunOptions } from "./rowJobs.ts";

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
 * It is a distribution, which can be the base of another flow or a component of a mixture.
 *
 * `logProb`, `toLatent`, `toData`, `sample` and `sampleAndLogProb` take tensors and give tensors, which builds graphs; or they
 * take numbers, which they copy, and give numbers, for any number of rows: float64 arrays in row-major order, or the form that
 * `as` names, whatever the precision of the graphs. For numbers they apply a standardization next to the data, or of the context,
 * themselves, in float64: columns far from 0, such as years or time stamps, lose nothing. Where one stands elsewhere and float32
 * is too coarse for it, they compute in float64 unless a precision is given.
 *
 * They throw `SHAPE` if the shapes, or the numbers of numbers, do not fit the flow, `ARGUMENT` for a context that is missing or
 * that the flow does not have, and, for numbers, `DATA` for text, NaN and infinite numbers, and for a class that
 * the embedding does not have.
 */
export class Flow extends TransformedDistribution implements AsyncDisposable {
  // Private by #, so that the flow's properties are its parts only.
  readonly #evaluator = new FlowEvaluator(this);
  #columns: readonly string[] | undefined;
  #contextColumns: readonly string[] | undefined;

  /**
   * Without a bijection the flow is the base itself. Throws `SHAPE` if the parts do not fit each other, `ARGUMENT` if they are
   * not parts of a flow.
   */
  constructor(base: Distribution, bijection?: Bijection, embedding?: ContextEmbedding) {
    checkParts(base, bijection, embedding);
    super(base, bijection ?? new Identity({ features: base.features }), embedding);
  }

  /** Names of the D features, by which rows may come as objects or columns and go out so; none at first. */
  get columns(): readonly string[] | undefined {
    return this.#columns;
  }

  /** Throws `ARGUMENT` unless there are D different names. */
  set columns(names: readonly string[] | undefined) {
    this.#columns = checkedNames("columns", names, this.features);
  }

  /** Names of the C context features, likewise. */
  get contextColumns(): readonly string[] | undefined {
    return this.#contextColumns;
  }

  set contextColumns(names: readonly string[] | undefined) {
    this.#contextColumns = checkedNames("contextColumns", names, this.context);
  }

  /**
   * The flow with its context fixed, for which C numbers are given, or an object of them by name. Throws `ARGUMENT` if the flow
   * is not conditional, `SHAPE` if they are not C.
   */
  withContext(context: ContextInput): ConditionedFlow {
    return new ConditionedFlow(this, context);
  }

  /** log p(x | context) of each row in nats: [N, D], [N, C] -> [N]; for numbers, the context may also be one row for all. */
  override logProb(x: Tensor, context?: Tensor): Tensor;
  override logProb(x: RowsInput, context?: ContextInput, options?: RunOptions): Promise<Float64Array>;
  override logProb(
    x: Tensor | RowsInput,
    context?: Tensor | ContextInput,
    options?: RunOptions,
  ): Tensor | Promise<Float64Array> {
    if (!(x instanceof Tensor)) return this.#evaluator.logProb(x, context as ContextInput, options);
    const given = this.#checked(x, context);
    return super.logProb(x, given);
  }

  /** z = f^-1(x) of each row: [N, D], [N, C] -> [N, D]; for numbers, the context may also be one row for all. */
  toLatent(x: Tensor, context?: Tensor): Tensor;
  toLatent<F extends keyof RowForms = "flat">(
    x: RowsInput,
    context?: ContextInput,
    options?: RowOptions<F>,
  ): Promise<RowForms[F]>;
  toLatent<F extends keyof RowForms>(
    x: Tensor | RowsInput,
    context?: Tensor | ContextInput,
    options?: RowOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (!(x instanceof Tensor)) return this.#evaluator.toLatent(x, context as ContextInput, options);
    return this.#mapped("inverse", x, context);
  }

  /** x = f(z) of each row: [N, D], [N, C] -> [N, D]; for numbers, the context may also be one row for all. */
  toData(z: Tensor, context?: Tensor): Tensor;
  toData<F extends keyof RowForms = "flat">(
    z: RowsInput,
    context?: ContextInput,
    options?: RowOptions<F>,
  ): Promise<RowForms[F]>;
  toData<F extends keyof RowForms>(
    z: Tensor | RowsInput,
    context?: Tensor | ContextInput,
    options?: RowOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (!(z instanceof Tensor)) return this.#evaluator.toData(z, context as ContextInput, options);
    return this.#mapped("forward", z, context);
  }

  #mapped(
    direction: "forward" | "inverse",
    rows: Tensor,
    context: Tensor | ContextInput | undefined,
  ): Tensor {
    const given = this.#checked(rows, context);
    const seen = contextFor(this.bijection, this.embed(given));
    const { value } = scoped("bijection", () => this.bijection[direction](rows, seen));
    checkParametersFound(this, [value], [rows, given]);
    return value;
  }

  /**
   * Rows drawn from the flow: as a tensor [N, D] from noise tensors in the order of `noise`; or numbers, n rows, and of a
   * conditional flow n rows for each of k `contexts`. Throws `ARGUMENT` if `n` or `start` is not a whole number from 0.
   */
  override sample(noise: readonly Tensor[], context?: Tensor): Tensor;
  override sample<F extends keyof RowForms = "flat">(
    n: number,
    options?: SampleOptions<F>,
  ): Promise<RowForms[F]>;
  override sample<F extends keyof RowForms>(
    source: readonly Tensor[] | number,
    contextOrOptions?: Tensor | SampleOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (!Array.isArray(source))
      return this.#evaluator.sample(source as number, contextOrOptions as SampleOptions<F> | undefined);
    return super.sample(this.#checkedNoise(source), this.#checkedContext(contextOrOptions));
  }

  /** The rows that `sample` gives, with the log-density of each, which costs little more. */
  override sampleAndLogProb(noise: readonly Tensor[], context?: Tensor): Samples<Tensor>;
  override sampleAndLogProb<F extends keyof RowForms = "flat">(
    n: number,
    options?: SampleOptions<F>,
  ): Promise<Samples<RowForms[F], Float64Array>>;
  override sampleAndLogProb<F extends keyof RowForms>(
    source: readonly Tensor[] | number,
    contextOrOptions?: Tensor | SampleOptions<F>,
  ): Samples<Tensor> | Promise<Samples<RowForms[F], Float64Array>> {
    if (!Array.isArray(source))
      return this.#evaluator.sampleAndLogProb(
        source as number,
        contextOrOptions as SampleOptions<F> | undefined,
      );
    return super.sampleAndLogProb(this.#checkedNoise(source), this.#checkedContext(contextOrOptions));
  }

  /**
   * Frees what the methods with numbers keep for their next call, when the calls before are done: sessions of ONNX Runtime, and
   * worker threads that no other flow uses. The next call makes them anew. `await using` does it too.
   */
  release(): Promise<void> {
    return this.#evaluator.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
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
    const standardize = this.dataStandardization?.standardize;
    const standardizeContext = this.contextStandardization?.standardize;
    if (!standardize && !standardizeContext) return { inner: this };
    let inner: TransformedDistribution = this;
    if (standardize) inner = inner.relativeTo(standardize);
    if (standardizeContext) inner = inner.contextStandardization!.relativeTo(standardizeContext);
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

  /**
   * The density as an ONNX file that any runtime computes without pushforward: inputs `x` [N, D] and, for a conditional
   * flow, `context` [N, C]; outputs `logProb` [N] in nats and `z` [N, D]. A standardization is part of the graph and runs
   * in its precision: throws `ARGUMENT` in float32 for columns that are too far from 0 for it.
   */
  exportOnnx(options: { precision?: Precision } = {}): Uint8Array<ArrayBuffer> {
    checkOptions("exportOnnx", options, ["precision"]);
    checkRunOptions("exportOnnx", options);
    const fine = this.columnForFloat64();
    if (fine && options.precision !== "float64") {
      throw new PushforwardError("ARGUMENT", "float32 is too coarse for a standardization of this flow", {
        expected: 'precision: "float64"',
        received: `column ${fine.column} of center ${fine.center} and deviation ${fine.deviation}`,
        hint: "Inputs of the file would lose the digits that tell rows apart.",
      });
    }
    const x = input("x", ["N", this.features]);
    const context = this.context > 0 ? input("context", ["N", this.context]) : undefined;
    const outputs = this.density(x, context);
    const names = new Map([...this.parameters()].map(([name, parameter]) => [parameter, name]));
    const graph = buildGraph(context ? [x, context] : [x], { ...outputs }, names);
    return exportOnnx(graph, { ...options, embedParameters: true });
  }

  /** The first column that a graph with all of the flow in it has to compute in float64. */
  columnForFloat64(): Float64Column | undefined {
    const { inner, standardize, standardizeContext } = this.unstandardized();
    return (
      (standardize && float64Column(standardize)) ??
      (standardizeContext && float64Column(standardizeContext)) ??
      nestedFloat64Column(inner)
    );
  }

  /** The context of rows, where both fit the flow. */
  #checked(x: Tensor, context: unknown): Tensor | undefined {
    if (x.rank !== 2 || x.shape[1] !== this.features) {
      throw new PushforwardError("SHAPE", "rows do not fit the flow", {
        expected: formatShape(["N", this.features]),
        received: formatShape(x.shape),
      });
    }
    return this.#checkedContext(context);
  }

  #checkedNoise(noise: readonly Tensor[]): readonly Tensor[] {
    const fits =
      noise.length === this.noise.length &&
      noise.every(
        (each, i) => each instanceof Tensor && each.rank === 2 && each.shape[1] === this.noise[i].size,
      );
    if (fits) return noise;
    throw new PushforwardError("SHAPE", "the noise does not fit the flow", {
      expected: this.noise.map(({ size }) => formatShape(["N", size])).join(", ") || "none",
      received:
        noise.map((each) => (each instanceof Tensor ? formatShape(each.shape) : brief(each))).join(", ") ||
        "none",
    });
  }

  #checkedContext(context: unknown): Tensor | undefined {
    if (context !== undefined && !(context instanceof Tensor)) {
      throw new PushforwardError("ARGUMENT", "the context of tensors is not a tensor", {
        received: brief(context),
      });
    }
    const fits = context ? context.rank === 2 && context.shape[1] === this.context : this.context === 0;
    if (!fits) throw contextError(this.context, context ? formatShape(context.shape) : "none");
    return context;
  }
}

function checkedNames(property: string, names: readonly string[] | undefined, size: number) {
  if (names === undefined) return undefined;
  const texts = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (texts && names.length === size && new Set(names).size === size) return [...names];
  throw new PushforwardError("ARGUMENT", `${property} of the flow do not fit`, {
    expected: `${size} different names`,
    received: brief(names),
  });
}
