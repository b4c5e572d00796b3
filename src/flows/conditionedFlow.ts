import { checkOptions, PushforwardError } from "../check/index.ts";
import type { RowForms, RowsInput } from "../dataset/index.ts";
import type { Samples } from "../distributions/index.ts";
import { constant, type Dimension, Tensor } from "../graph/index.ts";
import type { RunOptions } from "./batchRunner.ts";
import type { Flow } from "./flow.ts";
import { type RowOptions, type SampleOptions, sampleRules } from "./flowEvaluator.ts";
import { type ContextInput, contextRows } from "./rowInputs.ts";

type ConditionedSampleOptions<F extends keyof RowForms = "flat"> = Omit<
  SampleOptions<F>,
  "context" | "contexts"
>;

/**
 * A conditional flow with a fixed context, p(x | c). It has the flow's density, transform and sampling methods, which use this context
 * for all rows. When they are called with tensors, the context is a constant of the graph. The parameters are shared with the flow.
 */
export class ConditionedFlow {
  readonly flow: Flow;
  readonly #context: Float64Array;

  /** Throws `ARGUMENT` if the flow is not conditional or `context` is not exactly one row, `SHAPE` or `DATA` as `Flow.logProb` does. */
  constructor(flow: Flow, context: ContextInput) {
    const fixedContext = contextRows("withContext", context, flow);
    if (fixedContext?.rows !== 1) {
      throw new PushforwardError("ARGUMENT", "withContext needs exactly one context", {
        expected: flow.context > 0 ? `${flow.context} numbers` : "a conditional flow",
        received: fixedContext ? `${fixedContext.rows} rows` : "a flow without a context",
      });
    }
    this.flow = flow;
    this.#context = fixedContext.values;
  }

  /** D, the number of features. */
  get features(): number {
    return this.flow.features;
  }

  /** log p(x | c) of each row in nats: [N, D] -> [N]. Throws `SHAPE`, `DATA` or `ARGUMENT` for rows as `Flow.logProb` does. */
  logProb(x: Tensor): Tensor;
  logProb<Row extends object>(x: RowsInput<Row>, options?: RunOptions): Promise<Float64Array>;
  logProb(x: Tensor | RowsInput, options?: RunOptions): Tensor | Promise<Float64Array> {
    if (x instanceof Tensor) return this.flow.logProb(x, this.contextTensor(x));
    return this.flow.logProb(x, this.#context, options);
  }

  /** z = f^-1(x) of each row: [N, D] -> [N, D]. */
  toLatent(x: Tensor): Tensor;
  toLatent<F extends keyof RowForms = "flat", Row extends object = Readonly<Record<string, number>>>(
    x: RowsInput<Row>,
    options?: RowOptions<F>,
  ): Promise<RowForms[F]>;
  toLatent<F extends keyof RowForms>(
    x: Tensor | RowsInput,
    options?: RowOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (x instanceof Tensor) return this.flow.toLatent(x, this.contextTensor(x));
    return this.flow.toLatent(x, this.#context, options);
  }

  /** x = f(z) of each row: [N, D] -> [N, D]. */
  toData(z: Tensor): Tensor;
  toData<F extends keyof RowForms = "flat", Row extends object = Readonly<Record<string, number>>>(
    z: RowsInput<Row>,
    options?: RowOptions<F>,
  ): Promise<RowForms[F]>;
  toData<F extends keyof RowForms>(
    z: Tensor | RowsInput,
    options?: RowOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (z instanceof Tensor) return this.flow.toData(z, this.contextTensor(z));
    return this.flow.toData(z, this.#context, options);
  }

  /** Samples of p(x | c), [N, D]: a tensor from noise tensors, or `n` rows of numbers. */
  sample(noise: readonly Tensor[]): Tensor;
  sample<F extends keyof RowForms = "flat">(
    n: number,
    options?: ConditionedSampleOptions<F>,
  ): Promise<RowForms[F]>;
  sample<F extends keyof RowForms>(
    source: readonly Tensor[] | number,
    options?: ConditionedSampleOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (Array.isArray(source)) return this.flow.sample(source, this.contextTensor(source[0]));
    return this.#drawWithContext("sample", options, (withContext) =>
      this.flow.sample(source as number, withContext),
    );
  }

  /** The samples that `sample` returns, with the log-density of each, at little additional cost. */
  sampleAndLogProb(noise: readonly Tensor[]): Samples<Tensor>;
  sampleAndLogProb<F extends keyof RowForms = "flat">(
    n: number,
    options?: ConditionedSampleOptions<F>,
  ): Promise<Samples<RowForms[F], Float64Array>>;
  sampleAndLogProb<F extends keyof RowForms>(
    source: readonly Tensor[] | number,
    options?: ConditionedSampleOptions<F>,
  ): Samples<Tensor> | Promise<Samples<RowForms[F], Float64Array>> {
    if (Array.isArray(source)) return this.flow.sampleAndLogProb(source, this.contextTensor(source[0]));
    return this.#drawWithContext("sampleAndLogProb", options, (withContext) =>
      this.flow.sampleAndLogProb(source as number, withContext),
    );
  }

  async #drawWithContext<F extends keyof RowForms, R>(
    method: string,
    options: ConditionedSampleOptions<F> | undefined,
    draw: (options: SampleOptions<F>) => Promise<R>,
  ): Promise<R> {
    checkOptions(method, options, sampleRules);
    return draw({ ...options, context: this.#context });
  }

  /** The context as a constant tensor [N, C], repeated for each row of `rows`, or for a symbolic N if `rows` is undefined. */
  contextTensor(rows: Tensor | undefined): Tensor {
    const { context } = this.flow;
    const n: Dimension = rows?.shape[0] ?? "N";
    return constant(this.#context, [1, context]).broadcastTo([n, context]);
  }
}
