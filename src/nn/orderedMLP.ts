import { concat, constant, filled, scoped, Tensor } from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import type { IncrementalNetwork } from "./incremental.ts";
import { affineOfConcat, type Linear, linearLayers } from "./linear.ts";
import { hiddenSizes, type NetworkDescription, throughLayers } from "./mlp.ts";

/**
 * The position of each of D features in an ordering, counted from 0: numbers, or a tensor [D] that may differ between calls, or [N, D] if
 * each row has an ordering of its own.
 */
export type Positions = readonly number[] | Tensor;

/**
 * The masked network of MADE (Germain et al. 2015) whose ordering of D features is an argument of each call, so that one set of weights
 * can be trained for all orderings (section 4.2 of the paper). A `MaskedMLP` has one ordering, fixed when it is built. Several inputs and outputs
 * may belong to one feature.
 *
 * Hidden unit h has a fixed degree g_h in 0 ... D - 1 and depends only on features at positions below g_h. The outputs of the feature
 * at position p depend only on units of degree p or less, and so only on features before it. The ordering changes only the masks of
 * the first and the last layer. Context has no position: all units depend on it.
 */
export class OrderedMLP {
  readonly layers: readonly Linear[];
  readonly options: NetworkDescription;
  private readonly inputFeatures: readonly number[];
  private readonly outputFeatures: readonly number[];
  private readonly features: number;
  private readonly context: number;

  /** `inputFeatures` [inputs] and `outputFeatures` [outputs] are the features that inputs and outputs belong to. */
  constructor(
    {
      features,
      inputFeatures,
      outputFeatures,
      context,
    }: {
      features: number;
      inputFeatures: readonly number[];
      outputFeatures: readonly number[];
      context: number;
    },
    options: NetworkDescription,
    random: Random,
  ) {
    this.features = features;
    this.inputFeatures = inputFeatures;
    this.outputFeatures = outputFeatures;
    this.context = context;
    this.options = options;
    const sizes = [inputFeatures.length + context, ...hiddenSizes(options), outputFeatures.length];
    this.layers = linearLayers(sizes, random);
  }

  /** [N, inputs + context], the context last -> [N, outputs], for the position of each feature in the ordering. */
  apply(x: Tensor, positions: Positions): Tensor {
    const ordering = this.orderingOf(positions);
    const last = this.layers.length - 1;
    return this.throughHidden(x, ordering, (h) =>
      ordering.rank === 1 ? this.applyMasked(last, h, ordering) : this.outputsByRow(h, ordering),
    );
  }

  /**
   * The outputs [N, outputs] of all features at positions `count` and later, as functions of the first `count` features only and not of
   * each other. `count` is [1], or [N, 1] if it differs between rows. The outputs of the first `count` features are meaningless. The last
   * layer needs no mask, because hidden units of degree above `count` are set to 0.
   */
  applyAfter(x: Tensor, positions: Positions, count: Tensor): Tensor {
    const ordering = this.orderingOf(positions);
    const { weight, bias } = this.layers[this.layers.length - 1];
    return this.throughHidden(x, ordering, (h) => {
      const units = h.shape[1] as number;
      const before = this.hasHidden
        ? constant(this.degrees(units), [1, units]).lessEqual(count)
        : this.inputPositions(ordering).less(count);
      return h.mul(before.toFloat()).affine(weight, bias);
    });
  }

  /** Whether positions may differ between the rows of `apply`, which needs a hidden layer. */
  get acceptsRowPositions(): boolean {
    return this.hasHidden;
  }

  /**
   * The same network for one ordering, evaluated feature by feature. `order` lists the features by position: it is the inverse of the
   * positions of `apply`. An `IncrementalNetwork` counts degrees from 1: its degree d is the feature at position d - 1. Adding the inputs
   * of this feature completes the hidden units of degree d. Each unit is computed once, with the unmasked weights only.
   */
  incremental(order: readonly number[], context?: Tensor): IncrementalNetwork {
    const { layers, options } = this;
    const last = layers.length - 1;
    /** The inputs of each layer computed so far: tensors [N, k], and the rows of the layer's weight for their columns. */
    const computed: { parts: Tensor[]; rows: number[] }[] = layers.map(() => ({ parts: [], rows: [] }));
    const addToLayer = (layer: number, part: Tensor, rows: readonly number[]) => {
      computed[layer].parts.push(part);
      computed[layer].rows.push(...rows);
    };
    const outputsOf = (layer: number, columns: readonly number[]): Tensor => {
      const { parts, rows } = computed[layer];
      const { weight, bias } = layers[layer];
      const biases = bias.gather(0, columns);
      if (parts.length === 0) return biases.broadcastTo(["N", columns.length]);
      return affineOfConcat(parts, weight.gather(0, rows).gather(1, columns), biases);
    };
    const unitsOf = (units: number, degree: number) => indicesEqualTo(this.degrees(units), degree);
    /** Computes the units of a degree in all hidden layers. The first layer gets its inputs by `addToLayer`, so it is given none. */
    const computeUnits = (degree: number) => {
      throughLayers(options, layers.length, [], (i, units) =>
        scoped(`layers.${i}`, () => {
          const [inputs, outputs] = layers[i].weight.sizes;
          if (units.length > 0) addToLayer(i, units[0], unitsOf(inputs, degree));
          const columns = i < last ? unitsOf(outputs, degree) : [];
          return columns.length > 0 ? [outputsOf(i, columns)] : [];
        }),
      );
    };
    if (context) {
      const inputs = this.inputFeatures.length;
      const rows = Array.from({ length: this.context }, (_, i) => inputs + i);
      addToLayer(0, context, rows);
    }
    computeUnits(0);
    return {
      addInputs: (degree, values) => {
        addToLayer(0, values, indicesEqualTo(this.inputFeatures, order[degree - 1]));
        computeUnits(degree);
      },
      outputs: (degree) => outputsOf(last, indicesEqualTo(this.outputFeatures, order[degree - 1])),
    };
  }

  /**
   * Divides the positions of an ordering into blocks, and returns the block of each position, counted from 0. A block ends where hidden
   * units have the degree of the next position, so that the features of a block depend on the same units, and not on each other. Without
   * hidden layers each position is a block.
   */
  blocks(): number[] {
    const hidden = this.layers.slice(1).map(({ weight }) => weight.sizes[0]);
    const degrees = new Set(hidden.flatMap((units) => this.degrees(units)));
    let block = -1;
    return Array.from({ length: this.features }, (_, position) => {
      if (position === 0 || hidden.length === 0 || degrees.has(position)) block++;
      return block;
    });
  }

  private get hasHidden(): boolean {
    return this.layers.length > 1;
  }

  private orderingOf(positions: Positions): Tensor {
    return positions instanceof Tensor ? positions : constant(positions, [this.features]);
  }

  /** The output of `last`, from the units of the last hidden layer or, if there is none, from x. */
  private throughHidden(x: Tensor, ordering: Tensor, last: (h: Tensor) => Tensor): Tensor {
    const layer = (i: number, h: Tensor) => {
      if (i === this.layers.length - 1) return last(h);
      return i === 0 && ordering.rank > 1 ? this.unitsByRow(h, ordering) : this.applyMasked(i, h, ordering);
    };
    const [output] = throughLayers(this.options, this.layers.length, [x], (i, [h]) => [
      scoped(`layers.${i}`, () => layer(i, h)),
    ]);
    return output;
  }

  /** A layer in which all rows have the same mask. */
  private applyMasked(layer: number, h: Tensor, ordering: Tensor): Tensor {
    const { weight, bias } = this.layers[layer];
    return h.affine(weight.mul(this.mask(layer, ordering)), bias);
  }

  /**
   * The mask of the weight of a layer, [inputs, outputs] of the layer. In the first layer it is 1 where the position of the input is
   * below the degree of the unit, between hidden layers where the degree of the input is at most that of the output, and in the last
   * layer where the degree of the unit is at most the position of the output.
   */
  private mask(layer: number, ordering: Tensor): Tensor {
    const [inputs, outputs] = this.layers[layer].weight.sizes;
    const isFirst = layer === 0;
    const isLast = layer === this.layers.length - 1;
    const limits = isLast
      ? ordering.gather(0, this.outputFeatures)
      : constant(this.degrees(outputs), [outputs]);
    const row = limits.reshape([1, outputs]);
    if (isFirst) return this.inputPositions(ordering).reshape([inputs, 1]).less(row).toFloat();
    return constant(this.degrees(inputs), [inputs, 1]).lessEqual(row).toFloat();
  }

  /** The units of the first layer for an ordering of each row, [N, D]: the units of each degree read the inputs before this degree. */
  private unitsByRow(x: Tensor, ordering: Tensor): Tensor {
    const { weight, bias } = this.layers[0];
    const positions = this.inputPositions(ordering);
    const units = this.unitsByDegree(weight.sizes[1]).map(({ degree, start, end }) =>
      x.mul(positions.less(degree).toFloat()).affine(weight.slice(1, start, end), bias.slice(0, start, end)),
    );
    return concat(units, 1);
  }

  /** The outputs for an ordering of each row, [N, D]: the units of each degree contribute to the outputs from this position on. */
  private outputsByRow(h: Tensor, ordering: Tensor): Tensor {
    const { weight, bias } = this.layers[this.layers.length - 1];
    const positions = ordering.gather(1, this.outputFeatures);
    return this.unitsByDegree(weight.sizes[0]).reduce<Tensor>((sum, { degree, start, end }) => {
      const contribution = h.slice(1, start, end).matmul(weight.slice(0, start, end));
      return sum.add(contribution.mul(positions.greaterEqual(degree).toFloat()));
    }, bias);
  }

  /** The position of the feature of each input: [1, inputs + context], or [N, inputs + context]. That of the context is -1. */
  private inputPositions(ordering: Tensor): Tensor {
    const { inputFeatures, context } = this;
    const rows = ordering.rank === 1 ? 1 : "N";
    const ofInputs = ordering.gather(-1, inputFeatures).reshape([rows, inputFeatures.length]);
    return context === 0 ? ofInputs : concat([ofInputs, filled(-1, [rows, context])], 1);
  }

  /** The units of a hidden layer, start to end - 1, that have each degree. */
  private unitsByDegree(units: number): { degree: number; start: number; end: number }[] {
    const degrees = this.degrees(units);
    return [...new Set(degrees)].map((degree) => ({
      degree,
      start: degrees.indexOf(degree),
      end: degrees.lastIndexOf(degree) + 1,
    }));
  }

  /** The degrees of the units of a hidden layer: ascending, and each of 0 ... D - 1 about equally often. */
  private degrees(units: number): number[] {
    return Array.from({ length: units }, (_, unit) => Math.floor((unit * this.features) / units));
  }
}

const indicesEqualTo = (values: readonly number[], value: number): number[] =>
  values.flatMap((other, i) => (other === value ? [i] : []));
