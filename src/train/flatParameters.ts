import type { Parameter } from "../graph/parameter.ts";
import { sizeOf } from "../graph/shape.ts";
import { optimizerKernel } from "./optimizerKernel.ts";

/** What the kernel computes, at addresses in bytes: kernels/optimizer.ts. */
interface Kernel {
  adam(values: number, gradient: number, first: number, second: number, count: number, ...rest: number[]): void;
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

/**
 * The trainable parameters of a model as views of one flat buffer, beside buffers of equal layout for their gradients and
 * for the optimizer's averages: all in the memory of the kernel that updates them. Every parameter starts at a multiple
 * of four numbers; what is between them stays 0.
 */
export class FlatParameters {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Moving average of the values. */
  readonly average: Float32Array;
  readonly runs: readonly Run[];
  /** Views of `gradient`, by the parameters' names. */
  readonly gradientViews: Readonly<Record<string, Float32Array>>;
  readonly kernel: Kernel;
  private readonly part: Float32Array;
  private readonly parameters: readonly Parameter[];
  private readonly partViews: Readonly<Record<string, Float32Array>>;

  constructor(parameters: ReadonlyMap<string, Parameter>) {
    const places: { name: string; parameter: Parameter; start: number; end: number }[] = [];
    let total = 0;
    for (const [name, parameter] of parameters) {
      const start = total;
      const end = start + sizeOf(parameter.shape);
      total = 4 * Math.ceil(end / 4);
      places.push({ name, parameter, start, end });
    }
    const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((6 * 4 * total) / PAGE)) });
    const code = Uint8Array.from(atob(optimizerKernel), (c) => c.charCodeAt(0));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    this.kernel = instance.exports as unknown as Kernel;
    const buffer = (i: number) => new Float32Array(memory.buffer, 4 * i * total, total);
    [this.values, this.gradient, this.first, this.second, this.average, this.part] = [0, 1, 2, 3, 4, 5].map(buffer);
    const views = (flat: Float32Array) =>
      Object.fromEntries(places.map(({ name, start, end }) => [name, flat.subarray(start, end)]));
    this.gradientViews = views(this.gradient);
    this.partViews = views(this.part);
    for (const { parameter, start, end } of places) {
      this.values.set(parameter.value, start);
      parameter.value = this.values.subarray(start, end);
    }
    this.average.set(this.values);
    this.parameters = [...parameters.values()];
    this.runs = runsOf(places);
  }

  /** Gives the parameters arrays of their own again, so that these buffers can go. */
  detach(): void {
    for (const parameter of this.parameters) parameter.value = parameter.value.slice();
  }

  /** Adds to the gradient what another thread computed from its rows. */
  addGradient(part: Readonly<Record<string, ArrayLike<number>>>): void {
    for (const [name, view] of Object.entries(this.partViews)) view.set(part[`gradient/${name}`]);
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

function runsOf(places: readonly { name: string; start: number; end: number }[]): Run[] {
  const runs: { start: number; count: number; decays: boolean }[] = [];
  for (const { name, start, end } of places) {
    const decays = name.endsWith(".weight");
    const last = runs.at(-1);
    const count = 4 * Math.ceil((end - start) / 4);
    if (last?.decays === decays) last.count += count;
    else runs.push({ start, count, decays });
  }
  return runs;
}
