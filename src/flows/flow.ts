import { type Bijection, contextFor } from "../bijections/bijection.ts";
import { Identity } from "../bijections/identity.ts";
import type { Standardize } from "../bijections/standardize.ts";
import type { ContextEmbedding } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { type Samples, TransformedDistribution } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import { buildGraph } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import { scoped } from "../graph/scope.ts";
import { formatShape } from "../graph/shape.ts";
import { input, Tensor } from "../graph/tensor.ts";
import { checkParametersFound } from "../nn/lostParameters.ts";
import { parametersOf } from "../nn/module.ts";
import { exportOnnx, type Precision } from "../onnx/export.ts";
import { brief } from "../parse.ts";
import { contextError } from "./contextError.ts";
import { type Float64Column, float64Column, nestedFloat64Column } from "./float64Column.ts";
import { FlowEvaluator, type SampleOptions } from "./flowEvaluator.ts";
import type { RunOptions } from "./rowJobs.ts";

/** A flow whose standardizations next to the data and of the context are outside of it. */
export interface Unstandardized {
  readonly inner: Flow;
  readonly standardize?: Standardize;
  readonly standardizeContext?: Standardize;
}

type Values = Tensor | ArrayLike<number>;

/**
 * A normalizing flow: the distribution of x = f(z) where z follows `base` and f is `bijection`,
 *
 *     log p(x) = log p_base(f^-1(x)) + log |det d f^-1 / dx|.
 *
 * It is a distribution, which can be the base of another flow or a component of a mixture.
 *
 * `logProb`, `toLatent`, `toData`, `sample` and `sampleAndLogProb` take tensors and give tensors, which builds graphs; or they
 * take numbers and give numbers, row-major, for any number of rows: float64 arrays, whatever the precision of the graphs. For
 * numbers they apply a standardization next to the data, or of the context, themselves, in float64: columns far from 0, such as
 * years or time stamps, lose nothing. Where one stands elsewhere and float32 is too coarse for it, they compute in float64
 * unless a precision is given.
 *
 * They throw `SHAPE` if the shapes, or the numbers of numbers, do not fit the flow, `ARGUMENT` for a context that is missing or
 * that the flow does not have, and, for numbers, `DATA` for a class that the embedding does not have.
 */
export class Flow extends TransformedDistribution {
  // Private by #, so that the flow's properties are its parts only.
  readonly #evaluator = new FlowEvaluator(this);

  /** Without a bijection the flow is the base itself. Throws `SHAPE` if the parts do not fit each other. */
  constructor(
    base: Distribution,
    bijection: Bijection = new Identity({ features: base.features }),
    embedding?: ContextEmbedding,
  ) {
    super(base, bijection, embedding);
  }

  /** log p(x | context) of each row in nats: [N, D], [N, C] -> [N]; of numbers, the context may also be one row [C] for all. */
  override logProb(x: Tensor, context?: Tensor): Tensor;
  override logProb(
    x: ArrayLike<number>,
    context?: ArrayLike<number>,
    options?: RunOptions,
  ): Promise<Float64Array>;
  override logProb(x: Values, context?: Values, options?: RunOptions): Tensor | Promise<Float64Array> {
    if (!(x instanceof Tensor)) return this.#evaluator.logProb(x, context as ArrayLike<number>, options);
    const given = this.#checked(x, context);
    return super.logProb(x, given);
  }

  /** z = f^-1(x) of each row: [N, D], [N, C] -> [N, D]; of numbers, the context may also be one row [C] for all. */
  toLatent(x: Tensor, context?: Tensor): Tensor;
  toLatent(x: ArrayLike<number>, context?: ArrayLike<number>, options?: RunOptions): Promise<Float64Array>;
  toLatent(x: Values, context?: Values, options?: RunOptions): Tensor | Promise<Float64Array> {
    if (!(x instanceof Tensor)) return this.#evaluator.toLatent(x, context as ArrayLike<number>, options);
    const given = this.#checked(x, context);
    const seen = contextFor(this.bijection, this.embed(given));
    const { value } = scoped("bijection", () => this.bijection.inverse(x, seen));
    checkParametersFound(this, [value], [x, given]);
    return value;
  }

  /** x = f(z) of each row: [N, D], [N, C] -> [N, D]; of numbers, the context may also be one row [C] for all. */
  toData(z: Tensor, context?: Tensor): Tensor;
  toData(z: ArrayLike<number>, context?: ArrayLike<number>, options?: RunOptions): Promise<Float64Array>;
  toData(z: Values, context?: Values, options?: RunOptions): Tensor | Promise<Float64Array> {
    if (!(z instanceof Tensor)) return this.#evaluator.toData(z, context as ArrayLike<number>, options);
    const given = this.#checked(z, context);
    const seen = contextFor(this.bijection, this.embed(given));
    const { value } = scoped("bijection", () => this.bijection.forward(z, seen));
    checkParametersFound(this, [value], [z, given]);
    return value;
  }

  /**
   * Rows drawn from the flow, [N, D]: as a tensor from noise tensors in the order of `noise`, or `n` rows of numbers. Throws
   * `ARGUMENT` if `n` or `start` is not a whole number from 0.
   */
  override sample(noise: readonly Tensor[], context?: Tensor): Tensor;
  override sample(n: number, options?: SampleOptions): Promise<Float64Array>;
  override sample(
    source: readonly Tensor[] | number,
    contextOrOptions?: Tensor | SampleOptions,
  ): Tensor | Promise<Float64Array> {
    if (typeof source === "number")
      return this.#evaluator.sample(source, contextOrOptions as SampleOptions | undefined);
    return super.sample(source, this.#checkedContext(contextOrOptions));
  }

  /** The rows that `sample` gives, with the log-density of each, which costs little more. */
  override sampleAndLogProb(noise: readonly Tensor[], context?: Tensor): Samples<Tensor>;
  override sampleAndLogProb(n: number, options?: SampleOptions): Promise<Samples<Float64Array>>;
  override sampleAndLogProb(
    source: readonly Tensor[] | number,
    contextOrOptions?: Tensor | SampleOptions,
  ): Samples<Tensor> | Promise<Samples<Float64Array>> {
    if (typeof source === "number")
      return this.#evaluator.sampleAndLogProb(source, contextOrOptions as SampleOptions | undefined);
    return super.sampleAndLogProb(source, this.#checkedContext(contextOrOptions));
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
