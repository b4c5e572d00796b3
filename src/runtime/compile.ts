/// <reference lib="esnext.disposable" preserve="true" />

import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import {
  brief,
  checkOptions,
  integerFrom,
  isPlainObject,
  type OptionRules,
  PushforwardError,
  trueOrFalse,
} from "../check/index.ts";
import {
  absorbBiases,
  absorbTransposes,
  buildGraph,
  type Floats,
  formatShape,
  type Graph,
  input,
  isDimension,
  loadSchedule,
  type Parameter,
  resolveShape,
  type Shape,
  sizeOf,
  Tensor,
} from "../graph/index.ts";
import { claimNames, exportOnnx, Names, type Precision } from "../onnx/index.ts";
import { type Engine, loadDevices, loadEngine, mayHaveChannelBlocks, sessionOptions } from "./engine.ts";
import { deviceProviders, type EngineOptions } from "./engineOptions.ts";
import { type FloatsConstructor, floatsOf } from "./floats.ts";
import { runRules } from "./options.ts";
import { EMPTY_SEQUENCE_OUTPUT, runInto } from "./runInto.js";
import { isShared } from "./workerPool.ts";

export type { Floats };

/** Options of `compile`. */
export interface CompileOptions extends EngineOptions {
  /** Default `float32`. */
  precision?: Precision;
  /** A fixed number of rows. Calls with another number are errors. Default any number. */
  batch?: number;
  /** Names of parameters in the ONNX graph. Default: `parameter0`, `parameter1`, ... */
  parameterNames?: ReadonlyMap<Parameter, string>;
  /**
   * True to store the values of the parameters in the session when it is created, so that ONNX Runtime can optimize for them. By
   * default each call reads the current values.
   */
  embedParameters?: boolean;
}

const compileRules: OptionRules<CompileOptions> = {
  ...runRules,
  batch: { ...integerFrom(0), expected: "a number of rows" },
  parameterNames: {
    expected: "a Map from parameters to names",
    accepts: (value) => value instanceof Map,
  },
  embedParameters: trueOrFalse,
};

/** The result of a function that `compile` traces. */
export type Traced = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

type Arrays<T extends Traced> = T extends Tensor
  ? Floats
  : T extends readonly Tensor[]
    ? { [K in keyof T]: Floats }
    : { [K in keyof T]: Floats };

/** The shapes of the inputs: a list, or an object of shapes by name, in the order of the inputs. Sizes of 0 are not valid. */
export type InputShapes = readonly Shape[] | Readonly<Record<string, Shape>>;

/** Settings that depend on the traced graph. */
export interface AfterTracing {
  /** Returns inputs that were created while tracing. They follow the inputs of `shapes`. */
  inputs?(): readonly Tensor[];
  /** Chooses the fixed number of rows for a graph. */
  batch?(graph: Graph): number;
}

/** A compiled function: arrays in, typed arrays out, both in row-major order. */
export interface Compiled<T extends Traced> extends AsyncDisposable {
  /**
   * Computes the function. The inputs are copied, so the caller may change them while the call runs. Throws `ENGINE` if ONNX Runtime fails.
   */
  (...inputs: readonly ArrayLike<number>[]): Promise<Arrays<T>>;
  /**
   * Computes the function from and into the given arrays, without copies. Do not change them before the promise resolves. They must be
   * of type Float64Array in float64, and Float32Array in float32. Throws `ARGUMENT` for arrays of another type, and `SHAPE` for lengths
   * that do not match the shapes.
   */
  into(inputs: readonly Floats[], outputs: Readonly<Record<string, Floats>>): Promise<void>;
  /**
   * Prepares calls of `into` with the same arrays, and throws what it throws. Returns a function that computes with their current
   * content; after `release` it creates a new session.
   */
  bind(inputs: readonly Floats[], outputs: Readonly<Record<string, Floats>>): Promise<() => Promise<void>>;
  readonly graph: Graph;
  readonly options: CompileOptions;
  /**
   * The function as an ONNX file, with the current values of the parameters. Inputs have the names of their shapes (`input0`,
   * `input1`... for a list), and outputs the names in the result (`output` for one tensor, `output0`, `output1`... for a list).
   */
  bytes(): Uint8Array<ArrayBuffer>;
  /**
   * The ONNX file that sessions are created from. Its parameters are inputs unless they are embedded, and for onnxruntime-node
   * it has one more output (see `runInto`).
   */
  sessionFile(): Promise<Uint8Array<ArrayBuffer>>;
  /** Releases the session when running calls are done; a later call creates a new one. `await using` calls this too. */
  release(): Promise<void>;
}

/**
 * Traces `build` once over symbolic inputs of the given shapes, and returns a function over typed arrays.
 *
 *     const scores = compile((x) => grad(flow.logProb(x).sum(), [x])[0], { x: ["N", 2] });
 *
 * The first call creates the session; one session serves any number of rows N. Booleans are returned as 0 and 1. `afterTracing`
 * supplies settings that are known only when the function is traced.
 *
 * Throws `ARGUMENT` for invalid shapes or options, and if two inputs, parameters or outputs have the same name; `SHAPE` if the batch axis of an
 * input or output is not its first axis. A call throws `SHAPE` for inputs whose lengths do not match their shapes, and `ARGUMENT` for inputs
 * that are not arrays of numbers.
 */
export function compile<T extends Traced>(
  build: (...inputs: Tensor[]) => T,
  shapes: InputShapes,
  options: CompileOptions = {},
  afterTracing: AfterTracing = {},
): Compiled<T> {
  checkOptions("compile", options, compileRules);
  const tensors = symbolicInputs(shapes);
  const traced = build(...tensors);
  const single = traced instanceof Tensor;
  const record: Record<string, Tensor> = single
    ? { output: traced }
    : Array.isArray(traced)
      ? Object.fromEntries((traced as readonly Tensor[]).map((t, i) => [`output${i}`, t]))
      : (traced as Readonly<Record<string, Tensor>>);
  const floats = Object.fromEntries(
    Object.entries(record).map(([k, t]) => [k, t.type === "bool" ? t.toFloat() : t]),
  );
  const { embedParameters, precision, parameterNames } = options;
  const rewrite = (simplified: readonly Tensor[]) =>
    absorbTransposes(embedParameters ? absorbBiases(simplified) : simplified, options);
  const fixedParameters = embedParameters === true && precision !== "float64";
  const graph = buildGraph([...tensors, ...(afterTracing.inputs?.() ?? [])], floats, {
    parameterNames,
    fixedParameters,
    // In blocks, the gradient of weights divides the images into strips when the file is written, and so needs the number of rows.
    channelBlocks: mayHaveChannelBlocks(options) && Boolean(options.batch ?? afterTracing.batch),
    rewrite,
  });
  claimNames(new Names(), graph, { embedParameters: embedParameters === true });
  const batch = afterTracing.batch?.(graph) ?? options.batch;
  const optionsWithBatch = batch === undefined ? options : { ...options, batch };
  const executable = new Executable(graph, optionsWithBatch);

  const call = async (...inputs: readonly ArrayLike<number>[]): Promise<Arrays<T>> => {
    const outputs = await executable.run(inputs);
    return (single ? outputs.output : Array.isArray(traced) ? Object.values(outputs) : outputs) as Arrays<T>;
  };
  return Object.assign(call, {
    graph,
    options: optionsWithBatch,
    bytes: () => exportOnnx(graph, { precision, batch, embedParameters: true }),
    sessionFile: () => executable.sessionFile(),
    into: (inputs: readonly Floats[], outputs: Readonly<Record<string, Floats>>) =>
      executable.runInto(inputs, outputs),
    bind: (inputs: readonly Floats[], outputs: Readonly<Record<string, Floats>>) =>
      executable.bind(inputs, outputs),
    release: () => executable.release(),
    [Symbol.asyncDispose]: () => executable.release(),
  }) as Compiled<T>;
}

/** Creates the symbolic inputs. */
function symbolicInputs(shapes: InputShapes): Tensor[] {
  const named = Array.isArray(shapes)
    ? (shapes as readonly Shape[]).map((shape, i) => [`input${i}`, shape] as const)
    : isPlainObject(shapes)
      ? Object.entries(shapes as Readonly<Record<string, Shape>>)
      : [["", shapes as unknown as Shape] as const];
  for (const [, shape] of named) {
    if (Array.isArray(shape) && shape.every(isDimension) && !shape.includes(0)) continue;
    throw new PushforwardError("ARGUMENT", "invalid shapes of the inputs", {
      expected:
        'a list of shapes, such as [["N", 2], [3]], or an object of them by name, such as { x: ["N", 2] }',
      received: brief(shapes),
    });
  }
  return named.map(([name, shape]) => input(name, shape));
}

/** An array of the caller, and the tensor with which ONNX Runtime reads or writes it. */
interface BoundArray {
  readonly name: string;
  readonly array: Floats;
  /** The array itself, or a copy if it is in shared memory, which ONNX Runtime refuses. */
  readonly buffer: Floats;
  readonly tensor: OrtTensor;
}

function copyToBuffer({ array, buffer }: BoundArray): void {
  if (buffer !== array) buffer.set(array);
}

function copyFromBuffer({ array, buffer }: BoundArray): void {
  if (buffer !== array) array.set(buffer);
}

/** A graph with its session. */
class Executable {
  private session: Promise<InferenceSession> | undefined;
  private engine!: Engine;
  private sessionBytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
  private readonly precision: Precision;
  private readonly Type: FloatsConstructor;
  private readonly boundArrays = new Map<string, BoundArray>();
  private readonly runningCalls = new Set<Promise<unknown>>();
  private readonly graph: Graph;
  private readonly options: CompileOptions;

  constructor(graph: Graph, options: CompileOptions) {
    this.graph = graph;
    this.options = options;
    this.precision = options.precision ?? "float32";
    this.Type = floatsOf(this.precision);
  }

  async run(inputs: readonly ArrayLike<number>[]): Promise<Record<string, Floats>> {
    const arrays = inputs.map((values, i) => this.copy(values, this.graph.inputs[i]?.name ?? `input ${i}`));
    const batch = this.batchOf(arrays);
    const outputs = Object.fromEntries(
      this.graph.outputs.map(({ name, tensor }) => [name, new this.Type(sizeOf(tensor.shape, batch))]),
    );
    await this.runInto(arrays, outputs);
    return outputs;
  }

  async runInto(inputs: readonly Floats[], outputs: Readonly<Record<string, Floats>>): Promise<void> {
    const bindArrays = this.prepare(inputs, outputs);
    await this.withSession((session) => bindArrays()(session));
  }

  async bind(
    inputs: readonly Floats[],
    outputs: Readonly<Record<string, Floats>>,
  ): Promise<() => Promise<void>> {
    const run = await this.withSession(this.prepare(inputs, outputs));
    return () => this.withSession(run);
  }

  /** Passes the session to `use`. `release` waits until that is done. If the session cannot be created, the next call tries again. */
  private withSession<R>(use: (session: InferenceSession) => R | Promise<R>): Promise<R> {
    this.session ??= this.createSession();
    const { session } = this;
    const call = session
      .then(use, (error) => {
        // After `release`, this may be the session of a later call.
        if (this.session === session) this.session = undefined;
        throw error;
      })
      .finally(() => this.runningCalls.delete(call));
    this.runningCalls.add(call);
    return call;
  }

  /** Checks the arrays. Returns a function that binds them to tensors, which needs the engine, and returns the call. */
  private prepare(
    inputs: readonly Floats[],
    outputs: Readonly<Record<string, Floats>>,
  ): () => (session: InferenceSession) => Promise<void> {
    const { graph, options } = this;
    const batch = this.batchOf(inputs);
    for (const { name, tensor } of graph.outputs) {
      if (outputs[name]?.length === sizeOf(tensor.shape, batch)) continue;
      throw new PushforwardError("SHAPE", `the array for ${name} does not match its shape`, {
        expected: `${sizeOf(tensor.shape, batch)} numbers for ${formatShape(tensor.shape)}`,
        received: String(outputs[name]?.length ?? "none"),
      });
    }
    const wrong = [...inputs, ...Object.values(outputs)].find((array) => !(array instanceof this.Type));
    if (wrong) {
      throw new PushforwardError("ARGUMENT", "an array of a compiled function has the wrong type", {
        expected: this.Type.name,
        received: wrong.constructor.name,
      });
    }
    return () => {
      const boundInputs = graph.inputs.map(({ name, tensor }, i) =>
        this.bindArray(name, inputs[i], resolveShape(tensor.shape, batch)),
      );
      const boundOutputs = graph.outputs.map(({ name, tensor }) =>
        this.bindArray(name, outputs[name], resolveShape(tensor.shape, batch)),
      );
      const feeds = Object.fromEntries(boundInputs.map(({ name, tensor }) => [name, tensor]));
      const fetches = Object.fromEntries(boundOutputs.map(({ name, tensor }) => [name, tensor]));
      const parameters = options.embedParameters ? [] : graph.parameters;
      return async (session) => {
        boundInputs.forEach(copyToBuffer);
        for (const { name, tensor } of parameters) {
          const { numbers } = tensor;
          const values = numbers instanceof this.Type ? numbers : this.Type.from(numbers);
          const bound = this.bindArray(name, values, tensor.sizes);
          copyToBuffer(bound);
          feeds[name] = bound.tensor;
        }
        try {
          await runInto(session, feeds, fetches, this.engine.isNative);
        } catch (cause) {
          throw new PushforwardError("ENGINE", `ONNX Runtime failed: ${(cause as Error).message}`, { cause });
        }
        boundOutputs.forEach(copyFromBuffer);
      };
    };
  }

  async release(): Promise<void> {
    // Later calls create a new session.
    const released = this.session;
    this.session = undefined;
    await Promise.allSettled(this.runningCalls);
    this.boundArrays.clear();
    // A session that could not be created has nothing to release.
    const session = await released?.catch(() => undefined);
    await session?.release();
  }

  /** Keeps the bytes until the session is created, so that worker threads that create theirs at the same time share them. */
  sessionFile(): Promise<Uint8Array<ArrayBuffer>> {
    this.sessionBytes ??= this.writeSessionFile();
    return this.sessionBytes;
  }

  private async writeSessionFile(): Promise<Uint8Array<ArrayBuffer>> {
    const { graph, precision } = this;
    const { batch, embedParameters } = this.options;
    const { isNative } = await loadEngine(this.options);
    // A training step in the order of `schedule` takes 2 to 4% less time than in the order of `graph.nodes` with onnxruntime-node, but 15%
    // more in a page. So a page does not load this pass.
    const nodes = isNative ? (await loadSchedule())(graph) : graph.nodes;
    const barrier = isNative ? EMPTY_SEQUENCE_OUTPUT : undefined;
    return exportOnnx(
      { ...graph, nodes },
      { precision, batch, embedParameters, barrier, channelBlocks: isNative },
    );
  }

  private async createSession(): Promise<InferenceSession> {
    this.engine = await loadEngine(this.options);
    const devices = deviceProviders(this.options.providers);
    if (devices.length > 0) {
      const { requireDevices } = await loadDevices();
      await requireDevices(devices, this.precision, this.engine);
    }
    const bytes = await this.sessionFile();
    try {
      return await this.engine.InferenceSession.create(bytes, sessionOptions(this.options, this.graph));
    } catch (cause) {
      throw new PushforwardError("ENGINE", `ONNX Runtime refused the graph: ${(cause as Error).message}`, {
        cause,
      });
    } finally {
      this.sessionBytes = undefined;
    }
  }

  /** Reuses the tensor of the previous call if the array is the same. */
  private bindArray(name: string, array: Floats, dims: readonly number[]): BoundArray {
    const previous = this.boundArrays.get(name);
    if (previous?.array === array && previous.tensor.dims[0] === dims[0]) return previous;
    const buffer = isShared(array) ? new this.Type(array.length) : array;
    const tensor = new this.engine.Tensor(this.precision, buffer as Float32Array, [...dims]);
    const bound = { name, array, buffer, tensor };
    this.boundArrays.set(name, bound);
    return bound;
  }

  /** Copies an input into an array of this precision. */
  private copy(values: ArrayLike<number>, name: string): Floats {
    const typed = ArrayBuffer.isView(values) && (values.length === 0 || typeof values[0] === "number");
    const invalidIndex = Array.isArray(values) ? values.findIndex((value) => typeof value !== "number") : -1;
    if (invalidIndex >= 0 || !(typed || Array.isArray(values))) {
      throw new PushforwardError("ARGUMENT", `${name} is not an array of numbers`, {
        expected: "the numbers of all rows in one array",
        received:
          invalidIndex >= 0 ? `${brief(values[invalidIndex])} at index ${invalidIndex}` : brief(values),
      });
    }
    return this.Type.from(values);
  }

  /** Returns the number of rows of the first input with rows. Throws `SHAPE` if another input has a different number. */
  private batchOf(inputs: readonly ArrayLike<number>[]): number {
    const { graph } = this;
    if (inputs.length !== graph.inputs.length) {
      throw new PushforwardError("SHAPE", "wrong number of inputs for a compiled function", {
        expected: String(graph.inputs.length),
        received: String(inputs.length),
      });
    }
    const first = graph.inputs.findIndex(({ tensor }) => tensor.shape[0] === "N");
    const batch =
      first < 0 ? (this.options.batch ?? 1) : inputs[first].length / sizeOf(graph.inputs[first].tensor.shape);
    graph.inputs.forEach(({ name, tensor }, i) => {
      if (inputs[i].length !== sizeOf(tensor.shape, batch) || (i === first && !Number.isInteger(batch))) {
        throw new PushforwardError("SHAPE", `${name} does not match its shape`, {
          expected: `a number of values that fills ${formatShape(tensor.shape)}`,
          received: `${inputs[i].length} numbers`,
        });
      }
    });
    if (this.options.batch !== undefined && first >= 0 && batch !== this.options.batch) {
      throw new PushforwardError(
        "SHAPE",
        "wrong number of rows for a function that was compiled for a fixed batch",
        {
          expected: `${this.options.batch} rows`,
          received: `${batch}`,
        },
      );
    }
    return batch;
  }
}
