import * as z from "zod/mini";
import type { DataRows } from "../bijections/bijection.ts";
import type { OuterStandardization } from "../bijections/outerStandardization.ts";
import { Standardize } from "../bijections/standardize.ts";
import { countSchema, sizeSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { concat, constant, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";

export const contextEmbeddingSchema = z
  .strictObject({
    numbers: z._default(countSchema, 0),
    classes: z._default(z.array(sizeSchema.check(z.minimum(2))), []),
    size: z.optional(sizeSchema),
    network: z.optional(networkSchema),
  })
  .check(
    z.refine(({ numbers, classes }) => numbers + classes.length > 0, {
      path: ["numbers"],
      error: "a number or a class at least",
    }),
    z.refine(({ size, network }) => (size === undefined) === (network === undefined), {
      path: ["size"],
      error: "a size and a network, or neither",
    }),
  );

/** Options of `ContextEmbedding`. There is at least one number or class, and a size and a network, or neither. */
export interface ContextEmbeddingOptions {
  /** How many of the first columns of the context are numbers, which are standardized. Default 0. */
  numbers?: number;
  /**
   * For each column after those the number K of its classes, at least 2; a label is 0, 1, ... K - 1. Default none.
   */
  classes?: number[];
  /** E, how many numbers the network makes of the columns. */
  size?: number;
  /** Makes E numbers of the columns; without hidden layers it is a matrix, which has a row for each class. */
  network?: NetworkOptions;
}

/**
 * What a conditional model sees in place of its context: e(c) = g((c - center) / scale, onehot(labels)), [N, C] -> [N, E].
 *
 * Numbers are standardized, by centers and scales that are taken from the data; the label of one of K classes becomes K
 * columns, 1 for its own class and 0 for the others. A network g, learned with the model, makes E numbers of these; without
 * one they are passed on as they are, and E is their number. A label that is no class becomes NaN.
 */
export class ContextEmbedding {
  /** C, the number of columns of the context. */
  readonly context: number;
  /** E, the number of columns that the model sees. */
  readonly size: number;
  readonly scaler: Standardize | undefined;
  readonly network: MLP | undefined;
  private readonly options: z.output<typeof contextEmbeddingSchema>;

  /** `random` gives the starting weights of the network. Throws `ARGUMENT` if the options do not fit. */
  constructor(options: ContextEmbeddingOptions, random = new Random(0)) {
    this.options = parse(contextEmbeddingSchema, options, "an embedding of the context");
    const { numbers, classes, size, network } = this.options;
    const columns = classes.reduce((total, count) => total + count, numbers);
    this.context = numbers + classes.length;
    this.size = size ?? columns;
    if (numbers > 0) this.scaler = new Standardize({ features: numbers });
    if (network) this.network = new MLP(columns, this.size, network, random, 0, { zero: false });
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
    return this.network ? scoped("network", () => this.network!.apply(columns)) : columns;
  }

  /** Takes centers and scales from the contexts of the rows. */
  fitToData({ rows, context, weights }: DataRows): void {
    if (!this.scaler || !context) return;
    const { numbers } = this.options;
    const values = Float64Array.from(
      { length: rows * numbers },
      (_, i) => context[Math.floor(i / numbers) * this.context + (i % numbers)],
    );
    this.scaler.fitToData({ rows, features: numbers, values, weights });
  }

  /** The rows with what the model sees of their contexts. */
  async embedRows(rows: DataRows): Promise<DataRows> {
    const map = compile((context) => this.apply(context), [["N", this.context]], { precision: "float64" });
    const context = (await map(rows.context!)) as Float64Array;
    await map.release();
    return { ...rows, context };
  }

  /** The standardization of all columns of a context: labels stay as they are. */
  get contextStandardization(): OuterStandardization<ContextEmbedding> | undefined {
    const { context, scaler } = this;
    if (!scaler) return undefined;
    const { center, scale, features } = scaler;
    const labels = context - features;
    const standardize = Standardize.of(
      [...center.numbers, ...new Array<number>(labels).fill(0)],
      [...scale.numbers, ...new Array<number>(labels).fill(1)],
    );
    const relativeTo = (outer: Standardize): ContextEmbedding => {
      const own = [outer.center, outer.scale].map(({ numbers }) => numbers.subarray(0, features));
      const relative = scaler.composedWith(Standardize.of(own[0], own[1]));
      return Object.assign(Object.create(ContextEmbedding.prototype), this, { scaler: relative });
    };
    return { standardize, relativeTo };
  }

  /** Throws `DATA` for a label that is no class; `rowOf` numbers the rows of contexts [rows, C]. */
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
          `the context of row ${row} has no class in column ${numbers + k}`,
          {
            expected: `a whole number from 0 to ${count - 1}`,
            received: `${label}`,
            hint: "Number the classes of each column 0, 1, 2, ... and give these numbers.",
          },
        );
      });
    }
  }

  describe(): ContextEmbeddingOptions {
    return this.options;
  }
}

/** Labels [N, 1] -> [N, K]. */
function oneHot(label: Tensor, count: number): Tensor {
  const classes = constant(
    Float64Array.from({ length: count }, (_, k) => k),
    [count],
  );
  const columns = label.equal(classes).toFloat();
  return columns.sum(1, { keepAxes: true }).greater(0).where(columns, Number.NaN);
}
