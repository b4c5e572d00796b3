import * as z from "zod/mini";
import { type DataRows, type OuterStandardization, Standardize } from "../bijections/index.ts";
import { PushforwardError, parse } from "../check/index.ts";
import { concat, constant, scoped, type Tensor } from "../graph/index.ts";
import { activate, MLP, type NetworkOptions, networkSchema } from "../nn/index.ts";
import { countSchema, sizeSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/index.ts";

export const contextEmbeddingSchema = z
  .strictObject({
    numbers: z._default(countSchema, 0),
    classes: z._default(z.array(sizeSchema.check(z.minimum(2))), []),
    size: z.optional(sizeSchema),
    network: z.optional(networkSchema),
    outputActivation: z.optional(z.boolean()),
    items: z.optional(sizeSchema),
  })
  .check(
    z.refine(({ numbers, classes }) => numbers + classes.length > 0, {
      path: ["numbers"],
      error: "at least one number or class",
    }),
    z.refine(({ size, network }) => (size === undefined) === (network === undefined), {
      path: ["size"],
      error: "both a size and a network, or neither",
    }),
    z.refine(
      ({ items, numbers, classes, network }) =>
        items === undefined || (numbers % items === 0 && classes.length === 0 && network !== undefined),
      { path: ["items"], error: "a divisor of numbers, with a network and without classes" },
    ),
  );

/** Options of `ContextEmbedding`. At least one number or class is required; `size` and `network` are given together. */
export interface ContextEmbeddingOptions {
  /** Number of numeric columns, which are the first columns of the context and are standardized. Default 0. */
  numbers?: number | undefined;
  /** Number K of classes, at least 2, for each further column, whose labels are 0, 1, ... K - 1. Default none. */
  classes?: number[] | undefined;
  /** E, the number of outputs of the network. Default: without a network, the number of columns after one-hot encoding. */
  size?: number | undefined;
  /** The embedding network. Without hidden layers it is a matrix with one row for each class. Default none. */
  network?: NetworkOptions | undefined;
  /**
   * Whether the activation is applied to the outputs of the network too, which are then a hidden layer. Has no effect without a network.
   * Default false.
   */
  outputActivation?: boolean | undefined;
  /**
   * n, if the numeric columns are those of n items, one item after the other, whose order has no meaning. The network is applied
   * to each item, and the embedding is the mean of its outputs: a deep set (Zaheer et al. 2017). Default: one item.
   */
  items?: number | undefined;
}

/**
 * An embedding of the context that a conditional model uses in its place: e(c) = g((c - center) / scale, onehot(labels)),
 * [N, C] -> [N, E].
 *
 * Numeric columns are standardized with centers and scales of the training data. A label of one of K classes becomes K
 * columns, with 1 for its class and 0 for the others. The network g is trained with the model; without a network g is the
 * identity and E the number of these columns. An invalid label becomes NaN.
 */
export class ContextEmbedding {
  /** C, the number of columns of the context. */
  readonly context: number;
  /** E, the number of columns of the embedding. */
  readonly size: number;
  readonly scaler: Standardize | undefined;
  readonly network: MLP | undefined;
  private readonly options: z.output<typeof contextEmbeddingSchema>;

  /** `random` draws the initial weights of the network. Throws `ARGUMENT` if the options are invalid. */
  constructor(options: ContextEmbeddingOptions, random = new Random(0)) {
    this.options = parse(contextEmbeddingSchema, options, "an embedding of the context");
    const { numbers, classes, size, network, items = 1 } = this.options;
    const columns = classes.reduce((total, count) => total + count, numbers);
    this.context = numbers + classes.length;
    this.size = size ?? columns;
    if (numbers > 0) this.scaler = new Standardize({ features: numbers });
    if (network) this.network = new MLP(columns / items, this.size, network, random, 0, { zeroInit: false });
  }

  /** [N, C] -> [N, E] */
  apply(context: Tensor): Tensor {
    const { numbers, classes } = this.options;
    const columns = concat(
      [
        ...(this.scaler ? [this.scaler.inverse(context.slice(1, 0, numbers)).value] : []),
        ...classes.map((count, k) => oneHot(context.slice(1, numbers + k, numbers + k + 1), count)),
      ],
      1,
    );
    const { network } = this;
    if (!network) return columns;
    const { items, outputActivation } = this.options;
    const inputs = items === undefined ? columns : columns.reshape(["N", items, numbers / items]);
    const outputs = scoped("network", () => network.apply(inputs));
    const activated = outputActivation ? activate(network.options.activation, outputs) : outputs;
    return items === undefined ? activated : activated.mean(1);
  }

  /** Sets centers and scales to the weighted means and deviations of the rows' winsorized contexts, as `Standardize` does. */
  fitToData({ rows, context, weights }: DataRows): void {
    if (!this.scaler || !context) return;
    const { numbers, items = 1 } = this.options;
    const values = Float64Array.from(
      { length: rows * numbers },
      (_, i) => context[Math.floor(i / numbers) * this.context + (i % numbers)],
    );
    // All items have the same centers and scales, so that their order has no influence.
    const features = numbers / items;
    const itemScaler = new Standardize({ features });
    const itemWeights =
      weights && Float64Array.from({ length: rows * items }, (_, i) => weights[Math.floor(i / items)]);
    itemScaler.fitToData({ rows: rows * items, features, values, weights: itemWeights });
    const repeated = (of: ArrayLike<number>) =>
      Float64Array.from({ length: numbers }, (_, k) => of[k % features]);
    this.scaler.center.take(repeated(itemScaler.center.numbers));
    this.scaler.scale.take(repeated(itemScaler.scale.numbers));
  }

  /** Replaces the contexts of the rows by their embeddings, in float64. */
  async embedRows(rows: DataRows): Promise<DataRows> {
    const embed = compile((context) => this.apply(context), [["N", this.context]], { precision: "float64" });
    const context = await embed(rows.context!).finally(() => embed.release());
    return { ...rows, context: context as Float64Array };
  }

  /** The standardization of all columns of the context, with center 0 and scale 1 for labels. */
  get contextStandardization(): OuterStandardization<ContextEmbedding> | undefined {
    const { context, scaler } = this;
    if (!scaler) return undefined;
    const { center, scale, features } = scaler;
    const labelColumns = context - features;
    const standardize = Standardize.of(
      [...center.numbers, ...new Array<number>(labelColumns).fill(0)],
      [...scale.numbers, ...new Array<number>(labelColumns).fill(1)],
    );
    const relativeTo = (outer: Standardize): ContextEmbedding => {
      const [outerCenter, outerScale] = [outer.center, outer.scale].map(({ numbers }) =>
        numbers.subarray(0, features),
      );
      const relativeScaler = scaler.composedWith(Standardize.of(outerCenter, outerScale));
      return Object.assign(Object.create(ContextEmbedding.prototype), this, { scaler: relativeScaler });
    };
    return { standardize, relativeTo };
  }

  /** Throws `DATA` for an invalid label in contexts [N, C]; `rowOf` maps an index of a row to its number in messages. */
  check(contexts: ArrayLike<number>, rowOf = (row: number) => row): void {
    const { numbers, classes } = this.options;
    if (classes.length === 0) return;
    for (let start = 0; start < contexts.length; start += this.context) {
      classes.forEach((count, k) => {
        const label = contexts[start + numbers + k];
        if (Number.isInteger(label) && label >= 0 && label < count) return;
        const row = rowOf(start / this.context);
        throw new PushforwardError(
          "DATA",
          `column ${numbers + k} of the context of row ${row} is not a valid class label`,
          {
            expected: `an integer from 0 to ${count - 1}`,
            received: `${label}`,
            hint: "Encode the classes of each column as 0, 1, 2, ...",
          },
        );
      });
    }
  }

  /** The options from which the constructor builds the same embedding, except for the values of parameters. */
  describe(): ContextEmbeddingOptions {
    return this.options;
  }
}

/** Labels [N, 1] -> one-hot columns [N, K]; NaN for an invalid label. */
function oneHot(label: Tensor, count: number): Tensor {
  const classes = constant(
    Float64Array.from({ length: count }, (_, k) => k),
    [count],
  );
  const columns = label.equal(classes).toFloat();
  return columns.sum(1, { keepAxes: true }).greater(0).where(columns, Number.NaN);
}
