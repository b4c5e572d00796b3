import { scoped } from "../graph/scope.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import { Incremental } from "./incremental.ts";
import { MaskedLinear } from "./maskedLinear.ts";
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
 * layer before it: `MaskedLinear` leaves out most of what the mask forbids, and `Incremental` computes each unit once, when
 * its last input is known. Context has degree 0: every output sees it.
 */
export class MaskedMLP {
  readonly layers: readonly MaskedLinear[];
  readonly options: NetworkDescription;
  private readonly bounds: readonly number[];

  constructor(autoregression: Autoregression, options: NetworkDescription, random: Random) {
    const { inputDegrees, outputDegrees, context } = autoregression;
    const features = inputDegrees.length;
    // A single feature without context depends on nothing: its parameters are biases.
    const sizes = features === 1 && context === 0 ? [] : hiddenSizes(options);
    const hidden = sizes.map((size) => hiddenDegrees(size, features, context));
    const reach = [...hidden, outputDegrees.map((degree) => degree - 1)];
    const degrees = [[...inputDegrees, ...new Array(context).fill(0)], ...hidden];
    this.options = options;
    this.bounds = groupBounds(hidden);
    this.layers = degrees.map((before, i) => {
      // The first layer is thin: cutting it would cost more than it saves.
      const bounds = i === 0 ? [Number.POSITIVE_INFINITY] : this.bounds;
      return new MaskedLinear(before, reach[i], bounds, random.split(i), { zero: i === hidden.length });
    });
  }

  /** [N, inputs], [N, context] -> [N, outputs]. */
  apply(x: Tensor, context?: Tensor): Tensor {
    const input = context ? concat([x, context], 1) : x;
    return throughLayers(this.options, this.layers.length, input, (i, h) =>
      scoped(`layers.${i}`, () => this.layers[i].apply(h)),
    );
  }

  /** The same network, fed one input at a time in the order of their degrees. */
  incremental(context?: Tensor): Incremental {
    return new Incremental(this.layers, this.bounds, this.options, context);
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

/** Narrower products run slower than what leaving out more of the zeros saves; so do more than four of them. */
const GROUP_UNITS = 128;
const MOST_GROUPS = 4;

/** Cuts the degrees into groups of equal shares of the widest layer: the highest degree of each, the last one Infinity. */
function groupBounds(hidden: readonly (readonly number[])[]): number[] {
  const widest = hidden.reduce((a, b) => (b.length > a.length ? b : a), []);
  const count = Math.min(MOST_GROUPS, Math.floor(widest.length / GROUP_UNITS));
  const inner = Array.from(
    { length: Math.max(0, count - 1) },
    (_, g) => widest[Math.floor(((g + 1) * widest.length) / count) - 1],
  );
  const distinct = [...new Set(inner)].filter((degree) => degree < widest[widest.length - 1]);
  return [...distinct, Number.POSITIVE_INFINITY];
}
