import { constant, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import type { Random } from "../random/index.ts";
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
   * The same network for one ordering, computed feature by feature: `next` takes the inputs of the feature at the next position,
   * [N, inputs of the feature], and `outputs` gives the outputs of the feature at the position that was reached. Every hidden unit
   * is computed once, so all positions together cost less than one pass of `apply`.
   */
  incremental(order: readonly number[], context?: Tensor): IncrementalPass {
    const { layers, options } = this;
    const last = layers.length - 1;
    const belongs = (features: readonly number[], feature: number) =>
      features.flatMap((other, i) => (other === feature ? [i] : []));
    /** The inputs of each layer that are known, in parts, with the rows of the weight that they belong to. */
    const known: { parts: Tensor[]; rows: number[] }[] = layers.map(() => ({ parts: [], rows: [] }));
    const product = (layer: number, columns: readonly number[]): Tensor => {
      const { parts, rows } = known[layer];
      const { weight, bias } = layers[layer];
      const biases = bias.gather(0, columns);
      return parts.length > 0
        ? affineOfConcat(parts, weight.gather(0, rows).gather(1, columns), biases)
        : biases.broadcastTo(["N", columns.length]);
    };
    const unitsOf = (units: number, degree: number) =>
      this.degrees(units).flatMap((own, unit) => (own === degree ? [unit] : []));
    const add = (layer: number, part: Tensor, rows: readonly number[]) => {
      known[layer].parts.push(part);
      known[layer].rows.push(...rows);
    };
    let position = 0;
    const advance = () => {
      throughLayers(options, layers.length, [], (i, groups) =>
        scoped(`layers.${i}`, () => {
          const { sizes } = layers[i].weight;
          if (i > 0 && groups.length > 0) add(i, groups[0], unitsOf(sizes[0], position));
          const units = i < last ? unitsOf(sizes[1], position) : [];
          return units.length > 0 ? [product(i, units)] : [];
        }),
      );
    };
    if (context) {
      const { length } = this.inputFeatures;
      add(
        0,
        context,
        identity(context.shape[1] as number).map((i) => length + i),
      );
    }
    advance();
    return {
      outputs: () => product(last, belongs(this.outputFeatures, order[position])),
      next: (inputs: Tensor) => {
        add(0, inputs, belongs(this.inputFeatures, order[position]));
        position++;
        advance();
      },
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

/** A pass through the network, one feature after the other. */
export interface IncrementalPass {
  /** [N, outputs of the feature]. */
  outputs(): Tensor;
  next(inputs: Tensor): void;
}

const identity = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

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
