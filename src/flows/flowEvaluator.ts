import { Standardize } from "../bijections/standardize.ts";
import { type FlatRows, type RowForms, type RowsInput, rowsAs } from "../dataset/rowsInput.ts";
import type { Samples } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { partsOfClass } from "../nn/module.ts";
import type { Precision } from "../onnx/export.ts";
import { brief } from "../parse.ts";
import { Random } from "../random/index.ts";
import { checkRunOptions } from "../runtime/options.ts";
import { nestedFloat64Column } from "./float64Column.ts";
import type { Flow, Unstandardized } from "./flow.ts";
import { type ContextInput, contextRows, dataRows } from "./rowInputs.ts";
import { RowJobs, type Rows, type RunOptions, rowsOf } from "./rowJobs.ts";

/** Options of what gives rows. */
export interface RowOptions<F extends keyof RowForms = "flat"> extends RunOptions {
  /**
   * The form of the rows: `flat`, row-major, [N, D]; `rows`, an array of arrays; `objects`, an array of objects, and `columns`, an
   * object of arrays, by the names that the flow has in `columns`. Default `flat`.
   */
  as?: F;
}

export interface SampleOptions<F extends keyof RowForms = "flat"> extends RowOptions<F> {
  /** Default 0. The same seed gives the same rows, however many are drawn: the first 10 of 100 are those of 10. */
  seed?: number | bigint;
  /** Number of the first row: rows 1000 to 1099 of a seed are its first 1100 without the first 1000. Default 0. */
  start?: number;
  /** One context for each of the n rows, [n, C], or one for all, [C]. */
  context?: ContextInput;
  /**
   * k contexts, [k, C], each of which gets n rows: k n rows [k, n, D], first those of the first context. They have independent
   * noise: row j of context i is row i n + j of the seed.
   */
  contexts?: ContextInput;
}

/** The options of `sample` beside those of every run. */
export const SAMPLE_OPTIONS = ["as", "seed", "start"];

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

  /** Ends sessions and worker threads when the calls before are done. */
  release(): Promise<void> {
    return this.jobs.release();
  }

  async logProb(x: RowsInput, context?: ContextInput, options?: RunOptions): Promise<Float64Array> {
    checkRunOptions("logProb", options);
    const outer = this.flow.unstandardized();
    const build = (x: Tensor, context?: Tensor) => ({ logProb: outer.inner.logProb(x, context) });
    const rows = dataRows("x", x, this.flow);
    const inputs = [
      rowsOf(rows, outer.standardize),
      ...this.context("logProb", context, rows, outer.standardizeContext),
    ];
    const { logProb } = await this.run("logProb", build, inputs, rows.rows, outer, options);
    return subtract(logProb, outer.standardize?.logScale() ?? 0);
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
    given: FlatRows,
    context: ContextInput | undefined,
    options: RowOptions<F> | undefined,
    outer: Unstandardized,
    { before, after }: { before?: Standardize; after?: Standardize },
  ): Promise<RowForms[F]> {
    checkRunOptions(method, options, ["as"]);
    const form = this.form(options);
    const contexts = this.context(method, context, given, outer.standardizeContext);
    if (this.flow.bijection.isIdentity) return form(given.values);
    const inputs = [rowsOf(given, before), ...contexts];
    const { rows } = await this.run(method, build, inputs, given.rows, outer, options);
    return form(after ? after.toData(rows, rows) : rows);
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
    return { samples, logProb: subtract(logProb, this.flow.unstandardized().standardize?.logScale() ?? 0) };
  }

  private async draw<F extends keyof RowForms>(
    method: "sample" | "sampleAndLogProb",
    build: (inner: Flow, noise: readonly Tensor[], context?: Tensor) => Record<string, Tensor>,
    n: number,
    options: SampleOptions<F> = {},
  ): Promise<{ samples: RowForms[F]; logProb: Float64Array }> {
    checkRunOptions(method, options, [...SAMPLE_OPTIONS, "context", "contexts"]);
    const form = this.form(options);
    const { seed = 0, start = 0, context, contexts } = options;
    checkCount("the number of samples", n);
    checkCount(`the option start of ${method}`, start);
    const outer = this.flow.unstandardized();
    const given = this.contextOfSamples(method, n, context, contexts, outer.standardizeContext);
    const random = new Random(seed).split("sample");
    const noise = this.flow.noise.map(
      (each, i): Rows => ({ ...each, random: random.split(i), first: start }),
    );
    const draw = (...tensors: Tensor[]) =>
      build(outer.inner, tensors.slice(0, noise.length), tensors[noise.length]);
    const { samples, logProb } = await this.run(
      method,
      draw,
      [...noise, ...given.inputs],
      given.rows,
      outer,
      options,
    );
    outer.standardize?.toData(samples, samples);
    return { samples: form(samples), logProb };
  }

  /** How many rows there are, and the context of each. */
  private contextOfSamples(
    method: "sample" | "sampleAndLogProb",
    n: number,
    context: ContextInput | undefined,
    contexts: ContextInput | undefined,
    standardize?: Standardize,
  ): { rows: number; inputs: readonly Rows[] } {
    if (contexts === undefined) {
      const rows = { rows: n, values: undefined };
      return { rows: n, inputs: this.context(method, context, rows, standardize) };
    }
    if (context !== undefined) {
      throw new PushforwardError("ARGUMENT", `${method} has two options for its context`, {
        expected:
          "context, with a row for each sample or one for all, or contexts, each of which gets n samples",
        received: "both",
      });
    }
    const each = contextRows(method, contexts, this.flow);
    if (!each) return { rows: n, inputs: [] };
    return { rows: each.rows * n, inputs: [rowsOf(each, standardize, (row) => Math.floor(row / n))] };
  }

  /** The context as an input of as many rows as the data has; none for an unconditional flow. */
  private context(
    method: string,
    context: ContextInput | undefined,
    data: { readonly rows: number; readonly values: Float64Array | undefined },
    standardize?: Standardize,
  ): Rows[] {
    const given = contextRows(method, context, this.flow);
    if (!given) return [];
    if (given.rows === data.rows) return [rowsOf(given, standardize)];
    if (given.rows === 1) return [rowsOf(given, standardize, () => 0)];
    const { features, context: size } = this.flow;
    const swapped = data.values && given.values.length / features === data.values.length / size;
    throw new PushforwardError("SHAPE", "the context does not fit the rows", {
      expected: `1 row of ${size} numbers for all, or ${data.rows} rows`,
      received: `${given.rows} rows${swapped ? " (did you swap the rows and the context?)" : ""}`,
    });
  }

  /** Gives rows the form that is asked for, which is checked before they are computed. */
  private form<F extends keyof RowForms>({ as = "flat" as F }: RowOptions<F> = {}) {
    const { features, columns } = this.flow;
    const formed = (values: Float64Array) =>
      rowsAs(as, { rows: values.length / features, features, values, ...(columns && { columns }) });
    formed(new Float64Array(0));
    return formed;
  }

  private async run<K extends string>(
    name: string,
    build: (...inputs: Tensor[]) => Record<K, Tensor>,
    inputs: readonly Rows[],
    rows: number,
    outer: Unstandardized,
    { providers, threads, precision = this.precisionFor(outer) }: RunOptions = {},
  ): Promise<Record<K, Float64Array>> {
    return this.jobs.run(name, build, inputs, rows, { providers, threads, precision }) as Promise<
      Record<K, Float64Array>
    >;
  }

  /** The precision that the graph of the inner flow needs. */
  private precisionFor({ inner, standardize, standardizeContext }: Unstandardized): Precision {
    this.standardizations ??= partsOfClass(this.flow, Standardize);
    const nested = this.standardizations.some((each) => each !== standardize && each !== standardizeContext);
    return nested && nestedFloat64Column(inner) ? "float64" : "float32";
  }
}

function checkCount(what: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new PushforwardError("ARGUMENT", `${what} does not fit`, {
    expected: "0, 1, 2, ...",
    received: brief(count),
  });
}

/** In place: a million rows need no second array. */
function subtract(values: Float64Array, constant: number): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] -= constant;
  return values;
}
