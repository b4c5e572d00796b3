import * as z from "zod/mini";
import type { DataRows } from "../bijections/bijection.ts";
import { identityOrder } from "../bijections/permutation.ts";
import { countSchema } from "../description.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { drawForBatch, isTraining } from "../graph/tracing/training.ts";
import { type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import { OrderedMLP, type Positions } from "../nn/orderedMLP.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import type { Distribution, DistributionKind, FitDistribution, Noise } from "./distribution.ts";
import { type ColumnHead, type ColumnHeadOptions, columnHeadSchema } from "./heads/columnHead.ts";
import { groupKey, HeadGroup, marginalParameters } from "./heads/headGroup.ts";

const mixedMadeSchema = z.strictObject({
  type: z.literal("mixedMade"),
  columns: z.array(columnHeadSchema).check(z.minLength(1)),
  context: z._default(countSchema, 0),
  anyOrder: z._default(z.boolean(), true),
  network: z.prefault(networkSchema, {}),
});

/** Options of `MixedMade`. */
export interface MixedMadeOptions {
  /** [D], how the conditional distribution of each column is written. */
  columns: ColumnHeadOptions[];
  /** C, the number of context features. Default 0. */
  context?: number;
  /**
   * Whether every second batch trains an ordering that is drawn for it, so that any columns may be given. Log-densities and
   * samples always use the order of the columns. Default true.
   */
  anyOrder?: boolean;
  /** The network that computes the parameters of all columns. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions;
}

/** Rows [N, D] in which the first `count` columns of an ordering are known. */
interface Given {
  readonly x: Tensor;
  readonly count: number;
}

/** Columns whose heads have tensors of the same shapes. */
interface Group {
  readonly head: HeadGroup;
  readonly columns: readonly number[];
}

/**
 * The masked autoencoder for distribution estimation (Germain et al. 2015) for tables with columns of several kinds:
 *
 *     p(x) = prod_k p(x_k | x_1 ... x_k-1, context),
 *
 * where each conditional is a density, a probability, or both, as the head of the column says (`ColumnHeadOptions`). A missing
 * value is NaN and has a probability like any other value. For columns without a density `logProb` is a log-probability, and for a
 * mixed table the logarithm of a density for the continuous values times a probability for the others.
 *
 * With `anyOrder` the same weights are trained for all orderings of the columns (section 4.2 of the paper): `logProbInOrder`
 * evaluates one, which gives the exact density of the columns that come first.
 */
export class MixedMade implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly network: OrderedMLP;
  private readonly options: z.output<typeof mixedMadeSchema>;
  private readonly groups: readonly Group[];

  /** Throws `ARGUMENT` if the options do not fit. */
  constructor(options: MixedMadeOptions, random: Random) {
    this.options = parse(mixedMadeSchema, { type: "mixedMade", ...options }, "a mixed MADE");
    const { columns, context, network } = this.options;
    this.features = columns.length;
    this.context = context;
    this.groups = groupsOf(columns);
    const perColumn = (count: (head: HeadGroup) => number) =>
      this.groups.flatMap(({ head, columns }) =>
        columns.flatMap((column) => new Array(count(head)).fill(column)),
      );
    this.network = new OrderedMLP(
      {
        features: this.features,
        inputFeatures: perColumn(({ inputs }) => inputs),
        outputFeatures: perColumn(({ parameters }) => parameters),
        context,
      },
      network,
      random,
    );
    this.noise = [
      { kind: "uniform", size: this.features },
      { kind: "uniform", size: this.features },
    ];
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    return this.logProbInOrder(x, this.positions(), context);
  }

  /** log p(x | context) [N], factorized in another ordering of the columns: `positions` [D] says where each column comes. */
  logProbInOrder(x: Tensor, positions: Positions, context?: Tensor): Tensor {
    return this.conditionals(x, positions, context).sum(0);
  }

  /** log p(x_k | the columns at earlier positions, context) of each column: [D, N]. */
  conditionals(x: Tensor, positions: Positions, context?: Tensor): Tensor {
    const columns = x.transpose();
    const values = this.groups.map((group) => columns.gather(0, group.columns));
    const [, N] = columns.shape;
    const inputs = concat(
      this.groups.map(({ head }, g) => head.encode(values[g]).reshape([head.inputs * head.heads.length, N])),
      0,
    ).transpose();
    const raw = scoped("network", () =>
      this.network.apply(context ? concat([inputs, context], 1) : inputs, positions),
    );
    const parameters = raw.transpose().split(
      0,
      this.groups.map(({ head, columns }) => head.parameters * columns.length),
    );
    const logProbs = this.groups.map(({ head, columns }, g) =>
      head.logProb(values[g], parameters[g].reshape([columns.length, head.parameters, N])),
    );
    const order = this.groups.flatMap((group) => group.columns);
    return concat(logProbs, 0).gather(
      0,
      order.map((_, column) => order.indexOf(column)),
    );
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    return this.sampleInOrder(noise, identityOrder(this.features), { context });
  }

  /**
   * Rows [N, D] that are drawn column by column in an ordering. The first columns of the ordering can be given, as in `x` [N, D];
   * the others then follow their exact conditional distribution, and with `present` they are never missing.
   */
  sampleInOrder(
    noise: readonly Tensor[],
    order: readonly number[],
    { given, present = false, context }: { given?: Given; present?: boolean; context?: Tensor } = {},
  ): Tensor {
    const network = this.network.incremental(order, context);
    const values: Tensor[] = [];
    order.forEach((column, position) => {
      const head = new HeadGroup([this.options.columns[column]]);
      const columnOf = (rows: Tensor) => rows.slice(1, column, column + 1).transpose();
      const isGiven = given !== undefined && position < given.count;
      const draw = () => {
        const parameters = network.outputs(position + 1).transpose();
        return head.sample(noise.map(columnOf), parameters.reshape([1, head.parameters, "N"]), { present });
      };
      const value = isGiven ? columnOf(given.x) : draw();
      values[column] = value;
      const isLast = position === this.features - 1;
      if (!isLast)
        network.addInputs(position + 1, head.encode(value).reshape([head.inputs, "N"]).transpose());
    });
    return concat(values, 0).transpose();
  }

  /** Starts with the marginal distribution of each column, where all columns are independent. */
  get fitToData(): FitDistribution {
    return ({ rows, values }: DataRows) => {
      const { bias } = this.network.layers[this.network.layers.length - 1];
      const column = (d: number) =>
        Float64Array.from({ length: rows }, (_, n) => values[n * this.features + d]);
      const numbers = this.groups.flatMap(({ columns }) =>
        columns.map((d) => marginalParameters(this.options.columns[d], column(d))),
      );
      bias.value = Float32Array.from(numbers.flatMap((each) => [...each]));
    };
  }

  describe() {
    return this.options;
  }

  /** Where each column comes: as they are, but for the batches that train another ordering. */
  private positions(): Positions {
    const natural = identityOrder(this.features);
    if (!this.options.anyOrder || !isTraining()) return natural;
    return drawForBatch([this.features], ({ random, step }) =>
      step % 2 === 0 ? natural : random.permutation(this.features),
    );
  }
}

function groupsOf(columns: readonly ColumnHead[]): Group[] {
  const byKey = new Map<string, number[]>();
  for (const [i, column] of columns.entries()) {
    const key = groupKey(column);
    byKey.set(key, [...(byKey.get(key) ?? []), i]);
  }
  return [...byKey.values()].map((members) => ({
    head: new HeadGroup(members.map((i) => columns[i])),
    columns: members,
  }));
}

export const mixedMadeKind: DistributionKind<typeof mixedMadeSchema> = {
  schema: mixedMadeSchema,
  build: ({ type: _, ...options }, random) => new MixedMade(options, random),
};
