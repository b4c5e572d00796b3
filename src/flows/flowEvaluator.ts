import { Standardize } from "../bijections/index.ts";
import {
  anyValue,
  brief,
  checkOptions,
  integerFrom,
  type OptionRules,
  PushforwardError,
  seedValue,
} from "../check/index.ts";
import { type FlatRows, type RowForms, type RowsInput, rowsAs } from "../dataset/index.ts";
import type { Samples } from "../distributions/index.ts";
import type { Tensor } from "../graph/index.ts";
import { instancesOf } from "../nn/index.ts";
import type { Precision } from "../onnx/index.ts";
import { Random } from "../random/index.ts";
import { runRules } from "../runtime/index.ts";
import { arrayInput, BatchRunner, type RowInput, type RunOptions } from "./batchRunner.ts";
import { nestedFloat64Column } from "./float64Column.ts";
import type { Flow, Unstandardized } from "./flow.ts";
import { type ContextInput, contextRows, dataRows } from "./rowInputs.ts";

/** Options of the methods that return rows. */
export interface RowOptions<F extends keyof RowForms = "flat"> extends RunOptions {
  /**
   * The form of the rows. `flat`: one array [N, D] in row-major order. `rows`: an array of arrays. `objects`: an array of objects,
   * and `columns`: an object of arrays, with the names in `flow.columns`. Default `flat`.
   */
  as?: F | undefined;
}

/** Options of `Flow.sample`. */
export interface SampleOptions<F extends keyof RowForms = "flat"> extends RowOptions<F> {
  /** Row i depends only on the seed and i: the first 10 of 100 samples are the same as 10 samples. Default 0. */
  seed?: number | bigint | undefined;
  /** Index of the first row: `start: 1000` skips the first 1000 rows of the seed. Default 0. */
  start?: number | undefined;
  /** One context for each of the n rows, [n, C], or one for all rows, [C]. A conditional flow needs this or `contexts`. Default none. */
  context?: ContextInput | undefined;
  /**
   * k contexts, [k, C], with n samples for each: [k, n, D], beginning with the samples of the first context. Their noise is
   * independent: sample j of context i has the noise of row i n + j of the seed. Default none.
   */
  contexts?: ContextInput | undefined;
}

/** The rules of the options of `toLatent` and `toData`. `rowForm` checks `as`. */
const rowRules: OptionRules<RowOptions<keyof RowForms>> = { ...runRules, as: anyValue };

/** The rules of the options of `sample` without a context. */
export const sampleRules = { ...rowRules, seed: seedValue, start: integerFrom(0) };

/** `contextInputsOfSamples` checks the contexts. */
const contextSampleRules = { ...sampleRules, context: anyValue, contexts: anyValue };

/**
 * Implements the methods of a flow for numbers. It runs graphs of the flow without its outer standardizations over chunks of rows,
 * and applies these standardizations in float64.
 */
export class FlowEvaluator {
  private readonly flow: Flow;
  private readonly runner: BatchRunner;
  /** All standardizations in the flow; undefined until they are first needed. */
  private standardizations: readonly Standardize[] | undefined;

  constructor(flow: Flow) {
    this.flow = flow;
    this.runner = new BatchRunner(() => flow.parameters());
  }

  /** Waits for earlier calls, and then releases sessions and worker threads. */
  release(): Promise<void> {
    return this.runner.release();
  }

  async logProb(x: RowsInput, context?: ContextInput, options?: RunOptions): Promise<Float64Array> {
    checkOptions("logProb", options, runRules);
    const outer = this.flow.unstandardized();
    const build = (x: Tensor, context?: Tensor) => ({ logProb: outer.inner.logProb(x, context) });
    const rows = dataRows("x", x, this.flow);
    const inputs = [
      arrayInput(rows, outer.standardize),
      ...this.context("logProb", context, rows, outer.standardizeContext),
    ];
    const { logProb } = await this.run("logProb", build, inputs, rows.rows, outer, options);
    return subtractInPlace(logProb, outer.standardize?.logScale() ?? 0);
  }

  async toLatent<F extends keyof RowForms = "flat">(
    x: RowsInput,
    context?: ContextInput,
    options?: RowOptions<F>,
  ): Promise<RowForms[F]> {
    const outer = this.flow.unstandardized();
    const build = (x: Tensor, context?: Tensor) => ({ rows: outer.inner.toLatent(x, context) });
    return this.map("toLatent", build, dataRows("x", x, this.flow), context, options, outer, {
      before: outer.standardize,
    });
  }

  async toData<F extends keyof RowForms = "flat">(
    z: RowsInput,
    context?: ContextInput,
    options?: RowOptions<F>,
  ): Promise<RowForms[F]> {
    const outer = this.flow.unstandardized();
    const build = (z: Tensor, context?: Tensor) => ({ rows: outer.inner.toData(z, context) });
    return this.map("toData", build, dataRows("z", z, this.flow), context, options, outer, {
      after: outer.standardize,
    });
  }

  /** Maps rows by a graph, with a standardization in float64 before or after it. */
  private async map<F extends keyof RowForms>(
    method: "toLatent" | "toData",
    build: (rows: Tensor, context?: Tensor) => { rows: Tensor },
    input: FlatRows,
    context: ContextInput | undefined,
    options: RowOptions<F> | undefined,
    outer: Unstandardized,
    { before, after }: { before?: Standardize; after?: Standardize },
  ): Promise<RowForms[F]> {
    checkOptions(method, options, rowRules);
    const convert = this.form(options);
    const contexts = this.context(method, context, input, outer.standardizeContext);
    if (this.flow.bijection.isIdentity) return convert(input.values);
    const inputs = [arrayInput(input, before), ...contexts];
    const { rows } = await this.run(method, build, inputs, input.rows, outer, options);
    return convert(after ? after.toData(rows, rows) : rows);
  }

  async sample<F extends keyof RowForms = "flat">(
    n: number,
    options?: SampleOptions<F>,
  ): Promise<RowForms[F]> {
    const build = (inner: Flow, noise: readonly Tensor[], context?: Tensor) => ({
      samples: inner.sample(noise, context),
    });
    return (await this.draw("sample", build, n, options)).samples;
  }

  async sampleAndLogProb<F extends keyof RowForms = "flat">(
    n: number,
    options?: SampleOptions<F>,
  ): Promise<Samples<RowForms[F], Float64Array>> {
    const build = (inner: Flow, noise: readonly Tensor[], context?: Tensor) => ({
      ...inner.sampleAndLogProb(noise, context),
    });
    const { samples, logProb } = await this.draw("sampleAndLogProb", build, n, options);
    return {
      samples,
      logProb: subtractInPlace(logProb, this.flow.unstandardized().standardize?.logScale() ?? 0),
    };
  }

  private async draw<F extends keyof RowForms>(
    method: "sample" | "sampleAndLogProb",
    build: (inner: Flow, noise: readonly Tensor[], context?: Tensor) => Record<string, Tensor>,
    n: number,
    options: SampleOptions<F> = {},
  ): Promise<{ samples: RowForms[F]; logProb: Float64Array }> {
    checkOptions(method, options, contextSampleRules);
    const convert = this.form(options);
    const { seed = 0, start = 0, context, contexts } = options;
    checkCount("the number of samples", n);
    const outer = this.flow.unstandardized();
    const contextOfSamples = this.contextInputsOfSamples(
      method,
      n,
      context,
      contexts,
      outer.standardizeContext,
    );
    const random = new Random(seed).split("sample");
    const noise = this.flow.noise.map(
      (each, i): RowInput => ({ ...each, random: random.split(i), first: start }),
    );
    const draw = (...tensors: Tensor[]) =>
      build(outer.inner, tensors.slice(0, noise.length), tensors[noise.length]);
    const { samples, logProb } = await this.run(
      method,
      draw,
      [...noise, ...contextOfSamples.inputs],
      contextOfSamples.rows,
      outer,
      options,
    );
    outer.standardize?.toData(samples, samples);
    return { samples: convert(samples), logProb };
  }

  /** The number of samples, and their context as inputs of the graph. */
  private contextInputsOfSamples(
    method: "sample" | "sampleAndLogProb",
    n: number,
    context: ContextInput | undefined,
    contexts: ContextInput | undefined,
    standardize?: Standardize,
  ): { rows: number; inputs: readonly RowInput[] } {
    if (contexts === undefined) {
      const rows = { rows: n, values: undefined };
      return { rows: n, inputs: this.context(method, context, rows, standardize) };
    }
    if (context !== undefined) {
      throw new PushforwardError("ARGUMENT", `${method} got both options context and contexts`, {
        expected:
          "only one of them: context has one row for each sample or one for all, contexts has n samples for each row",
        received: "both",
      });
    }
    const each = contextRows(method, contexts, this.flow);
    if (!each) return { rows: n, inputs: [] };
    return { rows: each.rows * n, inputs: [arrayInput(each, standardize, (row) => Math.floor(row / n))] };
  }

  /** The context as inputs of the graph: one row for each row of the data, or one row repeated; none if unconditional. */
  private context(
    method: string,
    context: ContextInput | undefined,
    data: { readonly rows: number; readonly values: Float64Array | undefined },
    standardize?: Standardize,
  ): RowInput[] {
    const contexts = contextRows(method, context, this.flow);
    if (!contexts) return [];
    if (contexts.rows === data.rows) return [arrayInput(contexts, standardize)];
    if (contexts.rows === 1) return [arrayInput(contexts, standardize, () => 0)];
    const { features, context: size } = this.flow;
    const swapped = data.values && contexts.values.length / features === data.values.length / size;
    throw new PushforwardError("SHAPE", "the context and the rows have different numbers of rows", {
      expected: `1 row of ${size} numbers for all, or ${data.rows} rows`,
      received: `${contexts.rows} rows${swapped ? " (did you swap the rows and the context?)" : ""}`,
    });
  }

  /** Returns the function that converts rows to the form `as`. An invalid form throws here, before rows are computed. */
  private form<F extends keyof RowForms>({ as = "flat" as F }: RowOptions<F> = {}) {
    const { features, columns } = this.flow;
    const convert = (values: Float64Array) =>
      rowsAs(as, { rows: values.length / features, features, values, ...(columns && { columns }) });
    convert(new Float64Array(0));
    return convert;
  }

  private async run<K extends string>(
    name: string,
    build: (...inputs: Tensor[]) => Record<K, Tensor>,
    inputs: readonly RowInput[],
    rows: number,
    outer: Unstandardized,
    { providers, threads, precision = this.precisionFor(outer) }: RunOptions = {},
  ): Promise<Record<K, Float64Array>> {
    return this.runner.run(name, build, inputs, rows, { providers, threads, precision }) as Promise<
      Record<K, Float64Array>
    >;
  }

  /** The precision that the graph of the inner flow needs. */
  private precisionFor({ inner, standardize, standardizeContext }: Unstandardized): Precision {
    this.standardizations ??= instancesOf(this.flow, Standardize);
    const nested = this.standardizations.some((each) => each !== standardize && each !== standardizeContext);
    return nested && nestedFloat64Column(inner) ? "float64" : "float32";
  }
}

/** No larger count of rows or samples has room in an array. */
const MAX_COUNT = 2 ** 32;

/** Throws `ARGUMENT` for a count that is not an integer of at least `min`. */
export function checkCount(what: string, count: number, min = 0): void {
  const { expected, accepts } = integerFrom(min);
  if (accepts(count) && count <= MAX_COUNT) return;
  throw new PushforwardError("ARGUMENT", `${what} is not valid`, {
    expected: accepts(count) ? `at most ${MAX_COUNT}` : expected,
    received: brief(count),
  });
}

/** Subtracts a constant in place, since a second array for millions of rows would be expensive. */
function subtractInPlace(values: Float64Array, constant: number): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] -= constant;
  return values;
}
