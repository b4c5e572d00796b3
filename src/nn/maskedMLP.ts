import { scoped } from "../graph/scope.ts";
import { concat, constant, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { activate } from "./activation.ts";
import { Linear } from "./linear.ts";
import { hiddenSizes, type NetworkDescription, throughLayers } from "./mlp.ts";

/** What a masked network is conditioned on: the degree of each input and of each output, and the number of context features. */
export interface Autoregression {
  /** Position of each input feature in the ordering, counted from 1. */
  readonly inputDegrees: readonly number[];
  /** Output j sees inputs of degree below `outputDegrees[j]`. */
  readonly outputDegrees: readonly number[];
  readonly context: number;
}

/**
 * MADE's network (Germain et al. 2015): hidden units carry degrees, and a weight from degree a to degree b stands only
 * where a <= b (a < b into the outputs), so that output j is a function of the inputs before it in the ordering.
 *
 * Hidden units are sorted by degree. That changes nothing but their names, and makes what a unit needs a prefix of the
 * layer before it: `Incremental` computes each unit once, when its last input is known.
 * Context has degree 0: every output sees it.
 */
export class MaskedMLP {
  readonly layers: readonly Linear[];
  readonly options: NetworkDescription;
  /** Degrees of the units of each layer, inputs (then context) first, outputs last. */
  private readonly degrees: readonly (readonly number[])[];

  constructor(autoregression: Autoregression, options: NetworkDescription, random: Random) {
    const { inputDegrees, outputDegrees, context } = autoregression;
    const features = inputDegrees.length;
    // A single feature without context depends on nothing: its parameters are biases.
    const sizes = features === 1 && context === 0 ? [] : hiddenSizes(options);
    const hidden = sizes.map((size) => hiddenDegrees(size, features, context));
    this.options = options;
    this.degrees = [[...inputDegrees, ...new Array(context).fill(0)], ...hidden, outputDegrees];
    this.layers = this.degrees
      .slice(1)
      .map(
        (units, i) =>
          new Linear(this.degrees[i].length, units.length, random.split(i), { zero: i === hidden.length }),
      );
  }

  /** [N, inputs], [N, context] -> [N, outputs]. */
  apply(x: Tensor, context?: Tensor): Tensor {
    const input = context ? concat([x, context], 1) : x;
    return throughLayers(this.options, this.layers.length, input, (i, h) =>
      scoped(`layers.${i}`, () => h.affine(this.layers[i].weight.mul(this.mask(i)), this.layers[i].bias)),
    );
  }

  /** The same network, fed one input at a time in the order of their degrees. */
  incremental(context?: Tensor): Incremental {
    return new Incremental(this.layers, this.degrees, this.options, context);
  }

  /** 1 where layer i has a weight, 0 elsewhere: [before, after]. */
  private mask(i: number): Tensor {
    const before = this.degrees[i];
    const after = this.degrees[i + 1];
    const intoOutputs = i === this.layers.length - 1;
    const values = before.flatMap((a) => after.map((b) => ((intoOutputs ? a < b : a <= b) ? 1 : 0)));
    return constant(values, [before.length, after.length]);
  }
}

/**
 * Sorted degrees 1 to D - 1 (from 0 where units that see the context alone are of use): in equal shares, or where there
 * are fewer units than degrees, spread from the lowest to the highest.
 */
function hiddenDegrees(size: number, features: number, context: number): number[] {
  const lowest = context > 0 ? 0 : 1;
  const count = features - lowest;
  const place = (unit: number) =>
    size < count ? (unit * (count - 1)) / Math.max(1, size - 1) : (unit * count) / size;
  return Array.from({ length: size }, (_, unit) => lowest + Math.floor(place(unit)));
}

/** Columns of one layer that are known so far, in order of degree. */
interface Known {
  readonly parts: Tensor[];
}

/**
 * A masked network evaluated degree by degree: `feed` takes the next input and computes just the units that waited for
 * it; `outputs` gives output columns whose inputs are all known. Over all degrees it does the work of one pass.
 */
export class Incremental {
  private readonly layers: readonly Linear[];
  private readonly degrees: readonly (readonly number[])[];
  private readonly options: NetworkDescription;
  private readonly context: Tensor | undefined;
  private readonly inputs: { readonly degree: number; readonly value: Tensor }[] = [];
  /** Values before the activation, and after, of each hidden layer. */
  private readonly values: Known[];
  private readonly activated: Known[];

  constructor(
    layers: readonly Linear[],
    degrees: readonly (readonly number[])[],
    options: NetworkDescription,
    context: Tensor | undefined,
  ) {
    this.layers = layers;
    this.degrees = degrees;
    this.options = options;
    this.context = context;
    this.values = layers.slice(1).map(() => ({ parts: [] }));
    this.activated = layers.slice(1).map(() => ({ parts: [] }));
    this.advance(0);
  }

  /** Takes the input of the given degree, a column [N, 1]; degrees come in order. */
  feed(degree: number, value: Tensor): void {
    this.inputs.push({ degree, value });
    this.advance(degree);
  }

  /** Output columns, [N, columns.length] or, where they depend on nothing, [columns.length]. */
  outputs(columns: readonly number[]): Tensor {
    const last = this.layers.length - 1;
    const bias = this.layers[last].bias.gather(0, columns);
    const known = last === 0 ? this.inputColumns() : joined(this.activated[last - 1]);
    if (!known) return bias;
    const weight = this.layers[last].weight.gather(0, known.rows).gather(1, columns);
    return known.value.affine(weight, bias);
  }

  private advance(degree: number): void {
    for (let i = 0; i < this.layers.length - 1; i++) {
      const units = this.degrees[i + 1];
      const start = units.indexOf(degree);
      if (start < 0) continue;
      const end = units.lastIndexOf(degree) + 1;
      const before = i === 0 ? this.inputColumns() : joined(this.activated[i - 1]);
      const bias = this.layers[i].bias.slice(0, start, end);
      let value = bias;
      if (before) {
        const weight = this.layers[i].weight.slice(1, start, end).gather(0, before.rows);
        value = before.value.affine(weight, bias);
      }
      // The second layer of a residual block adds to what went into the block.
      const closesBlock = this.options.residual && i > 0 && i % 2 === 0;
      if (closesBlock) value = value.add(this.values[i - 2].parts.at(-1)!);
      const rows = value.rank === 1 ? value.reshape([1, end - start]) : value;
      this.values[i].parts.push(rows);
      this.activated[i].parts.push(activate(this.options.activation, rows));
    }
  }

  /** Known inputs and the context, with the rows of the first layer's weight that belong to them. */
  private inputColumns(): { value: Tensor; rows: number[] } | undefined {
    const features = this.degrees[0].length - (this.context ? (this.context.shape[1] as number) : 0);
    const rows = this.inputs.map(({ degree }) => this.degrees[0].indexOf(degree));
    const parts = this.inputs.map(({ value }) => value);
    if (this.context) {
      rows.push(...Array.from({ length: this.context.shape[1] as number }, (_, i) => features + i));
      parts.push(this.context);
    }
    return parts.length === 0 ? undefined : { value: concat(parts, 1), rows };
  }
}

function joined({ parts }: Known): { value: Tensor; rows: number[] } | undefined {
  if (parts.length === 0) return undefined;
  // Units without any input are one row for the whole batch; beside batched ones they are copied.
  const batched = parts.some((part) => part.shape[0] === "N");
  const rows = batched ? parts.map((part) => part.broadcastTo(["N", part.shape[1]])) : parts;
  const size = rows.reduce((total, part) => total + (part.shape[1] as number), 0);
  return { value: concat(rows, 1), rows: Array.from({ length: size }, (_, i) => i) };
}
