import * as z from "zod/mini";
import type { DataRows } from "../../bijections/index.ts";
import { type Limits, parse, requireNumbers } from "../../check/index.ts";
import type { Atoms, DistributionKind, Noise } from "../../distributions/index.ts";
import { concat, Parameter, type Tensor } from "../../graph/index.ts";
import { sizeSchema } from "../../parts/index.ts";
import type { Random } from "../../random/index.ts";
import { type ColumnHeadOptions, columnHeadsSchema, headAtoms, parameterCount } from "./heads/columnHead.ts";
import { GroupedHeads } from "./heads/groupedHeads.ts";
import { KernelColumn } from "./kernelColumn.ts";
import { loadOnDemand } from "./loadOnDemand.ts";
import { type ColumnBlock, ProductMixture } from "./productMixture.ts";
import { SharedGaps } from "./sharedGaps.ts";
import type { TwoStageChoice } from "./twoStageChoice.ts";

const kernelDensitySchema = z.strictObject({
  type: z.literal("kernelDensity"),
  columns: columnHeadsSchema,
  centers: sizeSchema,
  widths: z._default(sizeSchema.check(z.maximum(16)), 4),
});

/** Options of `KernelDensity`. */
export interface KernelDensityOptions {
  /** [D], the type of each column with its options, such as atoms and knots. `periods` has no effect. */
  columns: ColumnHeadOptions[];
  /** n, the number of training rows that become centers. If there are more rows, the centers are a random subset. */
  centers: number;
  /** W, the number of widths of the kernels. Each has a bandwidth in each column. Default 4. */
  widths?: number | undefined;
}

/**
 * A kernel density estimate for tables with columns of several kinds, with the training rows c_i as centers:
 *
 *     p(x) = sum_i w_i sum_s v_s prod_d p(x_d | c_id, s)
 *
 * with a weight w_i of each center and a weight v_s of each width s.
 * The kernels p(x_d | c_id, s) of a column have the type of the column, see `KernelColumn`. A sum over several widths s has a narrow
 * peak and heavy tails, and a small weight of the marginal distribution of each column covers outliers. All marginal and conditional
 * distributions have closed forms. A missing value is NaN.
 *
 * `fitToData` sets the centers to rows, and fits all other parameters by the leave-one-out log-likelihood. Nothing is trained by
 * gradients of the likelihood, which would make the kernels around the training rows infinitely narrow. The model contains
 * training rows, and its samples lie near them.
 */
export class KernelDensity extends ProductMixture {
  readonly features: number;
  readonly noise: readonly Noise[];
  protected readonly sharedGaps: SharedGaps;
  readonly columns: readonly KernelColumn[];
  /** [n] unnormalized log-weights of the centers. */
  readonly centerLogits: Parameter;
  /** [W] unnormalized log-weights of the widths. */
  readonly widthLogits: Parameter;
  /** The marginal distributions of all columns. */
  private readonly heads: GroupedHeads;
  private readonly options: z.output<typeof kernelDensitySchema>;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: KernelDensityOptions, random: Random) {
    super();
    this.options = parse(kernelDensitySchema, { type: "kernelDensity", ...options }, "a kernel density");
    const { columns, centers, widths } = this.options;
    this.features = columns.length;
    this.sharedGaps = new SharedGaps(columns);
    // This check comes before the allocation of arrays with an element for each parameter.
    requireNumbers(columns.reduce((sum, head) => sum + centers + parameterCount(head), 0));
    this.heads = new GroupedHeads(columns);
    this.noise = [{ kind: "uniform", size: 1 }, ...columnNoise(this.features)];
    this.columns = columns.map((head, d) => new KernelColumn(d, head, { centers, widths }, random.split(d)));
    this.centerLogits = new Parameter([centers], 0, { trainable: false });
    this.widthLogits = new Parameter([widths], 0, { trainable: false });
  }

  get atoms(): readonly Atoms[] {
    return this.options.columns.map(headAtoms);
  }

  /** J = W n: a component is a kernel, a center with a width. */
  protected get components(): number {
    return this.options.widths * this.options.centers;
  }

  protected logWeights(): Tensor {
    const { centers, widths } = this.options;
    const ofCenters = this.centerLogits.logSoftmax().reshape([1, centers]);
    const ofWidths = this.widthLogits.logSoftmax().reshape([widths, 1]);
    return ofWidths.add(ofCenters).reshape([widths * centers, 1]);
  }

  protected blocks(): readonly ColumnBlock[] {
    return this.columns;
  }

  protected columnOf(d: number): ColumnBlock {
    return this.columns[d];
  }

  /** log m(x) of the marginal distribution of each column, for values [D, N]: [D, N]. */
  logMarginals(x: Tensor): Tensor {
    return this.heads.logProb(this.heads.splitColumns(x.transpose()), this.marginalParameters());
  }

  protected override logProbs(x: Tensor): Tensor[] {
    const logMarginals = this.logMarginals(x);
    return this.columns.map((column, d) =>
      column.logProb(x.slice(0, d, d + 1), logMarginals.slice(0, d, d + 1)),
    );
  }

  protected override samples(
    chosen: TwoStageChoice,
    noise: readonly Tensor[],
    options: { present: boolean },
  ): Tensor[] {
    const [, ...marginalNoise] = noise.map((numbers) => numbers.transpose());
    const marginals = this.heads.sample(marginalNoise, this.marginalParameters(), options);
    return this.columns.map((column, d) => {
      const ofColumn = (numbers: Tensor) => numbers.slice(0, d, d + 1);
      return column.sample(chosen, noise.map(ofColumn), options, ofColumn(marginals));
    });
  }

  /** The parameters of the marginal distributions of each group, [S, P, 1]. */
  private marginalParameters(): Tensor[] {
    const stored = concat(
      this.heads.storedOrder.map((d) => this.columns[d].marginal),
      0,
    );
    return this.heads.parametersOfGroups(stored.reshape([...stored.shape, 1]));
  }

  /** Sets the centers to rows, and fits bandwidths and weights by the leave-one-out likelihood. Held-out rows are not used. */
  async fitToData(data: DataRows, _heldOut?: DataRows, limits?: Limits): Promise<void> {
    // This code is imported only when it is used, because pages that only score do not need it.
    const { fitKernelDensity } = await loadOnDemand();
    await fitKernelDensity(this, data, limits);
  }

  describe() {
    return this.options;
  }
}

/** Three uniform numbers for each column, see `KernelColumn.sample`. */
const columnNoise = (size: number): Noise[] => new Array(3).fill({ kind: "uniform", size });

export const kernelDensityKind: DistributionKind<typeof kernelDensitySchema> = {
  schema: kernelDensitySchema,
  build: ({ type: _, ...options }, random) => new KernelDensity(options, random),
};
