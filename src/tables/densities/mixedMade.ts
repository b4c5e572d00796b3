import * as z from "zod/mini";
import { type DataRows, identityOrder } from "../../bijections/index.ts";
import { PushforwardError, parse, requireNumbers } from "../../check/index.ts";
import { featureColumn } from "../../dataset/index.ts";
import {
  type Atoms,
  asSubsetDistribution,
  type DistributionKind,
  type FitDistribution,
  knownValues,
  type Noise,
  type Subset,
  type SubsetDistribution,
} from "../../distributions/index.ts";
import {
  concat,
  constant,
  drawForBatch,
  filled,
  isTraining,
  loop,
  scalar,
  scoped,
  type Tensor,
} from "../../graph/index.ts";
import { type NetworkOptions, networkSchema, OrderedMLP, type Positions } from "../../nn/index.ts";
import { countSchema } from "../../parts/index.ts";
import type { Random } from "../../random/index.ts";
import {
  type ColumnHeadOptions,
  columnHeadsSchema,
  hasGaps,
  headAtoms,
  parameterCount,
  valueCodes,
} from "./heads/columnHead.ts";
import { GroupedHeads } from "./heads/groupedHeads.ts";
import { HeadGroup } from "./heads/headGroup.ts";
import { marginalParameters } from "./heads/marginalParameters.ts";
import { SharedGaps } from "./sharedGaps.ts";

const mixedMadeSchema = z.strictObject({
  type: z.literal("mixedMade"),
  columns: columnHeadsSchema,
  context: z._default(countSchema, 0),
  anyOrder: z._default(z.boolean(), true),
  network: z.prefault(networkSchema, {}),
});

/** Options of `MixedMade`. */
export interface MixedMadeOptions {
  /** [D], the type of the conditional distribution of each column with its options. */
  columns: ColumnHeadOptions[];
  /** C, the number of context features. Default 0. */
  context?: number | undefined;
  /**
   * Whether every second batch trains a random ordering instead of the order of the columns, so that the distribution given any
   * columns is learned. `logProb` and `sample` use the order of the columns in any case. Default true.
   */
  anyOrder?: boolean | undefined;
  /** The network that computes the parameters of all columns. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions | undefined;
}

/**
 * Up to this many columns, sampling computes each hidden unit once, in a graph with about 150 nodes for each column. The time in which
 * ONNX Runtime loads a graph grows with the square of the number of nodes: 13 s for 64 columns.
 */
const MAX_COLUMNS_OF_INCREMENTAL_SAMPLING = 50;

/** The columns that sampling conditions on. */
interface Given {
  /** Rows [N, D]. Only the given columns are read. */
  readonly x: Tensor;
  /** The first `count` columns of the ordering are given. */
  readonly count: number;
}

/**
 * The masked autoencoder for distribution estimation (Germain et al. 2015) for tables with columns of several kinds:
 *
 *     p(x) = prod_k p(x_k | x_1 ... x_k-1, context),
 *
 * where the head of each column (`ColumnHeadOptions`) determines its conditional distribution: a density, probabilities, or a
 * density with probabilities of single values. A missing value is NaN and has a probability like any other value. So `logProb` is
 * the logarithm of a product: the densities of the continuous values times the probabilities of all others.
 *
 * With `anyOrder` the same weights are trained for all orderings of the columns (section 4.2 of the paper). `logProbInOrder`
 * evaluates one ordering. The product of the first k factors is the exact density of the first k columns, and the product of the
 * other factors is the density of the other columns given these.
 */
export class MixedMade implements SubsetDistribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly network: OrderedMLP;
  private readonly options: z.output<typeof mixedMadeSchema>;
  private readonly heads: GroupedHeads;
  private readonly sharedGaps: SharedGaps;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: MixedMadeOptions, random: Random) {
    this.options = parse(mixedMadeSchema, { type: "mixedMade", ...options }, "a mixed MADE");
    const { columns, context, network } = this.options;
    this.features = columns.length;
    this.context = context;
    // Each output of the network has a bias. This check comes before the allocation of arrays with an element for each output.
    requireNumbers(columns.reduce((sum, head) => sum + parameterCount(head), 0));
    this.heads = new GroupedHeads(columns);
    this.sharedGaps = new SharedGaps(columns);
    this.network = new OrderedMLP(
      {
        features: this.features,
        inputFeatures: this.heads.inputs.columns,
        outputFeatures: this.heads.parameters.columns,
        context,
      },
      network,
      random,
    );
    // The first number of a column chooses an atom or a component, and the second one is mapped by the quantile function of the
    // component.
    this.noise = [
      { kind: "uniform", size: this.features },
      { kind: "uniform", size: this.features },
    ];
  }

  get acceptsMissing(): boolean {
    return this.options.columns.some(hasGaps);
  }

  get atoms(): readonly Atoms[] {
    return this.options.columns.map(headAtoms);
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    return this.logProbInOrder(x, this.positions(), context);
  }

  /**
   * log p(x | context) [N], factorized in the ordering in which column d has the position `positions[d]`, counted from 0. Columns that
   * share a gap come after the column whose gap it is (`inPossibleOrder`).
   */
  logProbInOrder(x: Tensor, positions: Positions, context?: Tensor): Tensor {
    return this.conditionals(x, positions, context).sum(0);
  }

  /** log p(x_k | the columns at earlier positions, context) of each column: [D, N]. */
  conditionals(x: Tensor, positions: Positions, context?: Tensor): Tensor {
    const values = this.heads.splitColumns(x);
    const outputs = this.outputs(values, positions, context);
    const logProbIfPresent = this.heads.logProb(values, outputs);
    return this.sharedGaps.logProb(logProbIfPresent, x.transpose(), identityOrder(this.features));
  }

  /**
   * log P(|X_k - x_k| <= r_k | the columns at earlier positions) of each column: [D, N], for radii r [D]. A label or a missing value has
   * its log-probability.
   */
  conditionalMasses(x: Tensor, positions: Positions, radii: readonly number[]): Tensor {
    const values = this.heads.splitColumns(x);
    const outputs = this.outputs(values, positions);
    const logProbIfPresent = this.heads.joinColumns(
      this.heads.groups.map(({ head, columns }, g) => {
        const ofColumns = columns.map((column) => radii[column]);
        return head.logMass(values[g], constant(ofColumns, [columns.length, 1]), outputs[g]);
      }),
    );
    return this.sharedGaps.logProb(logProbIfPresent, x.transpose(), identityOrder(this.features));
  }

  /** Positions [D] in which columns that share a gap come after the column whose gap it is; the positions of other columns are kept. */
  inPossibleOrder(positions: readonly number[]): number[] {
    return this.sharedGaps.reorder(positions);
  }

  /** True with `anyOrder`. Otherwise the network has learned only the conditional distributions given the first columns. */
  get supportsSubsets(): boolean {
    return this.options.anyOrder;
  }

  get acceptsRowSubsets(): boolean {
    return this.network.acceptsRowPositions;
  }

  logProbKnown(x: Tensor, subset: Subset, context?: Tensor): Tensor {
    asSubsetDistribution(this);
    const conditionals = this.conditionals(knownValues(x, subset), subset.positions, context);
    const { known } = subset;
    const isKnown = known.rank === 1 ? known.reshape([this.features, 1]) : known.transpose();
    return isKnown.greater(0).where(conditionals, 0).sum(0);
  }

  get conditionalSize(): number {
    return this.options.columns.reduce((sum, head) => sum + parameterCount(head), this.sharedGaps.size);
  }

  /** The outputs of the network, where every column sees only the known ones, and the parameters of `SharedGaps`. */
  conditionalParameters(x: Tensor, subset: Subset, context?: Tensor): Tensor {
    asSubsetDistribution(this);
    const inputs = this.networkInputs(this.heads.splitColumns(knownValues(x, subset)), context);
    const count = subset.known.sum(-1, { keepAxes: true });
    const outputs = scoped("network", () => this.network.applyAfter(inputs, subset.positions, count));
    return this.sharedGaps.withParameters(outputs, x, subset);
  }

  logProbOf(d: number, values: Tensor, parameters: Tensor): Tensor {
    const [N] = values.shape;
    const { head, outputs } = this.columnOf(d, parameters);
    const logProb = head.logProb(values.reshape([1, N]), outputs).reshape([N]);
    return this.sharedGaps.logProbOf(d, logProb, values, parameters);
  }

  logPresentOf(d: number, parameters: Tensor): Tensor {
    const { head, outputs } = this.columnOf(d, parameters);
    const logPresent = head.logPresent(outputs).reshape([parameters.shape[0]]);
    return this.sharedGaps.logPresentOf(d, logPresent, parameters);
  }

  sampleOf(d: number, noise: readonly Tensor[], parameters: Tensor, options: { present: boolean }): Tensor {
    const { head, outputs } = this.columnOf(d, parameters);
    const rows = noise.map((numbers) => numbers.transpose());
    return this.sharedGaps.sampleOf(d, head.sample(rows, outputs, options).reshape(["N"]), parameters);
  }

  sampleEach(noise: readonly Tensor[], parameters: Tensor, options: { present: boolean }): Tensor {
    const outputs = this.heads.parametersOfGroups(this.sharedGaps.withoutParameters(parameters).transpose());
    const ofColumns = noise.map((numbers) => numbers.broadcastTo(["N", this.features]));
    return this.sharedGaps.sampleEach(this.heads.sample(ofColumns, outputs, options).transpose(), parameters);
  }

  /** The distribution of column d, and its part [1, P, N] of the conditional parameters. */
  private columnOf(d: number, parameters: Tensor): { head: HeadGroup; outputs: Tensor } {
    const { columns } = this.heads.parameters;
    const start = columns.indexOf(d);
    const ofColumn = parameters.slice(1, start, columns.lastIndexOf(d) + 1).transpose();
    return {
      head: new HeadGroup([this.options.columns[d]]),
      outputs: ofColumn.reshape([1, ...ofColumn.shape]),
    };
  }

  /** The parameters of the conditional distributions of each group, [S, parameterCount, N], from its values [S, N]. */
  private outputs(values: readonly Tensor[], positions: Positions, context?: Tensor): Tensor[] {
    const inputs = this.networkInputs(values, context);
    const outputs = scoped("network", () => this.network.apply(inputs, positions));
    return this.heads.parametersOfGroups(outputs.transpose());
  }

  /** The inputs of the network, [N, inputs + context], from the values [S, N] of each group. */
  private networkInputs(values: readonly Tensor[], context?: Tensor): Tensor {
    const inputs = this.heads.encode(values).transpose();
    return context ? concat([inputs, context], 1) : inputs;
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    return this.sampleInOrder(noise, identityOrder(this.features), { context });
  }

  /**
   * Rows [N, D] drawn column by column: `order` lists the columns, the first one first. The `given` columns keep their values, and the
   * others follow their exact conditional distribution. Throws `ARGUMENT` for an order in which a column that shares a gap comes before the
   * column whose gap it is.
   */
  sampleInOrder(
    noise: readonly Tensor[],
    order: readonly number[],
    { given, context }: { given?: Given; context?: Tensor } = {},
  ): Tensor {
    const positions = identityOrder(this.features).map((column) => order.indexOf(column));
    if (this.inPossibleOrder(positions).join() !== positions.join()) {
      throw new PushforwardError("ARGUMENT", "a column comes before the one whose gap it shares", {
        expected: "an order in which columns with sharesGap come after the column whose gap they share",
        received: order.join(", "),
        hint: "Give an order with the positions that inPossibleOrder returns.",
      });
    }
    if (this.features > MAX_COLUMNS_OF_INCREMENTAL_SAMPLING)
      return this.sampleInBlocks(noise, positions, { given, context });
    const network = this.network.incremental(order, context);
    const values: Tensor[] = [];
    order.forEach((column, position) => {
      const head = new HeadGroup([this.options.columns[column]]);
      const columnOf = (rows: Tensor) => rows.slice(1, column, column + 1).transpose();
      const degree = position + 1;
      const draw = () => {
        const outputs = network.outputs(degree).transpose().reshape([1, head.parameterCount, "N"]);
        return this.sharedGaps.drawn(column, head.sample(noise.map(columnOf), outputs), values);
      };
      const value = given && position < given.count ? columnOf(given.x) : draw();
      values[column] = value;
      const isLast = position === this.features - 1;
      if (!isLast) network.addInputs(degree, head.encode(value).reshape([head.inputCount, "N"]).transpose());
    });
    return concat(values, 0).transpose();
  }

  /**
   * As `sampleInOrder`, in a graph whose size does not depend on the number of columns: a loop evaluates the whole network once for each
   * block of columns that do not depend on each other.
   */
  private sampleInBlocks(
    noise: readonly Tensor[],
    positions: readonly number[],
    { given, context }: { given: Given | undefined; context: Tensor | undefined },
  ): Tensor {
    const { features } = this;
    const blocks = this.network.blocks();
    const isGiven = (column: number) => positions[column] < (given?.count ?? 0);
    // No iteration draws a given column.
    const blockOfColumn = constant(
      positions.map((position, column) => (isGiven(column) ? -1 : blocks[position])),
      [features],
    );
    // Values that are not drawn yet have no influence, but must not be NaN.
    const start = given ? blockOfColumn.less(0).where(given.x, 0) : filled(0, ["N", features]);
    const [rows] = loop(
      [start, scalar(0)],
      ([x, block]) => {
        const outputs = this.outputs(this.heads.splitColumns(x), positions, context);
        const drawn = this.heads.sample(noise, outputs, { present: false }).transpose();
        const next = block.add(1);
        return {
          state: [this.sharedGaps.applyTo(blockOfColumn.equal(block).where(drawn, x)), next],
          proceed: next.lessEqual(blocks[features - 1]),
        };
      },
      { maxIterations: features },
    );
    return rows;
  }

  /**
   * Starts with independent columns that have about their marginal distributions. The weights of the last layer are 0 at first, so its
   * biases are the parameters of all columns.
   */
  get fitToData(): FitDistribution {
    return ({ values, weights }: DataRows) => {
      const { bias } = this.network.layers[this.network.layers.length - 1];
      const parameters = this.heads.storedOrder.flatMap((d) => {
        const head = this.options.columns[d];
        const codes = valueCodes(head, featureColumn(values, this.features, d));
        return [...marginalParameters(head, codes, { weights })];
      });
      bias.value = Float32Array.from(parameters);
    };
  }

  describe() {
    return this.options;
  }

  /** The order of the columns, which every second training batch replaces by a random ordering if `anyOrder` is set. */
  private positions(): Positions {
    const columnOrder = identityOrder(this.features);
    if (!this.options.anyOrder || !isTraining()) return columnOrder;
    return drawForBatch([this.features], ({ random, step }) =>
      step % 2 === 0 ? columnOrder : this.sharedGaps.reorder(random.permutation(this.features)),
    );
  }
}

export const mixedMadeKind: DistributionKind<typeof mixedMadeSchema> = {
  schema: mixedMadeSchema,
  build: ({ type: _, ...options }, random) => new MixedMade(options, random),
};
