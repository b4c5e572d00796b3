/// <reference lib="esnext.disposable" preserve="true" />

import { type Bijection, contextFor, Identity, type Standardize } from "../bijections/index.ts";
import { brief, PushforwardError } from "../check/index.ts";
import { checkDistinctNames, type RowForms, type RowsInput } from "../dataset/index.ts";
import {
  type ContextEmbedding,
  checkResultShape,
  type Distribution,
  type Samples,
  TransformedDistribution,
} from "../distributions/index.ts";
import { formatShape, type Parameter, scoped, Tensor } from "../graph/index.ts";
import { checkParametersReachable, parametersOf } from "../nn/index.ts";
import type { RunOptions } from "./batchRunner.ts";
import { checkParts } from "./checkParts.ts";
import { ConditionedFlow } from "./conditionedFlow.ts";
import { contextError } from "./contextError.ts";
import type { ExportFlowOptions } from "./exportFlow.ts";
import { type Float64Column, float64Column, nestedFloat64Column } from "./float64Column.ts";
import { FlowEvaluator, type RowOptions, type SampleOptions } from "./flowEvaluator.ts";
import type { ContextInput } from "./rowInputs.ts";

/** A flow without the standardizations next to the data and of the context, and these standardizations. */
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
 * A flow is a distribution, so it can be the base of another flow or a component of a mixture.
 *
 * `logProb`, `toLatent`, `toData`, `sample` and `sampleAndLogProb` work in two ways. Given tensors, they return tensors, which builds
 * graphs. Given numbers, which they copy, they compute and return numbers for any number of rows: float64 arrays in row-major
 * order, or the form that the option `as` names. For numbers they apply a standardization next to the data, or of the context,
 * in float64, so that columns far from 0, such as years or time stamps, lose no precision. If a standardization elsewhere in
 * the flow needs float64, the whole graph computes in float64, unless the option `precision` is given.
 *
 * They throw `SHAPE` for tensors or numbers of a wrong shape; `ARGUMENT` for a missing context, and for a context of an
 * unconditional flow; and, for numbers, `DATA` for text, NaN and infinite numbers, and for a class label that the embedding does
 * not have.
 */
export class Flow extends TransformedDistribution implements AsyncDisposable {
  // A #private field, so that walking the public properties finds only the parts of the flow.
  readonly #evaluator = new FlowEvaluator(this);
  #columns: readonly string[] | undefined;
  #contextColumns: readonly string[] | undefined;

  /**
   * Without a bijection, the flow is the distribution `base`. Throws `SHAPE` if the parts have different numbers of features or
   * context features, `ARGUMENT` if an argument is not a distribution, a bijection or an embedding.
   */
  constructor(base: Distribution, bijection?: Bijection, embedding?: ContextEmbedding) {
    checkParts(base, bijection, embedding);
    super(base, bijection ?? new Identity({ features: base.features }), embedding);
  }

  /** Names of the D features, for rows that are objects or columns by name. Initially undefined. */
  get columns(): readonly string[] | undefined {
    return this.#columns;
  }

  /** Throws `ARGUMENT` unless there are D different names. */
  set columns(names: readonly string[] | undefined) {
    this.#columns = checkedNames("columns", names, this.features);
  }

  /** Names of the C context features, for contexts that are objects or columns by name. Initially undefined. */
  get contextColumns(): readonly string[] | undefined {
    return this.#contextColumns;
  }

  set contextColumns(names: readonly string[] | undefined) {
    this.#contextColumns = checkedNames("contextColumns", names, this.context);
  }

  /**
   * The flow with a fixed context: C numbers, or an object of them by name. Throws `ARGUMENT` if the flow is not conditional,
   * `SHAPE` if there are not C numbers.
   */
  withContext(context: ContextInput): ConditionedFlow {
    return new ConditionedFlow(this, context);
  }

  /**
   * log p(x | context) of each row in nats: [N, D], [N, C] -> [N]; for numbers, the context may also be one row for all.
   *
   * @throws SHAPE for rows or a context of a wrong shape; ARGUMENT for a missing context, for a context of an unconditional flow, and for
   *   rows with names if `columns` is undefined; for numbers also DATA for text, NaN (unless the flow accepts missing values), infinite
   *   numbers, names other than `columns`, and class labels that the embedding does not have.
   */
  override logProb(x: Tensor, context?: Tensor): Tensor;
  override logProb<Row extends object>(
    x: RowsInput<Row>,
    context?: ContextInput,
    options?: RunOptions,
  ): Promise<Float64Array>;
  override logProb(
    x: Tensor | RowsInput,
    context?: Tensor | ContextInput,
    options?: RunOptions,
  ): Tensor | Promise<Float64Array> {
    if (!(x instanceof Tensor)) return this.#evaluator.logProb(x, context as ContextInput, options);
    return this.density(x, context as Tensor | undefined).logProb;
  }

  /** The log-densities [N] of rows x [N, D], and their latent values z = f^-1(x) [N, D], in one graph. Throws the errors of `logProb`. */
  override density(x: Tensor, context?: Tensor): { logProb: Tensor; z: Tensor } {
    return super.density(x, this.#checked(x, context));
  }

  /** z = f^-1(x) of each row: [N, D], [N, C] -> [N, D]; for numbers, the context may also be one row for all. */
  toLatent(x: Tensor, context?: Tensor): Tensor;
  toLatent<F extends keyof RowForms = "flat", Row extends object = Readonly<Record<string, number>>>(
    x: RowsInput<Row>,
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
  toData<F extends keyof RowForms = "flat", Row extends object = Readonly<Record<string, number>>>(
    z: RowsInput<Row>,
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
    const checkedContext = this.#checked(rows, context);
    const embedded = contextFor(this.bijection, this.embed(checkedContext));
    const { value } = scoped("bijection", () => this.bijection[direction](rows, embedded));
    checkResultShape(this.bijection, `value of ${direction}`, value, rows.shape);
    checkParametersReachable(this, [value], [rows, checkedContext]);
    return value;
  }

  /**
   * Samples of the flow: a tensor [N, D], given noise tensors in the order of `noise`; or, given a number `n`, n rows of numbers.
   * With the option `contexts`, a conditional flow draws n rows for each context. Throws `ARGUMENT` if `n` or `start` is not a
   * non-negative integer.
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

  /** The samples that `sample` returns, with the log-density of each, at little additional cost. */
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
   * Waits for earlier calls, and then frees what the methods keep for later calls with numbers: sessions of ONNX Runtime, and
   * worker threads that no other flow uses. The next call creates them again. `await using` calls this too.
   */
  release(): Promise<void> {
    return this.#evaluator.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /**
   * Splits the flow into an inner flow and the standardizations next to the data and of the context:
   *
   *     log p(x | c) = log p_inner((x - center) / scale | (c - center') / scale') - sum log scale.
   *
   * The inner flow shares its trainable parameters with this one. If there are several standardizations, such as those of the
   * components of a mixture, the first one is split off, and the inner flow contains the composition of each other one with its
   * inverse.
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

  /** All parameters by their path, such as `bijection.bijections.0.network.layers.0.weight`. */
  parameters(): Map<string, Parameter> {
    const { base, bijection, embedding } = this;
    return parametersOf({ base, bijection, embedding });
  }

  /**
   * Exports the density, or what the option `what` names, as an ONNX file, which any ONNX runtime computes without pushforward. Inputs
   * of the density: `x` [N, D] and, for a conditional flow, `context` [N, C]. Outputs: `logProb` [N] in nats and `z` [N, D].
   * Standardizations are part of the graph and computed in its precision. Throws `ARGUMENT` for options that are not valid, and if
   * the precision is float32 and a column needs float64.
   */
  async exportOnnx(options?: ExportFlowOptions): Promise<Uint8Array<ArrayBuffer>> {
    // The export is imported only when it is used, because pages that only score do not need it.
    const { exportFlow } = await import("./exportFlow.ts");
    return exportFlow(this, options).bytes;
  }

  /** The first column for which a graph of the complete flow, including its standardizations, needs float64. */
  columnForFloat64(): Float64Column | undefined {
    const { inner, standardize, standardizeContext } = this.unstandardized();
    return (
      (standardize && float64Column(standardize)) ??
      (standardizeContext && float64Column(standardizeContext)) ??
      nestedFloat64Column(inner)
    );
  }

  /** Checks the shapes of rows and their context, and returns the context. */
  #checked(x: Tensor, context: unknown): Tensor | undefined {
    if (x.rank !== 2 || x.shape[1] !== this.features) {
      throw new PushforwardError("SHAPE", "the rows have a wrong shape for the flow", {
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
    throw new PushforwardError("SHAPE", "the noise has a wrong shape for the flow", {
      expected: this.noise.map(({ size }) => formatShape(["N", size])).join(", ") || "none",
      received:
        noise.map((each) => (each instanceof Tensor ? formatShape(each.shape) : brief(each))).join(", ") ||
        "none",
    });
  }

  #checkedContext(context: unknown): Tensor | undefined {
    if (context !== undefined && !(context instanceof Tensor)) {
      throw new PushforwardError("ARGUMENT", "the rows are a tensor, but the context is not", {
        received: brief(context),
      });
    }
    const fits = context ? context.rank === 2 && context.shape[1] === this.context : this.context === 0;
    if (!fits) throw contextError(this.context, context ? formatShape(context.shape) : "none");
    return context;
  }
}

function checkedNames(property: string, names: readonly string[] | undefined, size: number) {
  if (names) checkDistinctNames(`${property} of the flow`, names, size);
  return names && [...names];
}
