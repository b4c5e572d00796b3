import { concat, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import type { Random } from "../random/index.ts";
import { requireNumbers } from "../sizeBudget.ts";
import { Incremental } from "./incremental.ts";
import { LANES } from "./linear.ts";
import { MaskedLinear } from "./maskedLinear.ts";
import { hiddenSizes, type NetworkDescription, throughLayers } from "./mlp.ts";

/** What a masked network is conditioned on: the degree of each input and of each output, and the number of context features. */
export interface Autoregression {
  /** Position of each input feature in the ordering, counted from 1; several inputs may share one. */
  readonly inputDegrees: readonly number[];
  /** Output j sees inputs of degree below `outputDegrees[j]`. */
  readonly outputDegrees: readonly number[];
  readonly context: number;
  /** Draws the degrees of hidden units; without it they are spread evenly. */
  readonly hiddenDegrees?: Random;
  /** Keeps a layer's weights in one block, those under the mask too: other numberings bring them out. */
  readonly whole?: boolean;
}

/** What a masked network computes. */
export interface MaskedNetwork {
  apply(x: Tensor, context?: Tensor): Tensor;
  incremental(context?: Tensor): Pick<Incremental, "feed" | "outputs">;
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
  private readonly groups: readonly Group[];

  constructor(autoregression: Autoregression, options: NetworkDescription, random: Random) {
    const { inputDegrees, outputDegrees, context, hiddenDegrees, whole } = autoregression;
    const features = Math.max(...inputDegrees);
    // A single feature without context depends on nothing: its parameters are biases.
    const sizes = features === 1 && context === 0 ? [] : hiddenSizes(options);
    // Every unit has a bias.
    requireNumbers(sizes.reduce((sum, size) => sum + size, 0));
    // Drawn degrees may leave a group without units: they take a single one, which is masked throughout.
    const groups = degreeGroups(hiddenDegrees ? [] : sizes, features, context);
    const hidden = hiddenDegrees
      ? drawnDegrees(sizes, groups[0], options.residual, hiddenDegrees)
      : sizes.map((size) => evenDegrees(size, groups));
    const reach = [...hidden, outputDegrees.map((degree) => degree - 1)];
    const degrees = [[...inputDegrees, ...new Array(context).fill(0)], ...hidden];
    this.options = options;
    this.groups = groups;
    this.layers = degrees.map((before, i) => {
      const last = i === hidden.length;
      const single = whole || (last && outputDegrees.length <= NARROW);
      const bounds = boundsOf(single ? groups.slice(-1) : groups);
      // The first layer is thin: cutting its inputs would cost more than it saves.
      const kind = { thin: i === 0, zero: last, whole: whole === true };
      return MaskedLinear.random(before, reach[i], bounds, random.split(i), kind);
    });
  }

  /** The same network with other numbers under its masks. */
  with(change: (layer: MaskedLinear, index: number) => MaskedLinear<Tensor>): MaskedNetwork {
    return Object.assign(Object.create(MaskedMLP.prototype), this, { layers: this.layers.map(change) });
  }

  /** [N, inputs], [N, context] -> [N, outputs]. */
  apply(x: Tensor, context?: Tensor): Tensor {
    const input = context ? concat([x, context], 1) : x;
    const { length } = this.layers;
    const [output] = throughLayers(this.options, length, [input], (i, h) =>
      scoped(`layers.${i}`, () =>
        i === length - 1 ? [this.layers[i].applyInOrder(h)] : this.layers[i].apply(h),
      ),
    );
    return output;
  }

  /** The same network, fed one input at a time in the order of their degrees. */
  incremental(context?: Tensor): Incremental {
    return new Incremental(this.layers, sweepBounds(this.groups), this.options, context);
  }
}

/** Narrower products run slower than what leaving out more of the zeros saves; so do more than four of them. */
const GROUP_UNITS = 64;
const MOST_GROUPS = 4;

/** Up to so many outputs are one block with the zeros under the mask: to put narrow ones together would cost more. */
const NARROW = 64;

/** A run of degrees that all layers keep together, from `first` on, `count` of them. */
interface Group {
  readonly first: number;
  readonly count: number;
}

/** The highest degree of each group, the last one Infinity. */
const boundsOf = (groups: readonly Group[]): number[] =>
  groups.map(({ first, count }, g) => (g < groups.length - 1 ? first + count - 1 : Number.POSITIVE_INFINITY));

/** Degrees that a sweep takes together: more would leave too much to small products, fewer would cut the large ones. */
const SWEEP = 6;

/** The highest degrees of what a sweep takes together: the groups, or halves of a single one, or less where these are long. */
const sweepBounds = (groups: readonly Group[]): number[] =>
  boundsOf(
    groups.flatMap(({ first, count }) => {
      const parts = Math.max(groups.length > 1 ? 1 : Math.min(count, 2), Math.ceil(count / SWEEP));
      const cut = (i: number) => Math.floor((i * count) / parts);
      return Array.from({ length: parts }, (_, i) => ({ first: first + cut(i), count: cut(i + 1) - cut(i) }));
    }),
  );

/**
 * Degrees 1 to D - 1 (from 0 where units that see the context alone are of use) in groups of equal size: as many as the widest
 * layer has use for, and no more than the narrowest has units.
 */
function degreeGroups(sizes: readonly number[], features: number, context: number): Group[] {
  const lowest = context > 0 ? 0 : 1;
  const total = features - lowest;
  const useful = Math.floor(Math.max(0, ...sizes) / GROUP_UNITS);
  const groups = Math.max(1, Math.min(MOST_GROUPS, total, useful, ...sizes));
  const cut = (g: number) => Math.floor((g * total) / groups);
  return Array.from({ length: groups }, (_, g) => ({ first: lowest + cut(g), count: cut(g + 1) - cut(g) }));
}

/**
 * Sorted degrees of `size` units: an equal share for each group, so that blocks have round sizes, and within it for each
 * degree, in steps of `LANES` where there are enough; where there are fewer units than degrees, spread from the lowest to the
 * highest.
 */
function evenDegrees(size: number, groups: readonly Group[]): number[] {
  const cut = (g: number) => Math.floor((g * size) / groups.length);
  return groups.flatMap(({ first, count }, g) => {
    const units = cut(g + 1) - cut(g);
    const step = units < LANES * count ? 1 : LANES;
    const place = (unit: number) =>
      units < count ? (unit * (count - 1)) / Math.max(1, units - 1) : (unit * count) / units;
    return Array.from({ length: units }, (_, unit) => first + Math.floor(place(unit - (unit % step))));
  });
}

/**
 * Degrees drawn evenly from the lowest one of the layer before (so that every unit sees something) to the highest, sorted.
 * The layers of a residual network share theirs, since a block adds to what went into it.
 */
function drawnDegrees(
  sizes: readonly number[],
  { first, count }: Group,
  residual: boolean,
  random: Random,
): number[][] {
  const layers: number[][] = [];
  for (const [i, size] of sizes.entries()) {
    const lowest = i > 0 ? layers[i - 1][0] : first;
    const uniforms = random.split(i).uniform(new Float64Array(size));
    const degrees = Array.from(uniforms, (u) => lowest + Math.floor(u * (first + count - lowest)));
    layers.push(residual && i > 0 ? layers[0] : degrees.sort((a, b) => a - b));
  }
  return layers;
}
