import { constant, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import type { Random } from "../random/index.ts";
import type { IncrementalNetwork } from "./incremental.ts";
import { affineOfConcat, Linear } from "./linear.ts";
import { hiddenSizes, type NetworkDescription, throughLayers } from "./mlp.ts";

/** The position of each of D features in an ordering, counted from 0: numbers, or a tensor [D] that may differ between calls. */
export type Positions = readonly number[] | Tensor;

/**
 * The masked network of MADE (Germain et al. 2015) whose ordering of D features is an argument of each call, so that one set of weights
 * can be trained for all orderings (section 4.2). A `MaskedMLP` has one ordering, fixed when it is built. Several inputs and outputs
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
    this.layers = sizes
      .slice(1)
      .map((size, i) => new Linear(sizes[i], size, random.split(i), { zeroInit: i === sizes.length - 2 }));
  }

  /** [N, inputs + context], the context last -> [N, outputs]. */
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
   * The same network for one ordering, evaluated feature by feature: `order` lists the features, the first one first. An
   * `IncrementalNetwork` counts degrees from 1, so the feature at position p has degree p + 1 there, and the hidden units of degree p + 1
   * can be computed when its inputs are added. Each is computed once, from the weights that the masks leave.
   */
  incremental(order: readonly number[], context?: Tensor): IncrementalNetwork {
    const { layers, options } = this;
    const last = layers.length - 1;
    /** What is known of the input of each layer: tensors [N, k], and the rows of the weight that belong to their columns. */
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
    const unitsOf = (units: number, degree: number) => indicesOf(this.degrees(units), degree);
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
        addToLayer(0, values, indicesOf(this.inputFeatures, order[degree - 1]));
        computeUnits(degree);
      },
      outputs: (degree) => outputsOf(last, indicesOf(this.outputFeatures, order[degree - 1])),
    };
  }

  /** The degrees of the units of a hidden layer: ascending, and each of 0 ... D - 1 about equally often. */
  private degrees(units: number): number[] {
    return Array.from({ length: units }, (_, unit) => Math.floor((unit * this.features) / units));
  }

  /** [inputs + context, units]: 1 where the position of the feature of an input is below the degree of a unit, and for all context. */
  private inputMask(positions: Positions, units: number): Tensor {
    const degrees = this.degrees(units);
    const { inputFeatures, context } = this;
    if (isTensor(positions)) {
      const degreeRow = constant(degrees, [1, units]);
      const positionColumn = positions.gather(0, inputFeatures).reshape([inputFeatures.length, 1]);
      const mask = positionColumn.less(degreeRow).toFloat();
      return mask.pad(0, 0, context).add(contextRows(inputFeatures.length, context));
    }
    // Position -1 is below all degrees.
    const inputPositions = [
      ...inputFeatures.map((feature) => positions[feature]),
      ...new Array(context).fill(-1),
    ];
    return constant(
      inputPositions.flatMap((position) => degrees.map((degree) => +(position < degree))),
      [inputPositions.length, units],
    );
  }

  /** [units, outputs]: 1 where the degree of a unit is at most the position of the output's feature. */
  private outputMask(positions: Positions, units: number): Tensor {
    const degrees = this.degrees(units);
    const { outputFeatures } = this;
    if (isTensor(positions)) {
      const positionRow = positions.gather(0, outputFeatures).reshape([1, outputFeatures.length]);
      return constant(degrees, [units, 1]).lessEqual(positionRow).toFloat();
    }
    return constant(
      degrees.flatMap((degree) => outputFeatures.map((feature) => +(degree <= positions[feature]))),
      [units, outputFeatures.length],
    );
  }
}

const isTensor = (positions: Positions): positions is Tensor => !Array.isArray(positions);

const indicesOf = (values: readonly number[], value: number): number[] =>
  values.flatMap((other, i) => (other === value ? [i] : []));

/** 1 in the rows of the context, which come after those of the inputs, and 0 in these. */
const contextRows = (inputs: number, context: number): Tensor =>
  constant(
    Array.from({ length: inputs + context }, (_, row) => +(row >= inputs)),
    [inputs + context, 1],
  );

/** [units, units of the next layer]: a unit depends on those of its own degree or less. */
const hiddenMask = (degrees: readonly number[], nextDegrees: readonly number[]): Tensor =>
  constant(
    degrees.flatMap((degree) => nextDegrees.map((next) => +(degree <= next))),
    [degrees.length, nextDegrees.length],
  );
