import type { Parameter } from "../graph/parameter.ts";
import { concat, constant, type Tensor } from "../graph/tensor.ts";
import { optimizerKernel } from "./optimizerKernel.ts";

/** What the kernel computes, at addresses in bytes: kernels/optimizer.ts. */
interface Kernel {
  adam(
    values: number,
    gradient: number,
    first: number,
    second: number,
    count: number,
    ...rest: number[]
  ): void;
  moveAverage(average: number, values: number, count: number, share: number): void;
  add(sum: number, part: number, count: number): void;
  squaredNorm(values: number, count: number): number;
}

/** A run of numbers that weight decay treats alike. */
export interface Run {
  readonly start: number;
  readonly count: number;
  /** True for the weights of networks. */
  readonly decays: boolean;
}

const PAGE = 65_536;

/** Tensors of more numbers than this travel alone; for smaller ones the journey would cost more than copying them. */
const LARGE = 4096;

/** Parameters that graphs read, and whose gradients they write, as one tensor. */
interface Parcel {
  readonly members: readonly {
    readonly parameter: Parameter;
    readonly start: number;
    readonly end: number;
  }[];
  readonly start: number;
  readonly end: number;
  /** The parameter's own shape if it travels alone, else [end - start]. */
  readonly shape: readonly number[];
}

/**
 * The trainable parameters of a model as views of one flat buffer, beside buffers of equal layout for their gradients and
 * for the optimizer's averages: all in the memory of the kernel that updates them. Every parameter starts at a multiple
 * of four numbers; what is between them stays 0.
 *
 * Each tensor that enters or leaves ONNX Runtime costs microseconds, so small parameters are packed into one.
 */
export class FlatParameters {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Moving average of the values. */
  readonly average: Float32Array;
  readonly runs: readonly Run[];
  readonly kernel: Kernel;
  readonly parcels: readonly Parcel[];
  private readonly part: Float32Array;

  constructor(parameters: ReadonlyMap<string, Parameter>) {
    const isLarge = ([, parameter]: [string, Parameter]) => parameter.value.length > LARGE;
    const small = [...parameters].filter((entry) => !isLarge(entry));
    const large = [...parameters].filter(isLarge);
    const ordered = [...small, ...large];
    let total = 0;
    const places = ordered.map(([name, parameter]) => {
      const start = total;
      const end = start + parameter.value.length;
      total = 4 * Math.ceil(end / 4);
      return { name, parameter, start, end };
    });
    const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((6 * 4 * total) / PAGE)) });
    const code = Uint8Array.from(atob(optimizerKernel), (c) => c.charCodeAt(0));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    this.kernel = instance.exports as unknown as Kernel;
    const buffer = (i: number) => new Float32Array(memory.buffer, 4 * i * total, total);
    [this.values, this.gradient, this.first, this.second, this.average, this.part] = [0, 1, 2, 3, 4, 5].map(
      buffer,
    );
    for (const { parameter, start, end } of places) {
      this.values.set(parameter.value, start);
      parameter.value = this.values.subarray(start, end);
    }
    this.average.set(this.values);
    this.runs = runsOf(places, total);
    const packed = places[small.length]?.start ?? total;
    this.parcels = [
      ...(small.length > 0
        ? [{ members: places.slice(0, small.length), start: 0, end: packed, shape: [packed] }]
        : []),
      ...places
        .slice(small.length)
        .map((place) => ({ members: [place], ...place, shape: place.parameter.sizes })),
    ];
  }

  /** Gives the parameters arrays of their own again, so that these buffers can go. */
  detach(): void {
    for (const { members } of this.parcels)
      for (const { parameter } of members) parameter.value = parameter.value.slice();
  }

  /** The parameters as parts of tensors that hold the parcels. */
  unpack(tensors: readonly Tensor[]): Map<Parameter, Tensor> {
    return new Map(
      this.parcels.flatMap(({ members, start: origin, shape }, i) =>
        members.map(({ parameter, start, end }): [Parameter, Tensor] => [
          parameter,
          shape === parameter.sizes
            ? tensors[i]
            : tensors[i].slice(0, start - origin, end - origin).reshape(parameter.shape),
        ]),
      ),
    );
  }

  /** Tensors of the parameters' shapes, such as their gradients, as parcels. */
  pack(tensors: ReadonlyMap<Parameter, Tensor>): Tensor[] {
    return this.parcels.map(({ members, end: last, shape }) => {
      if (shape === members[0].parameter.sizes) return tensors.get(members[0].parameter)!;
      const parts = members.flatMap(({ parameter, start, end }, i) => {
        const gap = (members[i + 1]?.start ?? last) - end;
        const flat = tensors.get(parameter)!.reshape([end - start]);
        return gap > 0 ? [flat, constant(new Array(gap).fill(0), [gap])] : [flat];
      });
      return concat(parts, 0);
    });
  }

  /** Adds to the gradient what another thread computed from its rows, in parcels. */
  addGradient(parcels: readonly ArrayLike<number>[]): void {
    this.parcels.forEach(({ start }, i) => {
      this.part.set(parcels[i], start);
    });
    this.kernel.add(this.gradient.byteOffset, this.part.byteOffset, this.gradient.length);
  }

  /** Euclidean norm of the gradient, for clipping. */
  gradientNorm(): number {
    return Math.sqrt(this.kernel.squaredNorm(this.gradient.byteOffset, this.gradient.length));
  }

  /** average <- decay average + (1 - decay) values */
  moveAverage(decay: number): void {
    this.kernel.moveAverage(this.average.byteOffset, this.values.byteOffset, this.values.length, 1 - decay);
  }
}

function runsOf(places: readonly { name: string; start: number }[], total: number): Run[] {
  const runs: { start: number; count: number; decays: boolean }[] = [];
  places.forEach(({ name, start }, i) => {
    const decays = name.endsWith(".weight");
    const count = (places[i + 1]?.start ?? total) - start;
    const last = runs.at(-1);
    if (last?.decays === decays) last.count += count;
    else runs.push({ start, count, decays });
  });
  return runs;
}
