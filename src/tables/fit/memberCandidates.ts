import { Chain, ColumnScales } from "../../bijections/index.ts";
import { PushforwardError, parse } from "../../check/index.ts";
import type { Dataset, InMemoryDataset } from "../../dataset/index.ts";
import { ContextEmbedding, type ContextEmbeddingOptions } from "../../distributions/index.ts";
import { dequantize, embedContext, Flow, type RecipeOptions } from "../../flows/index.ts";
import { Random } from "../../random/index.ts";
import { type FitOptions, scheduleSchema, trainingLengths } from "../../train/index.ts";
import { featureCardinalities, type TableColumn, tableHeads } from "../columns/index.ts";
import { type ColumnHeadOptions, LatentClasses, MixedMade } from "../densities/index.ts";
import { BUDGETS, type Budget } from "../options/index.ts";
import {
  correlatedKernels,
  type FittedCandidate,
  type FittedTable,
  gaussianMixture,
  KERNEL_DENSITY,
  kernelDensity,
} from "./fittedCandidates.ts";
import { tableFlowOptimizer } from "./tableFlowOptimizer.ts";
import { forTables, MAX_ROWS_OF_SMALL_TABLE, tableFlows } from "./tableFlows.ts";

/** A member before training. */
export type Candidate = TrainedCandidate | FittedCandidate;

/** A member that is trained by gradients. */
interface TrainedCandidate {
  readonly name: string;
  readonly flow: Flow;
  readonly options: Pick<
    FitOptions,
    "optimizer" | "schedule" | "batchSize" | "averageDecay" | "epochs" | "patience"
  >;
}

/**
 * On a large table the learning rate of the autoregressive network follows a half cosine over about this many steps. `COSINE_EPOCHS` limits
 * the number of epochs. On 21,060 training rows of protein, 80 such epochs give a higher validation log-density (-54.36 nats) than 180
 * epochs whose learning rate is halved at plateaus (-54.42).
 */
const COSINE_STEPS = 8000;
const COSINE_EPOCHS = { min: 20, max: 100 };
/**
 * From this number of features on, columns have simpler distributions and the network has fewer layers. On generated tables of 500 and
 * 2,000 columns and 500 rows, such models have higher test log-densities and train in less time. Models with more parameters follow the
 * noise of the rows.
 */
const MIN_FEATURES_OF_WIDE_TABLE = 200;
const QUANTILES_OF_WIDE_TABLE = 8;
/**
 * The patience in wide tables. Their models overfit after a few epochs. A patience in steps, as in other tables, would be hundreds of epochs if
 * there are few rows.
 */
const EPOCHS_OF_PATIENCE_IN_WIDE_TABLE = 20;
/**
 * With more features there are no flows. On 1,000 rows of 2,000 numbers they took most of 18 minutes of training, and more than 4 minutes to draw 100
 * rows.
 */
const MAX_FEATURES_OF_FLOWS = 500;
/**
 * The patience of the autoregressive network in steps, and at least 20 epochs. The learning rate is halved after 200 steps without improvement, so
 * 100 steps remain in which a smaller one may help. It was chosen in bench/tables/EXPERIMENTS.md.
 */
const STEPS_OF_PATIENCE = 300;
/** More latent classes than this do not help, nor do classes with fewer rows than `MIN_ROWS_OF_CLASS`. */
const MAX_CLASSES = 64;
const MIN_ROWS_OF_CLASS = 40;
/**
 * In a table with more rows than `MAX_ROWS_OF_SMALL_TABLE` and more features than this, latent classes had a weight below 0.02, so the
 * mixture left them out, although training them took about as long as training the network (bench/tables/EXPERIMENTS.md). With fewer
 * features, as in maps of two coordinates, they can have a large weight, and take little time.
 */
const MAX_FEATURES_OF_CLASSES_IN_LARGE_TABLE = 4;
/** Steps that improve latent classes after expectation maximization: fewer in tables of more features, whose steps take longer. */
const CLASS_STEPS = 4000;
const MAX_FEATURES_FOR_ALL_CLASS_STEPS = 100;
/** Latent classes of wide tables are fewer, so that they have at most about this many parameters. */
const MAX_PARAMETERS_OF_CLASSES = 2_000_000;

/**
 * What a budget changes: the numbers of epochs and of epochs of patience of all members, and of the steps of latent classes, by a factor;
 * the hidden layers of the autoregressive network; and whether flows are members.
 */
const BUDGET_SETTINGS: Record<Budget, { epochFactor: number; hidden?: number[]; flows: boolean }> = {
  small: { epochFactor: 0.5, hidden: [64, 64], flows: false },
  default: { epochFactor: 1, flows: true },
  large: { epochFactor: 2, hidden: new Array<number>(6).fill(256), flows: true },
};

const AUTOREGRESSIVE = "autoregressive";
const LATENT_CLASSES = "latent-classes";
/**
 * Whether the log-density of the member of this name falls linearly with the distance from the training rows. That of normal distributions and
 * of flows, which start from one, falls with the square of the distance.
 */
export const hasLinearTails = (name: string): boolean =>
  name === AUTOREGRESSIVE || name === LATENT_CLASSES || name === KERNEL_DENSITY;

/** Options of `candidatesFor`. */
interface CandidateOptions {
  readonly seed: number;
  readonly embedding: ContextEmbeddingOptions | undefined;
  /** Whether kernel densities may be members. */
  readonly kernel: boolean;
  /** The flow that is the only member. Default: the members are chosen by the properties of the table. */
  readonly recipe?: NamedRecipe | undefined;
  readonly budget?: Budget | undefined;
}

/** A recipe of flows with a name. It gets the number of features, and the size of the context and the seed as options. */
export interface NamedRecipe {
  readonly name: string;
  readonly flow: (features: number, options: RecipeOptions) => Flow;
}

/** What the choice of members depends on. */
interface TableProperties extends FittedTable {
  readonly isWide: boolean;
  readonly batchSize: number;
  readonly budget: Budget;
}

/**
 * The members for the columns of a table: an autoregressive network; without a context also latent classes, a mixture of Gaussians and, for
 * small tables, kernel densities; and flows if all rows have a density. With a recipe it is only the flow of the recipe.
 */
export function candidatesFor(
  columns: readonly TableColumn[],
  training: Dataset,
  { seed, embedding, kernel, recipe, budget = "default" }: CandidateOptions,
): Candidate[] {
  checkBudget(budget, recipe);
  if (recipe) return [dequantizedFlow(columns, training, { seed, embedding, recipe })];
  const isLarge = training.rows > MAX_ROWS_OF_SMALL_TABLE;
  const isWide = training.features >= MIN_FEATURES_OF_WIDE_TABLE;
  const heads = tableHeads(columns, training.sample, isWide ? { quantiles: QUANTILES_OF_WIDE_TABLE } : {});
  const table: TableProperties = {
    columns,
    heads,
    training,
    isLarge,
    isWide,
    batchSize: isLarge ? 512 : 256,
    budget,
  };
  const random = new Random(seed);
  const isConditional = training.contextFeatures > 0;
  const hasFlows =
    BUDGET_SETTINGS[budget].flows &&
    heads.length <= MAX_FEATURES_OF_FLOWS &&
    allHaveDensities(heads, training.sample);
  return [
    autoregressive(table, embedding, random),
    ...(isConditional ? [] : latentClasses(table, random)),
    ...(isConditional ? [] : gaussianMixture(table)),
    ...(isConditional || !kernel ? [] : kernelDensity(table, random)),
    ...(isConditional || !kernel ? [] : correlatedKernels(table)),
    ...(hasFlows ? flows(table, embedding, seed) : []),
  ].map((candidate) => withinBudget(candidate, table));
}

/** Throws `ARGUMENT` for an unknown budget, and for a budget beside a recipe, where it would have no effect. */
function checkBudget(budget: Budget, recipe: NamedRecipe | undefined): void {
  if (!BUDGETS.includes(budget)) {
    throw new PushforwardError("ARGUMENT", "the option budget has an invalid value", {
      expected: BUDGETS.join(", "),
      received: String(budget),
    });
  }
  if (!recipe || budget === "default") return;
  throw new PushforwardError("ARGUMENT", "the options budget and recipe cannot be combined", {
    hint: "A budget chooses the members of the default model. Leave one of the options out.",
  });
}

/** The candidate with its numbers of epochs multiplied by the factor of the budget. */
function withinBudget(candidate: Candidate, { training: { rows }, budget }: TableProperties): Candidate {
  const { epochFactor: factor } = BUDGET_SETTINGS[budget];
  if (!("options" in candidate) || factor === 1) return candidate;
  const { options } = candidate;
  const { batchSize = 256, epochs, patience } = options;
  const lengths = trainingLengths(
    { epochs, patience, schedule: parse(scheduleSchema, {}, "a schedule") },
    Math.ceil(rows / batchSize),
  );
  const scaled = (count: number) => Math.ceil(factor * count);
  return {
    ...candidate,
    options: { ...options, epochs: scaled(lengths.epochs), patience: scaled(lengths.patience) },
  };
}

function autoregressive(
  { heads, training, isLarge, isWide, batchSize, budget }: TableProperties,
  embedding: ContextEmbeddingOptions | undefined,
  random: Random,
): Candidate {
  const numbers = training.contextFeatures;
  const embed =
    numbers > 0 ? new ContextEmbedding(embedding ?? { numbers }, random.split("embedding")) : undefined;
  const counts = isWide ? { components: 1 } : { components: 8, linearComponents: 4 };
  const usual = new Array<number>(isWide ? 2 : isLarge ? 6 : 4).fill(isLarge ? 256 : 128);
  const { hidden = usual } = isWide ? {} : BUDGET_SETTINGS[budget];
  const network = { hidden, activation: "silu" as const, residual: true };
  const made = new MixedMade(
    { columns: withComponents(heads, counts), network, context: embed?.size ?? 0 },
    random.split("made"),
  );
  return {
    name: AUTOREGRESSIVE,
    flow: new Flow(made, undefined, embed),
    options: {
      optimizer: { learningRate: 2e-3, weightDecay: 0.02 },
      batchSize,
      averageDecay: isLarge ? 0.999 : 0.99,
      ...(isLarge && {
        schedule: { type: "cosine" as const },
        epochs: cosineEpochs(training.rows, batchSize),
      }),
      patience: isWide
        ? EPOCHS_OF_PATIENCE_IN_WIDE_TABLE
        : Math.max(20, Math.ceil(STEPS_OF_PATIENCE / Math.ceil(training.rows / batchSize))),
    },
  };
}

const cosineEpochs = (rows: number, batchSize: number): number =>
  Math.min(
    COSINE_EPOCHS.max,
    Math.max(COSINE_EPOCHS.min, Math.round(COSINE_STEPS / Math.ceil(rows / batchSize))),
  );

/**
 * The candidate of latent classes. There is none for large tables, if two classes already have more than `MAX_PARAMETERS_OF_CLASSES`
 * parameters, or if the table has more features than rows: then rows seem to belong to a class with certainty only by chance, and the mixture is
 * worse than independent columns.
 */
function latentClasses(
  { heads, training: { rows }, batchSize, isLarge }: TableProperties,
  random: Random,
): Candidate[] {
  if (heads.length > rows || (isLarge && heads.length > MAX_FEATURES_OF_CLASSES_IN_LARGE_TABLE)) return [];
  const columns = withComponents(heads, { components: 2 });
  const perClass = columns.reduce(
    (sum, head) => sum + (head.type === "categorical" ? head.categories : 6 + (head.atoms?.length ?? 0)),
    0,
  );
  const classes = Math.min(
    MAX_CLASSES,
    Math.max(2, Math.round(rows / MIN_ROWS_OF_CLASS)),
    Math.floor(MAX_PARAMETERS_OF_CLASSES / perClass),
  );
  if (classes < 2) return [];
  const batches = Math.ceil(rows / batchSize);
  const steps = CLASS_STEPS * Math.min(1, MAX_FEATURES_FOR_ALL_CLASS_STEPS / heads.length);
  return [
    {
      name: LATENT_CLASSES,
      flow: new Flow(new LatentClasses({ columns, classes }, random.split("classes"))),
      options: {
        optimizer: { learningRate: 3e-3 },
        batchSize,
        epochs: Math.ceil(steps / batches),
        patience: Math.ceil(200 / batches),
      },
    },
  ];
}

/** The flows of `tableFlows`, with the scales of the columns next to the data. */
function flows(
  { columns, heads, training, isWide }: TableProperties,
  embedding: ContextEmbeddingOptions | undefined,
  seed: number,
): Candidate[] {
  const scales = columns.flatMap((column) => (column.kind === "continuous" ? [column.scale] : []));
  const isLinear = scales.every(({ type }) => type === "linear");
  const { rows, contextFeatures: context } = training;
  return tableFlows(heads.length, { rows, context, embedding, seed }).map(({ name, flow }) => {
    const scaled = () =>
      new Flow(flow.base, Chain.joined([flow.bijection, new ColumnScales({ scales })]), flow.embedding);
    const patience = isWide ? EPOCHS_OF_PATIENCE_IN_WIDE_TABLE : undefined;
    return {
      name,
      flow: isLinear ? flow : scaled(),
      options: { optimizer: tableFlowOptimizer(rows), patience },
    };
  });
}

/** Draws of noise in an evaluation of a dequantized flow: more make the bound tighter, and each takes the time of the flow. */
const DEQUANTIZATION_DRAWS = 8;

/** The flow of a recipe. Columns without a density are dequantized with uniform noise, so that log-densities are lower bounds. */
function dequantizedFlow(
  columns: readonly TableColumn[],
  { contextFeatures }: Dataset,
  {
    seed,
    embedding,
    recipe,
  }: { seed: number; embedding: ContextEmbeddingOptions | undefined; recipe: NamedRecipe },
): Candidate {
  const withGaps = columns.filter(({ gaps }) => gaps).map(({ name }) => name);
  if (withGaps.length > 0) {
    throw new PushforwardError("DATA", "a single flow has no probability for missing values", {
      received: `missing values in ${withGaps.slice(0, 8).join(", ")}`,
      hint: "The default model learns them. Or leave out these rows or columns.",
    });
  }
  const embed = embedding && new ContextEmbedding(embedding, new Random(seed).split("embedding"));
  const values = columns.flatMap(featureCardinalities);
  const flow = recipe.flow(values.length, { context: embed?.size ?? contextFeatures, seed });
  const tableFlow = forTables(embed ? embedContext(flow, embed) : flow);
  const hasDiscreteColumns = values.some((count) => count !== null);
  const dequantized = hasDiscreteColumns
    ? dequantize(tableFlow, { values, samples: DEQUANTIZATION_DRAWS, seed })
    : tableFlow;
  return { name: recipe.name, flow: dequantized, options: {} };
}

/** Heads whose numeric columns have these numbers of components. */
const withComponents = (
  heads: readonly ColumnHeadOptions[],
  counts: { components: number; linearComponents?: number },
): ColumnHeadOptions[] => heads.map((head) => (head.type === "categorical" ? head : { ...head, ...counts }));

/** Whether all rows have a density: no value is missing, a cell of a lattice, or an atom. */
const allHaveDensities = (
  heads: readonly ColumnHeadOptions[],
  { values, features }: InMemoryDataset,
): boolean =>
  heads.every(
    (head, d) =>
      head.type === "continuous" &&
      !head.gaps &&
      (head.atoms ?? []).every((atom) => values.every((value, i) => i % features !== d || value !== atom)),
  );
