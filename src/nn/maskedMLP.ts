import { requireNumbers } from "../check/index.ts";
import { concat, scoped, type Tensor } from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import { IncrementalMaskedMLP, type IncrementalNetwork } from "./incremental.ts";
import { VECTOR_WIDTH } from "./linear.ts";
import { MaskedLinear } from "./maskedLinear.ts";
import { hiddenSizes, type NetworkDescription, throughLayers } from "./mlp.ts";
import { requireColumns } from "./requireColumns.ts";

/** The structure of an autoregressive network: the degrees of its inputs and outputs, and the number of context features. */
export interface Autoregression {
  /** The degree of each input: the position of its feature in the ordering, counted from 1. Inputs of one feature have equal degrees. */
  readonly inputDegrees: readonly number[];
  /** Output j depends on inputs of degree below `outputDegrees[j]`. */
  readonly outputDegrees: readonly number[];
  readonly context: number;
  /** Draws the degrees of hidden units. By default these are spread evenly. */
  readonly hiddenDegrees?: Random;
  /** Stores each layer as one block and initializes masked weights too, which `MaskVariants` needs. Default false. */
  readonly dense?: boolean;
}

/** The methods of an autoregressive network. */
export interface MaskedNetwork {
  apply(x: Tensor, context?: Tensor): Tensor;
  incremental(context?: Tensor): IncrementalNetwork;
}

/**
 * The network of MADE (Germain et al. 2015): units have degrees, and there is a weight from degree a to degree b only if a <= b
 * (a < b into the outputs), so that output j depends only on the inputs before it in the ordering. Context has degree 0: every
 * output depends on it.
 *
 * Hidden units are sorted by degree, which only renames them. A unit then reads the first units of the previous layer, up to its
 * degree, so `MaskedLinear` stores few weights that are masked, and `IncrementalMaskedMLP` computes each unit once, when the last of
 * its inputs is known.
 */
export class MaskedMLP {
  readonly layers: readonly MaskedLinear[];
  readonly options: NetworkDescription;
  private readonly groups: readonly DegreeGroup[];
  private readonly inputs: number;
  private readonly context: number;

  /**
   * `options` has no defaults here. `random` draws the initial weights; the last layer starts at 0. Without context, the network of a single
   * feature has no hidden layers.
   */
  constructor(autoregression: Autoregression, options: NetworkDescription, random: Random) {
    const { inputDegrees, outputDegrees, context, hiddenDegrees, dense = false } = autoregression;
    const features = Math.max(...inputDegrees);
    // The outputs for a single feature without context depend on nothing: they are biases.
    const sizes = features === 1 && context === 0 ? [] : hiddenSizes(options);
    // The network has more numbers than this, because every unit has a bias.
    requireNumbers(sizes.reduce((sum, size) => sum + size, 0));
    // Random degrees could leave a group without units, so with them all degrees are in one group, and all weights are masked.
    const groups = degreeGroups(hiddenDegrees ? [] : sizes, features, context);
    const hidden = hiddenDegrees
      ? drawnDegrees(sizes, groups[0], options.residual, hiddenDegrees)
      : sizes.map((size) => evenDegrees(size, groups));
    const degrees = [[...inputDegrees, ...new Array(context).fill(0)], ...hidden];
    const maxDegrees = [...hidden, outputDegrees.map((degree) => degree - 1)];
    this.options = options;
    this.groups = groups;
    this.inputs = inputDegrees.length;
    this.context = context;
    this.layers = degrees.map((layerDegrees, i) => {
      const isLast = i === hidden.length;
      const isSingleBlock = dense || (isLast && outputDegrees.length <= MAX_OUTPUTS_IN_ONE_BLOCK);
      return MaskedLinear.random(layerDegrees, maxDegrees[i], random.split(i), {
        groupEnds: lastDegrees(isSingleBlock ? groups.slice(-1) : groups),
        // The first layer has few inputs: dividing them would take more time than it saves.
        groupInputs: i > 0,
        zeroInit: isLast,
        initMasked: dense,
      });
    });
  }

  /** The same network with other weights under its masks. */
  with(change: (layer: MaskedLinear, index: number) => MaskedLinear<Tensor>): MaskedNetwork {
    return Object.assign(Object.create(MaskedMLP.prototype), this, { layers: this.layers.map(change) });
  }

  /** [N, inputs], [N, context] -> [N, outputs]. Throws `SHAPE` for other numbers of columns. */
  apply(x: Tensor, context?: Tensor): Tensor {
    requireColumns("input", x, this.inputs);
    requireColumns("context", context, this.context);
    const input = context ? concat([x, context], 1) : x;
    const { length } = this.layers;
    const [output] = throughLayers(this.options, length, [input], (i, groups) =>
      scoped(`layers.${i}`, () =>
        i === length - 1 ? [this.layers[i].applyInUnitOrder(groups)] : this.layers[i].apply(groups),
      ),
    );
    return output;
  }

  /**
   * The same network, which takes its inputs one after the other in the order of their degrees. Throws `SHAPE` for another context than
   * [N, context].
   */
  incremental(context?: Tensor): IncrementalMaskedMLP {
    requireColumns("context", context, this.context);
    return new IncrementalMaskedMLP(this.layers, incrementalGroupEnds(this.groups), this.options, context);
  }
}

/** With fewer units per group, narrow products cost more time than the omitted zeros save. */
const MIN_UNITS_PER_GROUP = 64;
/** With more groups, additional products cost more time than the omitted zeros save. */
const MAX_GROUPS = 4;

/** Up to this number of outputs the last layer is one masked block: concatenating narrow blocks would take more time. */
const MAX_OUTPUTS_IN_ONE_BLOCK = 64;

/**
 * Consecutive degrees first, first + 1, ..., first + count - 1. All layers divide their units into the same groups of degrees.
 */
interface DegreeGroup {
  readonly first: number;
  readonly count: number;
}

/** The last degree of each group, Infinity for the last group. */
const lastDegrees = (groups: readonly DegreeGroup[]): number[] =>
  groups.map(({ first, count }, g) => (g < groups.length - 1 ? first + count - 1 : Number.POSITIVE_INFINITY));

/**
 * The largest number of degrees in a group of the incremental evaluation. With more degrees, the small products within groups take
 * most of the time; with fewer degrees, the large products between groups become narrow.
 */
const MAX_DEGREES_PER_INCREMENTAL_GROUP = 6;

/**
 * The last degrees of the groups of the incremental evaluation. They are the groups of the layers, divided further; if the layers
 * have a single group, it is divided into two at least.
 */
const incrementalGroupEnds = (groups: readonly DegreeGroup[]): number[] =>
  lastDegrees(
    groups.flatMap(({ first, count }) => {
      const minParts = groups.length > 1 || count < 2 ? 1 : 2;
      const parts = Math.max(minParts, Math.ceil(count / MAX_DEGREES_PER_INCREMENTAL_GROUP));
      return divide(count, parts).map(({ start, end }) => ({ first: first + start, count: end - start }));
    }),
  );

/** Divides 0 ... size - 1 into consecutive ranges whose sizes differ by at most 1. */
const divide = (size: number, parts: number): { start: number; end: number }[] => {
  const boundary = (i: number) => Math.floor((i * size) / parts);
  return Array.from({ length: parts }, (_, i) => ({ start: boundary(i), end: boundary(i + 1) }));
};

/**
 * Divides the degrees of hidden units into groups of equal size. These are 1 to D - 1, and with a context also 0, because units of
 * degree 0 depend on the context only. There are as many groups as the widest layer can fill, but no more than the narrowest layer
 * has units.
 */
function degreeGroups(sizes: readonly number[], features: number, context: number): DegreeGroup[] {
  const lowest = context > 0 ? 0 : 1;
  const total = features - lowest;
  const fillable = Math.floor(Math.max(0, ...sizes) / MIN_UNITS_PER_GROUP);
  const groups = Math.max(1, Math.min(MAX_GROUPS, total, fillable, ...sizes));
  return divide(total, groups).map(({ start, end }) => ({ first: lowest + start, count: end - start }));
}

/**
 * Sorted degrees of the units of a layer. Each group has the same number of units, and within a group each degree, in multiples
 * of the vector width if there are enough units. Fewer units than degrees are spread from the lowest to the highest degree.
 */
function evenDegrees(size: number, groups: readonly DegreeGroup[]): number[] {
  const ranges = divide(size, groups.length);
  return groups.flatMap(({ first, count }, g) => {
    const units = ranges[g].end - ranges[g].start;
    const step = units < VECTOR_WIDTH * count ? 1 : VECTOR_WIDTH;
    const position = (unit: number) =>
      units < count ? (unit * (count - 1)) / Math.max(1, units - 1) : (unit * count) / units;
    return Array.from({ length: units }, (_, unit) => first + Math.floor(position(unit - (unit % step))));
  });
}

/**
 * Sorted degrees, drawn uniformly from the lowest degree of the previous layer, so that every unit reads a unit, to the highest.
 * The layers of a residual network have the same degrees, since the output of a block is added to its input.
 */
function drawnDegrees(
  sizes: readonly number[],
  { first, count }: DegreeGroup,
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
