import type { Parameter } from "../graph/parameter.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { type Call, Kernel } from "../runtime/kernel.ts";
import { optimizerKernel } from "./optimizerKernel.ts";

/** A run of numbers that weight decay treats alike. */
export interface Run {
  readonly start: number;
  readonly count: number;
  /** True for parameters that were made with `decay`. */
  readonly decays: boolean;
}

const PAGE = 65_536;

/** For each number of four bits a vector of four lanes: all ones where the bit is 1, else zeros. */
const VECTORS = Uint32Array.from({ length: 16 * 4 }, (_, i) => -(((i >> 2) >> (i & 3)) & 1));

/** Tensors of more numbers than this travel alone; for smaller ones the journey would cost more than copying them. */
const LARGE = 4096;

/** Fewer numbers than these are not worth a thread of their own. */
const LEAST_PART = 16_384;

/** Parameters lie by size, in each size by whether they decay, and small ones by the shape of their rows. */
const KINDS = [
  { large: false, decays: false },
  { large: false, decays: true },
  { large: true, decays: true },
  { large: true, decays: false },
];

/** Parameters that graphs read, and whose gradients they write, as one tensor: the rows of one below those of the other. */
interface Parcel {
  readonly members: readonly Place[];
  readonly start: number;
  readonly end: number;
  readonly shape: readonly number[];
}

/** Where a parameter is. */
interface Place {
  readonly parameter: Parameter;
  readonly start: number;
  readonly end: number;
}

/**
 * The trainable parameters of a model as views of one flat buffer, beside buffers of equal layout for their gradients and
 * for the optimizer's averages: all in the memory of the kernel that updates them, on several threads a part each.
 *
 * Each tensor that enters or leaves ONNX Runtime costs microseconds, so small parameters are packed, those whose rows have the
 * same shape together: as rows of one tensor they need not be reshaped. What the kernel goes over in one run starts at a
 * multiple of four numbers, and what is between two runs stays 0.
 */
export class FlatParameters {
  readonly values: Float32Array;
  /**
   * Where all threads read the values. Writing to memory that another core has read takes many times as long, so on several
   * threads it is a copy: each thread updates a part of the values that is its own, and then copies that.
   */
  readonly published: Float32Array;
  /** What each thread computes from its rows. */
  readonly parts: readonly Float32Array[];
  /** Their sum. */
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Moving average of the values. */
  readonly average: Float32Array;
  readonly runs: readonly Run[];
  readonly parcels: readonly Parcel[];
  /** Euclidean norm of the gradient, for clipping. */
  gradientNorm = 0;
  /** Sums of squares, of the part of each thread. */
  private readonly squares: Float64Array;
  /** For every four numbers, which of them a gradient has: bit k for number k. */
  private readonly visible: Uint8Array;
  /** `VECTORS`, where the kernel finds them. */
  private readonly vectors: Uint32Array;
  private masked = false;
  private readonly memory: WebAssembly.Memory;
  private kernel: Promise<Kernel> | undefined;

  /** `threads` compute gradients. */
  constructor(parameters: ReadonlyMap<string, Parameter>, threads = 1) {
    let total = 0;
    const groups = KINDS.map(({ large, decays }) => {
      const start = total;
      const together = new Map<string, Parameter[]>();
      for (const [name, parameter] of parameters) {
        if (parameter.numbers.length > LARGE !== large || parameter.decay !== decays) continue;
        const key = large ? name : String(rowsOf(parameter).slice(1));
        together.set(key, [...(together.get(key) ?? []), parameter]);
      }
      const parcels = [...together.values()].map((members) => {
        const parcel = parcelAt(total, members);
        total = large ? upToFour(parcel.end) : parcel.end;
        return parcel;
      });
      total = upToFour(total);
      return { decays, parcels, start, count: total - start };
    }).filter(({ parcels }) => parcels.length > 0);
    const shared = threads > 1;
    const arrays = shared ? 6 + threads : 5;
    const [vectorsAt, squaresAt] = [4 * arrays * total, 4 * arrays * total + 4 * VECTORS.length];
    const visibleAt = squaresAt + 8 * threads;
    const pages = Math.ceil((visibleAt + total / 4) / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, ...(shared && { maximum: pages, shared }) });
    const { buffer } = this.memory;
    const array = (i: number) => new Float32Array(buffer, 4 * i * total, total);
    [this.values, this.gradient, this.first, this.second, this.average] = [0, 1, 2, 3, 4].map(array);
    this.published = shared ? array(5) : this.values;
    this.parts = shared ? Array.from({ length: threads }, (_, thread) => array(6 + thread)) : [this.gradient];
    this.vectors = new Uint32Array(buffer, vectorsAt, VECTORS.length);
    this.vectors.set(VECTORS);
    this.squares = new Float64Array(buffer, squaresAt, threads);
    this.visible = new Uint8Array(buffer, visibleAt, total / 4).fill(0b1111);
    this.parcels = groups.flatMap(({ parcels }) => parcels);
    for (const { parameter, start, end } of this.parcels.flatMap(({ members }) => members)) {
      this.values.set(parameter.numbers, start);
      parameter.value = this.values.subarray(start, end);
    }
    this.assign(this.values);
    this.average.set(this.values);
    this.runs = groups.map(({ start, count, decays }) => ({ start, count, decays }));
  }

  /** Gives the parameters these values. */
  assign(values: Float32Array): void {
    this.values.set(values);
    this.published.set(values);
  }

  /** Gives the parameters arrays of their own again, so that these buffers can go. */
  detach(): void {
    for (const { members } of this.parcels)
      for (const { parameter } of members) parameter.take(Float32Array.from(parameter.numbers));
  }

  /** The parameters as parts of tensors that hold the parcels. */
  unpack(tensors: readonly Tensor[]): Map<Parameter, Tensor> {
    return new Map(
      this.parcels.flatMap(({ members }, i) => {
        const parts = tensors[i].split(
          0,
          members.map(({ parameter }) => rowsOf(parameter)[0]),
        );
        return members.map(({ parameter }, k): [Parameter, Tensor] => [
          parameter,
          parts[k].reshape(parameter.shape),
        ]);
      }),
    );
  }

  /** Tensors of the parameters' shapes, such as their gradients, as parcels. */
  pack(tensors: ReadonlyMap<Parameter, Tensor>): Tensor[] {
    return this.parcels.map(({ members }) =>
      concat(
        members.map(({ parameter }) => tensors.get(parameter)!.reshape(rowsOf(parameter))),
        0,
      ),
    );
  }

  /** Makes the gradient of a parameter 0 where a mask of zeros and ones is, whatever the threads compute there. */
  hide(parameter: Parameter, mask: readonly number[]): void {
    const { start } = this.parcels
      .flatMap(({ members }) => members)
      .find((each) => each.parameter === parameter)!;
    mask.forEach((visible, i) => {
      if (visible === 0) this.visible[(start + i) >> 2] &= ~(1 << ((start + i) & 3));
    });
    this.masked = true;
  }

  /** Adds up what the first `count` threads have computed, in their order, and measures the sum. */
  async sumGradients(count: number): Promise<void> {
    const stride = 4 * this.values.length;
    await this.compute((start, size, thread) => {
      const [total, first] = [this.gradient, this.parts[0]].map((array) => array.byteOffset + 4 * start);
      const mask = this.masked ? this.visible.byteOffset + start / 4 : 0;
      const squares = this.squares.byteOffset + 8 * thread;
      return [["sum", total, first, stride, count, size, squares, mask, this.vectors.byteOffset]];
    });
    this.gradientNorm = Math.sqrt(this.squares.reduce((sum, square) => sum + square, 0));
  }

  /** Lets the threads make calls of the kernel, each for its part of the numbers. */
  async compute(calls: (start: number, count: number, thread: number) => readonly Call[]): Promise<void> {
    const total = this.values.length;
    this.kernel ??= this.start();
    const kernel = await this.kernel;
    const part = upToFour(Math.ceil(total / kernel.size));
    const parts = Array.from({ length: kernel.size }, (_, thread) => {
      const start = Math.min(total, thread * part);
      return calls(start, Math.min(total - start, part), thread);
    });
    await kernel.run(parts);
  }

  private start(): Promise<Kernel> {
    const threads = this.parts.length;
    const code = Uint8Array.from(atob(optimizerKernel[threads > 1 ? "shared" : "alone"]), (c) =>
      c.charCodeAt(0),
    );
    const useful = Math.max(1, Math.floor(this.values.length / LEAST_PART));
    return Kernel.of(code, this.memory, Math.min(threads, useful));
  }
}

/** The shape of a parameter as rows: a scalar is one. */
const rowsOf = ({ sizes }: Parameter): readonly number[] => (sizes.length > 0 ? sizes : [1]);

/** Parameters whose rows have one shape, one after the other from `start` on. */
function parcelAt(start: number, parameters: readonly Parameter[]): Parcel {
  let end = start;
  const members = parameters.map((parameter): Place => {
    const place = { parameter, start: end, end: end + parameter.numbers.length };
    end = place.end;
    return place;
  });
  const rows = parameters.reduce((sum, parameter) => sum + rowsOf(parameter)[0], 0);
  return { members, start, end, shape: [rows, ...rowsOf(parameters[0]).slice(1)] };
}

const upToFour = (count: number): number => 4 * Math.ceil(count / 4);
