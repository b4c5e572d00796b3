import * as z from "zod/mini";
import type { DataRows } from "../../bijections/index.ts";
import { type Limits, parse, requireNumbers } from "../../check/index.ts";
import type { Atoms, DistributionKind, Noise } from "../../distributions/index.ts";
import { concat, Parameter, sizeOf, type Tensor } from "../../graph/index.ts";
import { sizeSchema } from "../../parts/index.ts";
import type { Random } from "../../random/index.ts";
import { type ColumnGroup, columnsOfEqualShapes } from "./heads/columnGroups.ts";
import { type ColumnHeadOptions, columnHeadsSchema, headAtoms, parameterCount } from "./heads/columnHead.ts";
import { GroupedHeads } from "./heads/groupedHeads.ts";
import { HeadGroup } from "./heads/headGroup.ts";
import { loadOnDemand } from "./loadOnDemand.ts";
import { type ColumnBlock, ProductMixture } from "./productMixture.ts";
import { SharedGaps } from "./sharedGaps.ts";
import type { TwoStageChoice } from "./twoStageChoice.ts";

const latentClassesSchema = z.strictObject({
  type: z.literal("latentClasses"),
  columns: columnHeadsSchema,
  classes: sizeSchema,
});

/** Options of `LatentClasses`. */
export interface LatentClassesOptions {
  /** [D], the type of the distribution of each column with its options. One to three `components` are enough for most columns. */
  columns: ColumnHeadOptions[];
  /** C, the number of classes. */
  classes: number;
}

/** Columns of a `LatentClasses` whose parameters have equal shapes. */
interface StoredColumns extends ColumnGroup {
  /** `[S, P, C]`: the P parameters of the distribution of each column in each class. */
  readonly parameters: Parameter;
}

/** Columns of a `LatentClasses` that are computed together. */
class ClassGroup implements ColumnBlock {
  readonly columns: readonly number[];
  private readonly head: HeadGroup;
  /** `[S, P, C]`, see `HeadGroup`. */
  private readonly parameters: Tensor;

  constructor({ head, columns }: ColumnGroup, parameters: Tensor) {
    this.head = head;
    this.columns = columns;
    this.parameters = parameters;
  }

  get hasMissingAtom(): boolean {
    return this.head.hasMissingAtom;
  }

  logProb(x: Tensor): Tensor {
    const [S, N] = x.shape;
    return this.head.logProb(x.reshape([S, 1, N]), this.outputs());
  }

  logMixture(x: Tensor, logWeights: Tensor): Tensor {
    return this.logProb(x).add(logWeights).logsumexp(1);
  }

  logPresent(): Tensor {
    return this.head.logPresent(this.outputs());
  }

  sample(chosen: TwoStageChoice, noise: readonly Tensor[], options: { present: boolean }): Tensor {
    const [S, P, C] = this.parameters.shape as number[];
    const ofClass = chosen.select(this.parameters.reshape([S * P, C]));
    return this.head.sample(noise, ofClass.reshape([S, P, "N"]), options);
  }

  /** The parameters in the shape of the outputs of a network, [S, P, C, 1]. */
  private outputs(): Tensor {
    return this.parameters.reshape([...this.parameters.shape, 1]);
  }
}

/**
 * Latent class analysis (Lazarsfeld and Henry 1968) for tables with columns of several kinds. Within each of C classes the columns
 * are independent:
 *
 *     p(x) = sum_c w_c prod_d p_c(x_d),
 *
 * where p_c(x_d) is a distribution of the type of the column (`ColumnHeadOptions`), as in `MixedMade`. So all marginal and conditional
 * distributions have closed forms. A missing value is NaN.
 *
 * `fitToData` runs expectation maximization (Dempster et al. 1977) on at most 5,000 rows. Training by gradients can continue from its
 * result.
 */
export class LatentClasses extends ProductMixture {
  readonly features: number;
  readonly noise: readonly Noise[];
  protected readonly sharedGaps: SharedGaps;
  /** [C] unnormalized log-weights. */
  readonly classLogits: Parameter;
  /** All columns in groups that have parameters of equal shapes. */
  readonly groups: readonly StoredColumns[];
  readonly classes: number;
  private readonly heads: GroupedHeads;
  private readonly options: z.output<typeof latentClassesSchema>;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: LatentClassesOptions, random: Random) {
    super();
    this.options = parse(latentClassesSchema, { type: "latentClasses", ...options }, "a latent class model");
    const { columns, classes } = this.options;
    this.features = columns.length;
    this.sharedGaps = new SharedGaps(columns);
    this.classes = classes;
    // This check comes before the allocation of arrays with an element for each parameter.
    requireNumbers(classes * columns.reduce((sum, head) => sum + parameterCount(head), 0));
    this.noise = [
      { kind: "uniform", size: 1 },
      { kind: "uniform", size: this.features },
      { kind: "uniform", size: this.features },
    ];
    this.classLogits = new Parameter([classes], 0);
    this.heads = new GroupedHeads(columns);
    this.groups = columnsOfEqualShapes(columns).map((group, g) => {
      const shape = [group.columns.length, group.head.parameterCount, classes];
      // The initial numbers are random, since equal classes would stay equal in training by gradients.
      const initial = () => random.split(g).normal(new Float32Array(sizeOf(shape)));
      return { ...group, parameters: new Parameter(shape, initial) };
    });
  }

  get atoms(): readonly Atoms[] {
    return this.options.columns.map(headAtoms);
  }

  protected get components(): number {
    return this.classes;
  }

  protected logWeights(): Tensor {
    return this.classLogits.logSoftmax().reshape([this.classes, 1]);
  }

  protected blocks(): readonly ColumnBlock[] {
    const stored = this.groups.map(({ parameters }) => {
      const [S, P, C] = parameters.sizes;
      return parameters.reshape([S * P, C]);
    });
    return this.heads
      .parametersOfGroups(concat(stored, 0))
      .map((parameters, g) => new ClassGroup(this.heads.groups[g], parameters));
  }

  protected columnOf(d: number): ColumnBlock {
    const { head, columns, parameters } = this.groups.find((group) => group.columns.includes(d))!;
    const i = columns.indexOf(d);
    return new ClassGroup(
      { head: new HeadGroup([head.heads[i]]), columns: [d] },
      parameters.slice(0, i, i + 1),
    );
  }

  /** p(class | x) of each row, [N, C]. */
  classProbabilities(x: Tensor): Tensor {
    return this.logJoint(x).softmax(0).transpose();
  }

  /** Fits the classes by expectation maximization. Held-out rows are not used. */
  async fitToData(data: DataRows, _heldOut?: DataRows, limits?: Limits): Promise<void> {
    // This code is imported only when it is used, because pages that only score do not need it.
    const { fitLatentClasses } = await loadOnDemand();
    await fitLatentClasses(this, data, limits);
  }

  describe() {
    return this.options;
  }
}

export const latentClassesKind: DistributionKind<typeof latentClassesSchema> = {
  schema: latentClassesSchema,
  build: ({ type: _, ...options }, random) => new LatentClasses(options, random),
};
