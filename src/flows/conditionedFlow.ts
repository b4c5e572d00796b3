import type { RowForms, RowsInput } from "../dataset/rowsInput.ts";
import type { Samples } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import type { Dimension } from "../graph/shape.ts";
import { constant, Tensor } from "../graph/tensor.ts";
import { checkRunOptions } from "../runtime/options.ts";
import type { Flow } from "./flow.ts";
import { type RowOptions, SAMPLE_OPTIONS, type SampleOptions } from "./flowEvaluator.ts";
import { type ContextInput, contextRows } from "./rowInputs.ts";
import type { RunOptions } from "./rowJobs.ts";

type ConditionedSampleOptions<F extends keyof RowForms = "flat"> = Omit<
  SampleOptions<F>,
  "context" | "contexts"
>;

/**
 * A conditional flow with its context fixed, p(x | c). It has the parameters of the flow and computes as the flow does with this
 * context for all rows; graphs see the context as a constant.
 */
export class ConditionedFlow {
  readonly flow: Flow;
  readonly #context: Float64Array;

  /** Throws `ARGUMENT` if the flow is not conditional, and for a context that is not one row of C numbers as `logProb` does. */
  constructor(flow: Flow, context: ContextInput) {
    const given = contextRows("withContext", context, flow);
    if (given?.rows !== 1) {
      throw new PushforwardError("ARGUMENT", "withContext fixes one context", {
        expected: flow.context > 0 ? `${flow.context} numbers` : "a conditional flow",
        received: given ? `${given.rows} rows` : "a flow without a context",
      });
    }
    this.flow = flow;
    this.#context = given.values;
  }

  /** D, the number of features of a row. */
  get features(): number {
    return this.flow.features;
  }

  /** log p(x | c) of each row in nats: [N, D] -> [N]. */
  logProb(x: Tensor): Tensor;
  logProb(x: RowsInput, options?: RunOptions): Promise<Float64Array>;
  logProb(x: Tensor | RowsInput, options?: RunOptions): Tensor | Promise<Float64Array> {
    if (x instanceof Tensor) return this.flow.logProb(x, this.#tensor(x));
    return this.flow.logProb(x, this.#context, options);
  }

  /** z = f^-1(x) of each row: [N, D] -> [N, D]. */
  toLatent(x: Tensor): Tensor;
  toLatent<F extends keyof RowForms = "flat">(x: RowsInput, options?: RowOptions<F>): Promise<RowForms[F]>;
  toLatent<F extends keyof RowForms>(
    x: Tensor | RowsInput,
    options?: RowOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (x instanceof Tensor) return this.flow.toLatent(x, this.#tensor(x));
    return this.flow.toLatent(x, this.#context, options);
  }

  /** x = f(z) of each row: [N, D] -> [N, D]. */
  toData(z: Tensor): Tensor;
  toData<F extends keyof RowForms = "flat">(z: RowsInput, options?: RowOptions<F>): Promise<RowForms[F]>;
  toData<F extends keyof RowForms>(
    z: Tensor | RowsInput,
    options?: RowOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (z instanceof Tensor) return this.flow.toData(z, this.#tensor(z));
    return this.flow.toData(z, this.#context, options);
  }

  /** Rows drawn from p(x | c), [N, D]: as a tensor from noise tensors, or `n` rows of numbers. */
  sample(noise: readonly Tensor[]): Tensor;
  sample<F extends keyof RowForms = "flat">(
    n: number,
    options?: ConditionedSampleOptions<F>,
  ): Promise<RowForms[F]>;
  sample<F extends keyof RowForms>(
    source: readonly Tensor[] | number,
    options?: ConditionedSampleOptions<F>,
  ): Tensor | Promise<RowForms[F]> {
    if (Array.isArray(source)) return this.flow.sample(source, this.#tensor(source[0]));
    return this.#numbers("sample", options, (all) => this.flow.sample(source as number, all));
  }

  /** The rows that `sample` gives, with the log-density of each, which costs little more. */
  sampleAndLogProb(noise: readonly Tensor[]): Samples<Tensor>;
  sampleAndLogProb<F extends keyof RowForms = "flat">(
    n: number,
    options?: ConditionedSampleOptions<F>,
  ): Promise<Samples<RowForms[F], Float64Array>>;
  sampleAndLogProb<F extends keyof RowForms>(
    source: readonly Tensor[] | number,
    options?: ConditionedSampleOptions<F>,
  ): Samples<Tensor> | Promise<Samples<RowForms[F], Float64Array>> {
    if (Array.isArray(source)) return this.flow.sampleAndLogProb(source, this.#tensor(source[0]));
    return this.#numbers("sampleAndLogProb", options, (all) =>
      this.flow.sampleAndLogProb(source as number, all),
    );
  }

  async #numbers<F extends keyof RowForms, R>(
    method: string,
    options: ConditionedSampleOptions<F> | undefined,
    draw: (options: SampleOptions<F>) => Promise<R>,
  ): Promise<R> {
    checkRunOptions(method, options, SAMPLE_OPTIONS);
    return draw({ ...options, context: this.#context });
  }

  /** The context of each row of a tensor, [N, C]. */
  #tensor(rows: Tensor | undefined): Tensor {
    const { context } = this.flow;
    const n: Dimension = rows?.shape[0] ?? "N";
    return constant(this.#context, [1, context]).broadcastTo([n, context]);
  }
}
