import { Chain } from "../bijections/chain.ts";
import { ColumnScales } from "../bijections/columnScales.ts";
import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import { ContextEmbedding, type ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import type { ColumnHeadOptions } from "../distributions/heads/columnHead.ts";
import { KernelDensity } from "../distributions/kernelDensity.ts";
import { LatentClasses } from "../distributions/latentClasses.ts";
import { MixedMade } from "../distributions/mixedMade.ts";
import { Mixture } from "../distributions/mixture.ts";
import { Flow } from "../flows/flow.ts";
import { tableFlows } from "../flows/tableFlows.ts";
import { Random } from "../random/index.ts";
import { tableHeads } from "../tables/columnHeads.ts";
import type { TableColumn } from "../tables/tableColumn.ts";
import { fit } from "./fit.ts";
import { type CheckpointStore, deadlineOf, type FitEpoch, type FitOptions } from "./options.ts";
import { stackingWeights } from "./stacking.ts";
import type { StopReason } from "./trainingLoop.ts";

/** A density that the default model of a table consists of. */
export interface Member {
  readonly name: string;
  readonly flow: Flow;
  /** Its weight in the mixture. */
  readonly weight: number;
  readonly epochs: readonly FitEpoch[];
  readonly bestEpoch: number;
  /** Mean log-density of the validation rows, in nats. */
  readonly validationLogDensity: number;
}

/** Options of `fitMembers`. */
export interface FitMembersOptions
  extends Omit<FitOptions, "initialize" | "checkpoint" | "validation" | "context" | "weights"> {
  embedding?: ContextEmbeddingOptions | undefined;
  /** Whether a kernel density, which contains the training rows, may be a member. Default true. */
  kernel?: boolean;
  /** Called before each member is trained, with its name and how many there are. */
  onMember?(name: string, index: number, count: number): void;
  checkpoints?(name: string): CheckpointStore;
}

/** The result of `fitMembers`. */
export interface FitMembersResult {
  /** The mixture of the members. */
  readonly flow: Flow;
  readonly members: readonly Member[];
  readonly validationLogDensity: number;
  /** The training of the best member that was trained by gradients; a member with a small weight may not be part of the mixture. */
  readonly curve: Pick<Member, "name" | "epochs" | "bestEpoch">;
  readonly stopped: StopReason;
}

/** A member before training. */
interface Candidate {
  readonly name: string;
  readonly flow: Flow;
  /** How it is trained by gradients; undefined if it is fitted to the data at once. */
  readonly options?: Pick<FitOptions, "optimizer" | "batchSize" | "averageDecay" | "epochs" | "patience">;
}

/** A member with a smaller weight is left out, because it costs time in every use of the model and changes almost nothing. */
const MIN_WEIGHT = 0.02;

/** The name of the member that contains training rows. */
export const KERNEL_DENSITY = "kernel-density";

/** A kernel density takes time for each center in each use, and gains little in larger tables. */
const MAX_ROWS_OF_KERNEL_DENSITY = 8000;
const MAX_CENTERS = 4000;
/** Distances between rows say little in tables with more features. */
const MAX_FEATURES_OF_KERNEL_DENSITY = 100;
/** Latent classes of wide tables are fewer, so that they have at most about this many parameters. */
const MAX_PARAMETERS_OF_CLASSES = 2_000_000;
/** From this number of features on, a smaller network learns as well in less time. */
const MIN_FEATURES_OF_WIDE_TABLE = 200;

/**
 * Trains the members of the default model of a table on features of its columns (`encodeRows`), and returns their mixture, with the
 * weights of `stackingWeights` on the validation rows. With a context it returns the best member. The members share `maxMinutes`.
 */
export async function fitMembers(
  columns: readonly TableColumn[],
  { training, validation }: { training: Dataset; validation: InMemoryDataset },
  options: FitMembersOptions = {},
): Promise<FitMembersResult> {
  const start = performance.now();
  const { embedding, kernel = true, onMember, checkpoints, maxMinutes, ...others } = options;
  const candidates = candidatesFor(columns, training, { seed: options.seed ?? 0, embedding, kernel });
  const trained: Omit<Member, "weight">[] = [];
  const logDensities: Float64Array[] = [];
  let stopped: StopReason = "epochs";
  for (const [i, { name, flow, options: ofCandidate }] of candidates.entries()) {
    const minutesLeft =
      maxMinutes === undefined ? undefined : maxMinutes - (performance.now() - start) / 60_000;
    if (trained.length > 0 && minutesLeft !== undefined && minutesLeft <= 0) break;
    onMember?.(name, i, candidates.length);
    const context = validation.contextFeatures > 0 ? validation.context : undefined;
    if (!ofCandidate) {
      const { sample } = training;
      const limits = { ...(others.signal && { signal: others.signal }), deadline: deadlineOf(minutesLeft) };
      await flow.fitToData?.(sample, validation, limits);
      const scores = await flow.logProb(validation.values, context);
      const validationLogDensity = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      trained.push({ name, flow, epochs: [], bestEpoch: 0, validationLogDensity });
      logDensities.push(scores);
      continue;
    }
    const result = await fit(flow, training, {
      ...ofCandidate,
      ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
      optimizer: { ...ofCandidate.optimizer, ...others.optimizer },
      validation,
      ...(minutesLeft !== undefined && { maxMinutes: minutesLeft / (candidates.length - i) }),
      ...(checkpoints && { checkpoint: checkpoints(name) }),
    });
    stopped = result.stopped;
    const { epochs, bestEpoch, validationLogDensity } = result;
    trained.push({ name, flow, epochs, bestEpoch, validationLogDensity });
    logDensities.push(await flow.logProb(validation.values, context));
    if (result.stopped === "signal") break;
  }
  const byGradients = trained.filter(({ epochs }) => epochs.length > 0);
  const curve = (byGradients.length > 0 ? byGradients : trained).reduce((a, b) =>
    b.validationLogDensity > a.validationLogDensity ? b : a,
  );
  return { ...stacked(trained, logDensities), curve, stopped };
}

function stacked(
  trained: readonly Omit<Member, "weight">[],
  logDensities: readonly Float64Array[],
): Omit<FitMembersResult, "curve" | "stopped"> {
  // Each flow has its own embedding of the context, but a model file has the labels of one: no mixture, only the best member.
  if (trained.some(({ flow }) => flow.embedding)) {
    const best = trained.reduce((a, b) => (b.validationLogDensity > a.validationLogDensity ? b : a));
    const { flow, validationLogDensity } = best;
    return { flow, members: [{ ...best, weight: 1 }], validationLogDensity };
  }
  const first = stackingWeights(logDensities);
  const kept = trained.flatMap((_, k) => (first[k] >= MIN_WEIGHT ? [k] : []));
  const weights = stackingWeights(kept.map((k) => logDensities[k]));
  const members = kept.map((k, i) => ({ ...trained[k], weight: weights[i] }));
  const [only, ...more] = members;
  if (more.length === 0) return { flow: only.flow, members, validationLogDensity: only.validationLogDensity };
  const parts: Distribution[] = members.map(({ flow }) =>
    flow.bijection.isIdentity && !flow.embedding ? flow.base : flow,
  );
  const rows = logDensities[0].length;
  let sum = 0;
  for (let n = 0; n < rows; n++) {
    const terms = kept.map((k, i) => Math.log(weights[i]) + logDensities[k][n]);
    const largest = Math.max(...terms);
    sum += largest + Math.log(terms.reduce((total, term) => total + Math.exp(term - largest), 0));
  }
  const flow = new Flow(new Mixture(parts, { weights, learned: false }));
  return { flow, members, validationLogDensity: sum / rows };
}

/** The members for the columns of a table. Flows join only if all rows have a density. */
function candidatesFor(
  columns: readonly TableColumn[],
  training: Dataset,
  {
    seed,
    embedding,
    kernel,
  }: { seed: number; embedding: ContextEmbeddingOptions | undefined; kernel: boolean },
): Candidate[] {
  const { sample, rows } = training;
  const heads = tableHeads(columns, sample);
  const random = new Random(seed);
  const features = heads.length;
  const isLarge = rows > 20_000;
  const isWide = features >= MIN_FEATURES_OF_WIDE_TABLE;
  const numbers = training.contextFeatures;
  const embed =
    numbers > 0 ? new ContextEmbedding(embedding ?? { numbers }, random.split("embedding")) : undefined;
  const network = {
    hidden: new Array<number>(isWide ? 2 : isLarge ? 6 : 4).fill(isLarge ? 256 : 128),
    activation: "silu" as const,
    residual: true,
  };
  const batchSize = isLarge ? 512 : 256;
  const batches = Math.ceil(rows / batchSize);
  const made = new MixedMade(
    {
      columns: withComponents(
        heads,
        isWide ? { components: 3, linearComponents: 1 } : { components: 8, linearComponents: 4 },
      ),
      network,
      context: embed?.size ?? 0,
    },
    random.split("made"),
  );
  const candidates: Candidate[] = [
    {
      name: "autoregressive",
      flow: embed ? new Flow(made, undefined, embed) : new Flow(made),
      options: {
        optimizer: { learningRate: 2e-3, weightDecay: 0.02 },
        batchSize,
        averageDecay: isLarge ? 0.999 : 0.99,
      },
    },
  ];
  const simple = withComponents(heads, { components: 2 });
  const perClass = simple.reduce(
    (sum, head) => sum + (head.type === "categorical" ? head.categories : 6 + (head.atoms?.length ?? 0)),
    0,
  );
  const classes = Math.min(
    64,
    Math.max(2, Math.round(rows / 40)),
    Math.floor(MAX_PARAMETERS_OF_CLASSES / perClass),
  );
  if (numbers === 0 && classes >= 2) {
    const latent = new LatentClasses({ columns: simple, classes }, random.split("classes"));
    candidates.push({
      name: "latent-classes",
      flow: new Flow(latent),
      options: {
        optimizer: { learningRate: 3e-3 },
        batchSize,
        // Expectation maximization has fitted the classes already; these steps improve them.
        epochs: Math.ceil(4000 / batches),
        patience: Math.ceil(200 / batches),
      },
    });
  }
  const isForKernels = rows <= MAX_ROWS_OF_KERNEL_DENSITY && features <= MAX_FEATURES_OF_KERNEL_DENSITY;
  if (kernel && numbers === 0 && isForKernels) {
    const centers = Math.min(rows, MAX_CENTERS);
    candidates.push({
      name: KERNEL_DENSITY,
      flow: new Flow(new KernelDensity({ columns: heads, centers }, random.split("kernel"))),
    });
  }
  if (areDensities(heads, sample)) {
    const scales = columns.flatMap((column) => (column.kind === "continuous" ? [column.scale] : []));
    const isLinear = scales.every(({ type }) => type === "linear");
    const optimizer = isLarge
      ? { learningRate: 1e-3, weightDecay: 0.01 }
      : { learningRate: 3e-3, weightDecay: 0.3 };
    for (const { name, flow } of tableFlows(features, { rows, context: numbers, embedding, seed })) {
      const scaled = isLinear
        ? flow
        : new Flow(flow.base, Chain.joined([flow.bijection, new ColumnScales({ scales })]), flow.embedding);
      candidates.push({ name, flow: scaled, options: { optimizer } });
    }
  }
  return candidates;
}

/** Heads whose numeric columns have these numbers of components. */
const withComponents = (
  heads: readonly ColumnHeadOptions[],
  counts: { components: number; linearComponents?: number },
): ColumnHeadOptions[] => heads.map((head) => (head.type === "categorical" ? head : { ...head, ...counts }));

/** Whether all rows have a density: no value is missing, a cell of a lattice, or an atom. */
const areDensities = (heads: readonly ColumnHeadOptions[], { values, features }: InMemoryDataset): boolean =>
  heads.every(
    (head, d) =>
      head.type === "continuous" &&
      !head.gaps &&
      (head.atoms ?? []).every((atom) => values.every((value, i) => i % features !== d || value !== atom)),
  );
