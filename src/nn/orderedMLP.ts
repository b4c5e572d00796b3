import { constant, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import type { Random } from "../random/index.ts";
import type { IncrementalNetwork } from "./incremental.ts";
import { affineOfConcat, Linear } from "./linear.ts";
import { hiddenSizes, type NetworkDescription, throughLayers } from "./mlp.ts";

/** The position of each of D features in an ordering, counted from 0: numbers, or a tensor [D] for orderings that change. */
export type Positions = readonly number[] | Tensor;

/**
 * The masked network of MADE for any ordering of D features (Germain et al. 2015, section 4.2). Several inputs and outputs may
 * belong to one feature.
 *
 * Hidden unit h has a fixed degree g_h in 0 ... D - 1 and sees the features at positions below g_h. The outputs of the feature at
 * position p see the units with degrees up to p, so they depend on the features before it only. The ordering enters by the masks
 * of the first and the last layer, which are computed from the positions in the graph: it may be another one in each call.
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
    this.layers = sizes
      .slice(1)
      .map((size, i) => new Linear(sizes[i], size, random.split(i), { zeroInit: i === sizes.length - 2 }));
  }

  /** [N, inputs + context] -> [N, outputs]. */
  apply(x: Tensor, positions: Positions): Tensor {
    const last = this.layers.length - 1;
    const [output] = throughLayers(this.options, this.layers.length, [x], (i, [h]) =>
      scoped(`layers.${i}`, () => {
        const { weight, bias } = this.layers[i];
        const [inputs, outputs] = weight.sizes;
        const mask =
          i === 0
            ? this.inputMask(positions, outputs)
            : i === last
              ? this.outputMask(positions, inputs)
              : hiddenMask(this.degrees(inputs), this.degrees(outputs));
        return [h.affine(weight.mul(mask), bias)];
      }),
    );
    return output;
  }

  /**
   * The same network for one ordering, computed feature by feature: the feature at position p has degree p + 1. Each hidden unit is
   * computed once, so all features together take less than one pass of `apply`.
   */
  incremental(order: readonly number[], context?: Tensor): IncrementalNetwork {
    const { layers, options } = this;
    const last = layers.length - 1;
    const columnsOf = (features: readonly number[], feature: number) =>
      features.flatMap((other, i) => (other === feature ? [i] : []));
    /** The inputs of each layer that are computed, and their rows in the weight of the layer. */
    const computed: { parts: Tensor[]; rows: number[] }[] = layers.map(() => ({ parts: [], rows: [] }));
    const add = (layer: number, part: Tensor, rows: readonly number[]) => {
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
    const unitsOf = (units: number, degree: number) =>
      this.degrees(units).flatMap((other, unit) => (other === degree ? [unit] : []));
    const computeUnits = (degree: number) => {
      throughLayers(options, layers.length, [], (i, units) =>
        scoped(`layers.${i}`, () => {
          const [inputs, outputs] = layers[i].weight.sizes;
          if (units.length > 0) add(i, units[0], unitsOf(inputs, degree));
          const columns = i < last ? unitsOf(outputs, degree) : [];
          return columns.length > 0 ? [outputsOf(i, columns)] : [];
        }),
      );
    };
    if (context) {
      const { length } = this.inputFeatures;
      add(
        0,
        context,
        Array.from({ length: this.context }, (_, i) => length + i),
      );
    }
    computeUnits(0);
    return {
      addInputs: (degree, values) => {
        add(0, values, columnsOf(this.inputFeatures, order[degree - 1]));
        computeUnits(degree);
      },
      outputs: (degree) => outputsOf(last, columnsOf(this.outputFeatures, order[degree - 1])),
    };
  }

  /** The degrees of a layer's units, ascending. */
  private degrees(units: number): number[] {
    return Array.from({ length: units }, (_, unit) => Math.floor((unit * this.features) / units));
  }

  /** [inputs + context, units]: 1 where an input's feature is at a position below the degree of the unit. */
  private inputMask(positions: Positions, units: number): Tensor {
    const degrees = this.degrees(units);
    const { inputFeatures, context } = this;
    if (isTensor(positions)) {
      const row = constant(degrees, [1, units]);
      const column = positions.gather(0, inputFeatures).reshape([inputFeatures.length, 1]);
      // The context has no position: every unit sees it.
      return column.less(row).toFloat().pad(0, 0, context).add(contextRows(inputFeatures.length, context));
    }
    const rows = [...inputFeatures.map((feature) => positions[feature]), ...new Array(context).fill(-1)];
    return constant(
      rows.flatMap((position) => degrees.map((degree) => +(position < degree))),
      [rows.length, units],
    );
  }

  /** [units, outputs]: 1 where the degree of a unit is at most the position of the output's feature. */
  private outputMask(positions: Positions, units: number): Tensor {
    const degrees = this.degrees(units);
    const { outputFeatures } = this;
    if (isTensor(positions)) {
      const row = positions.gather(0, outputFeatures).reshape([1, outputFeatures.length]);
      return constant(degrees, [units, 1]).lessEqual(row).toFloat();
    }
    return constant(
      degrees.flatMap((degree) => outputFeatures.map((feature) => +(degree <= positions[feature]))),
      [units, outputFeatures.length],
    );
  }
}

const isTensor = (positions: Positions): positions is Tensor => !Array.isArray(positions);

const contextRows = (inputs: number, context: number): Tensor =>
  constant(
    Array.from({ length: inputs + context }, (_, row) => +(row >= inputs)),
    [inputs + context, 1],
  );

const hiddenMask = (inputs: readonly number[], outputs: readonly number[]): Tensor =>
  constant(
    inputs.flatMap((before) => outputs.map((after) => +(before <= after))),
    [inputs.length, outputs.length],
  );
