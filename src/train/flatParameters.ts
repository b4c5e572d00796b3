import { PushforwardError } from "../check/index.ts";
import { SINGLE_PROCESS } from "../communicator/index.ts";
import { concat, type Parameter, type Tensor } from "../graph/index.ts";
import { type KernelCall, ParallelKernel } from "../runtime/index.ts";
import { optimizerKernel } from "./optimizerKernel.ts";

/** A range of the flat buffer, from `start` on, in which weight decay applies to all numbers or to none. */
export interface ParameterGroup {
  readonly start: number;
  readonly count: number;
  /** Whether weight decay applies: true for parameters that were created with `decay`. */
  readonly decays: boolean;
}

const WASM_PAGE_BYTES = 65_536;
/** WebAssembly with addresses of 32 bits has 4 GiB of memory at most. */
const MAX_WASM_PAGES = 65_536;

/** For each 4-bit mask, a vector of four 32-bit lanes: lane k has all bits set if bit k is set, and is 0 if not. */
const LANE_MASKS = Uint32Array.from({ length: 16 * 4 }, (_, i) => -(((i >> 2) >> (i & 3)) & 1));

/**
 * Parameters with more numbers than this are separate inputs and outputs of the graph. Smaller ones are packed into one tensor,
 * since the overhead of an additional tensor is larger than the cost of copying so few numbers.
 */
const MAX_PACKED_SIZE = 4096;

/** With fewer numbers than this, waking a thread takes longer than the work that it would do. */
const MIN_NUMBERS_PER_THREAD = 16_384;

/** The order of the parameters in the buffer. Within a group, packed parameters are ordered by the shape of their rows. */
const GROUP_ORDER = [
  { large: false, decays: false },
  { large: false, decays: true },
  { large: true, decays: true },
  { large: true, decays: false },
];

/** One or several parameters that a graph reads, and whose gradients it writes, as one tensor: their rows, concatenated. */
interface ParameterBlock {
  readonly entries: readonly PackedParameter[];
  readonly start: number;
  readonly end: number;
  readonly shape: readonly number[];
}

/** A parameter and its range in the flat buffer. */
interface PackedParameter {
  readonly parameter: Parameter;
  readonly start: number;
  readonly end: number;
}

/**
 * The trainable parameters of a model as views of one flat buffer. Buffers with the same layout hold the gradients, the
 * optimizer's moments and the moving average. All of them lie in the memory of the WebAssembly kernel that updates them.
 * With several threads, each thread updates one part of the buffers.
 *
 * Each input and output tensor costs ONNX Runtime microseconds, so small parameters are packed into blocks. The parameters of a
 * block have rows of the same shape, so that packing needs no reshape. Groups start at a multiple of four
 * numbers, because the kernel processes four at a time; the padding between them stays 0.
 */
export class FlatParameters {
  readonly values: Float32Array;
  /**
   * The values that the threads read while they compute gradients. With several threads this is a copy: a core
   * writes several times slower to memory that another core has read, so each thread updates its part of
   * `values`, which no other thread reads, and then copies the result to here.
   */
  readonly sharedValues: Float32Array;
  /** The gradient that each thread computes from its shard of the batch. */
  readonly threadGradients: readonly Float32Array[];
  /** The sum of `threadGradients`. */
  readonly gradient: Float32Array;
  /** The optimizer's moving averages of the gradient and of its square. */
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Exponential moving average of the values. */
  readonly average: Float32Array;
  readonly groups: readonly ParameterGroup[];
  readonly blocks: readonly ParameterBlock[];
  /** Euclidean norm of `gradient`, for clipping. */
  gradientNorm = 0;
  /** The sum of the gradients of earlier micro-batches of a batch; undefined if no batch was divided. */
  private accumulated: Float32Array | undefined;
  /** For each thread the sum of squares of the gradient over its part of the buffer. */
  private readonly squares: Float64Array;
  /** One byte for every four numbers. Where bit k is 0, the gradient of number k is set to 0. */
  private readonly gradientMask: Uint8Array;
  /** A copy of `LANE_MASKS` in the memory of the kernel. */
  private readonly laneMasks: Uint32Array;
  private hasGradientMask = false;
  private readonly memory: WebAssembly.Memory;
  private kernel: Promise<ParallelKernel> | undefined;

  /**
   * Moves the parameters into the flat buffer. `maxThreads` is the largest number of threads that compute gradients. There are fewer if
   * the memory is too small for their gradients.
   *
   * @throws ARGUMENT if the memory is too small for one thread.
   */
  constructor(parameters: ReadonlyMap<string, Parameter>, maxThreads = 1) {
    let total = 0;
    const groups = GROUP_ORDER.map(({ large, decays }) => {
      const start = total;
      const parametersByRowShape = new Map<string, Parameter[]>();
      for (const [name, parameter] of parameters) {
        if (parameter.numbers.length > MAX_PACKED_SIZE !== large || parameter.decay !== decays) continue;
        const key = large ? name : String(rowShapeOf(parameter).slice(1));
        parametersByRowShape.set(key, [...(parametersByRowShape.get(key) ?? []), parameter]);
      }
      const blocks = [...parametersByRowShape.values()].map((entries) => {
        const block = blockAt(total, entries);
        total = large ? roundUpToFour(block.end) : block.end;
        return block;
      });
      total = roundUpToFour(total);
      return { decays, blocks, start, count: total - start };
    }).filter(({ blocks }) => blocks.length > 0);
    const threads = threadsInMemory(total, maxThreads);
    const multiThreaded = threads > 1;
    const { laneMasksOffset, squaresOffset, gradientMaskOffset, pages } = memoryLayout(total, threads);
    this.memory = new WebAssembly.Memory({
      initial: pages,
      ...(multiThreaded && { maximum: pages, shared: multiThreaded }),
    });
    const { buffer } = this.memory;
    const array = (i: number) => new Float32Array(buffer, 4 * i * total, total);
    [this.values, this.gradient, this.firstMoment, this.secondMoment, this.average] = [0, 1, 2, 3, 4].map(
      array,
    );
    this.sharedValues = multiThreaded ? array(5) : this.values;
    this.threadGradients = multiThreaded
      ? Array.from({ length: threads }, (_, thread) => array(6 + thread))
      : [this.gradient];
    this.laneMasks = new Uint32Array(buffer, laneMasksOffset, LANE_MASKS.length);
    this.laneMasks.set(LANE_MASKS);
    this.squares = new Float64Array(buffer, squaresOffset, threads);
    this.gradientMask = new Uint8Array(buffer, gradientMaskOffset, total / 4).fill(0b1111);
    this.blocks = groups.flatMap(({ blocks }) => blocks);
    for (const { parameter, start, end } of this.blocks.flatMap(({ entries }) => entries)) {
      this.values.set(parameter.numbers, start);
      parameter.value = this.values.subarray(start, end);
    }
    this.assign(this.values);
    this.average.set(this.values);
    this.groups = groups.map(({ start, count, decays }) => ({ start, count, decays }));
  }

  /** Sets the parameters to `values`. */
  assign(values: Float32Array): void {
    this.values.set(values);
    this.sharedValues.set(values);
  }

  /** Copies the parameters out of the flat buffer into separate arrays, so that the buffers can be freed. */
  detach(): void {
    for (const { entries } of this.blocks)
      for (const { parameter } of entries) parameter.take(Float32Array.from(parameter.numbers));
  }

  /** Copies the parameters as `detach` does, and releases the worker threads of the kernel. */
  async release(): Promise<void> {
    this.detach();
    const kernel = await this.kernel?.catch(() => undefined);
    await kernel?.release();
  }

  /** Each parameter as a slice of the tensor of its block. */
  unpack(tensors: readonly Tensor[]): Map<Parameter, Tensor> {
    return new Map(
      this.blocks.flatMap(({ entries }, i) => {
        const parts = tensors[i].split(
          0,
          entries.map(({ parameter }) => rowShapeOf(parameter)[0]),
        );
        return entries.map(({ parameter }, k): [Parameter, Tensor] => [
          parameter,
          parts[k].reshape(parameter.shape),
        ]);
      }),
    );
  }

  /** One tensor for each block, concatenated from one tensor for each parameter, such as its gradient. */
  pack(tensors: ReadonlyMap<Parameter, Tensor>): Tensor[] {
    return this.blocks.map(({ entries }) =>
      concat(
        entries.map(({ parameter }) => tensors.get(parameter)!.reshape(rowShapeOf(parameter))),
        0,
      ),
    );
  }

  /** Sets the gradient of a parameter to 0 wherever `mask` is 0, from the next `sumGradients` on. */
  maskGradient(parameter: Parameter, mask: readonly number[]): void {
    const start = this.startOf(parameter);
    mask.forEach((value, i) => {
      if (value === 0) this.gradientMask[(start + i) >> 2] &= ~(1 << ((start + i) & 3));
    });
    this.hasGradientMask = true;
  }

  /** Whether `maskGradient` keeps the gradient of a parameter at 0 wherever `mask` is 0. */
  hasMaskedGradient(parameter: Parameter, mask: readonly number[]): boolean {
    const start = this.startOf(parameter);
    return mask.every(
      (value, i) => value !== 0 || (this.gradientMask[(start + i) >> 2] & (1 << ((start + i) & 3))) === 0,
    );
  }

  private startOf(parameter: Parameter): number {
    return this.blocks.flatMap(({ entries }) => entries).find((entry) => entry.parameter === parameter)!
      .start;
  }

  /** Stores the sum of the gradients of the first `count` threads. The next `sumGradients` adds it to the gradients of the last micro-batch. */
  accumulateGradients(count: number): void {
    this.accumulated ??= new Float32Array(this.values.length);
    for (const gradient of this.threadGradients.slice(0, count)) addNumbers(this.accumulated, gradient);
  }

  /**
   * Sums the gradients of the first `count` threads, in the order of the threads, then those of all processes, and computes the norm of
   * the sum.
   */
  async sumGradients(count: number, communicator = SINGLE_PROCESS): Promise<void> {
    if (this.accumulated) {
      addNumbers(this.threadGradients[0], this.accumulated);
      this.accumulated.fill(0);
    }
    if (count === 0) this.gradient.fill(0);
    else await this.addGradients(this.threadGradients[0], count);
    if (communicator.size === 1) return;
    await communicator.sum(this.gradient);
    await this.addGradients(this.gradient, 1);
  }

  /** Sets `gradient` to the sum of `count` gradients, which follow one another in memory, and computes its norm. */
  private async addGradients(firstGradient: Float32Array, count: number): Promise<void> {
    const stride = 4 * this.values.length;
    await this.runKernel((start, size, thread) => {
      const [total, first] = [this.gradient, firstGradient].map((array) => array.byteOffset + 4 * start);
      const mask = this.hasGradientMask ? this.gradientMask.byteOffset + start / 4 : 0;
      const squares = this.squares.byteOffset + 8 * thread;
      return [["sum", total, first, stride, count, size, squares, mask, this.laneMasks.byteOffset]];
    });
    this.gradientNorm = Math.sqrt(this.squares.reduce((sum, square) => sum + square, 0));
  }

  /** Runs kernel functions on all threads. `calls` returns the calls of one thread for its part of the buffers. */
  async runKernel(
    calls: (start: number, count: number, thread: number) => readonly KernelCall[],
  ): Promise<void> {
    const total = this.values.length;
    this.kernel ??= this.startKernel();
    const kernel = await this.kernel;
    const numbersPerThread = roundUpToFour(Math.ceil(total / kernel.threadCount));
    const callsByThread = Array.from({ length: kernel.threadCount }, (_, thread) => {
      const start = Math.min(total, thread * numbersPerThread);
      return calls(start, Math.min(total - start, numbersPerThread), thread);
    });
    await kernel.run(callsByThread);
  }

  private startKernel(): Promise<ParallelKernel> {
    const threads = this.threadGradients.length;
    const base64 = threads > 1 ? optimizerKernel.sharedMemory : optimizerKernel.unsharedMemory;
    const code = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const maxUsefulThreads = Math.max(1, Math.floor(this.values.length / MIN_NUMBERS_PER_THREAD));
    return ParallelKernel.create(code, this.memory, Math.min(threads, maxUsefulThreads));
  }
}

/** Where the buffers for `total` numbers lie in the memory, in bytes. The arrays of numbers come first, one after the other. */
function memoryLayout(total: number, threads: number) {
  const arrayCount = threads > 1 ? 6 + threads : 5;
  const laneMasksOffset = 4 * arrayCount * total;
  const squaresOffset = laneMasksOffset + 4 * LANE_MASKS.length;
  const gradientMaskOffset = squaresOffset + 8 * threads;
  const pages = Math.ceil((gradientMaskOffset + total / 4) / WASM_PAGE_BYTES);
  return { laneMasksOffset, squaresOffset, gradientMaskOffset, pages };
}

/**
 * The largest number of threads, up to `maxThreads`, whose buffers for `total` numbers fit in the memory.
 *
 * @throws ARGUMENT if the buffers do not fit even with a single thread.
 */
export function threadsInMemory(total: number, maxThreads: number): number {
  for (let threads = maxThreads; threads > 0; threads--)
    if (memoryLayout(total, threads).pages <= MAX_WASM_PAGES) return threads;
  throw new PushforwardError("ARGUMENT", "the model has too many trainable parameters", {
    expected: "at most 212 million numbers, whose gradients, moments and averages fit in 4 GiB",
    received: `${total}`,
    hint: "Choose narrower layers, or fewer of them.",
  });
}

function addNumbers(target: Float32Array, numbers: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] += numbers[i];
}

/** The shape of a parameter, whose first axis counts its rows. A scalar is one row. */
const rowShapeOf = ({ sizes }: Parameter): readonly number[] => (sizes.length > 0 ? sizes : [1]);

/** Lays out parameters, whose rows have the same shape, one after the other from offset `start` on. */
function blockAt(start: number, parameters: readonly Parameter[]): ParameterBlock {
  let end = start;
  const entries = parameters.map((parameter): PackedParameter => {
    const entry = { parameter, start: end, end: end + parameter.numbers.length };
    end = entry.end;
    return entry;
  });
  const rows = parameters.reduce((sum, parameter) => sum + rowShapeOf(parameter)[0], 0);
  return { entries, start, end, shape: [rows, ...rowShapeOf(parameters[0]).slice(1)] };
}

const roundUpToFour = (count: number): number => 4 * Math.ceil(count / 4);
