import { SINGLE_PROCESS } from "../communicator.ts";
import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import type { ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { Mixture } from "../distributions/mixture.ts";
import { hasExactConditionals } from "../flows/exactConditionals.ts";
import { Flow } from "../flows/flow.ts";
import type { TableColumn } from "../tables/tableColumn.ts";
import { fit } from "./fit.ts";
import { type Budget, candidatesFor, type NamedRecipe } from "./memberCandidates.ts";
import {
  type CheckpointStore,
  deadlineOf,
  type FitEpoch,
  type FitOptions,
  remainingMinutes,
} from "./options.ts";
import { flowOfRankZero } from "./sameTraining.ts";
import { stackDensities } from "./stacking.ts";
import type { StopReason } from "./trainingLoop.ts";

/** One of the densities whose mixture is the default model of a table. */
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
  extends Omit<FitOptions, "initialize" | "checkpoint" | "validation" | "context" | "weights" | "klWarmUp"> {
  /** Embedding of the context: which columns are class labels, and a network that transforms them. Default none. */
  embedding?: ContextEmbeddingOptions | undefined;
  /** Whether a kernel density, which contains the training rows, may be a member. Default true. */
  kernel?: boolean | undefined;
  /**
   * The only member: the flow of a recipe, such as `{ name: "nsf", flow: nsf }`. Columns without a density are dequantized with uniform
   * noise, so that log-densities are lower bounds. Columns must have no missing values. Default: the members of the default model.
   */
  recipe?: NamedRecipe | undefined;
  /**
   * How much time the training may take. With `small` the autoregressive network is smaller, flows are left out, and all members train for
   * half as many epochs. With `large` the network is larger and all members train for up to twice as many epochs. Default `default`.
   */
  budget?: Budget | undefined;
  /** Called before each member is trained, with its name, its index and the names of all. */
  onMember?: ((name: string, index: number, names: readonly string[]) => void) | undefined;
  /** The checkpoint store for the member of this name. */
  checkpoints?: ((name: string) => CheckpointStore) | undefined;
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

/** A member with a smaller weight is left out, because it costs time in every use of the model and changes almost nothing. */
const MIN_WEIGHT = 0.02;
/** The smallest weight of the only member with exact conditional distributions. It lowers the log-density by at most 0.001 nats. */
const MIN_WEIGHT_OF_CONDITIONALS = 0.001;

/**
 * Trains the members of the default model of a table on features of its columns (`encodeRows`), and returns their mixture, with the
 * weights of `stackDensities` on the validation rows. With a context it returns the best member. The members share `maxMinutes`.
 */
export async function fitMembers(
  columns: readonly TableColumn[],
  { training, validation }: { training: Dataset; validation: InMemoryDataset },
  options: FitMembersOptions = {},
): Promise<FitMembersResult> {
  const start = performance.now();
  const { embedding, kernel = true, recipe, budget, onMember, checkpoints, maxMinutes, ...others } = options;
  const { communicator = SINGLE_PROCESS } = options;
  const seed = options.seed ?? 0;
  const candidates = candidatesFor(columns, training, { seed, embedding, kernel, recipe, budget });
  const names = candidates.map((candidate) => candidate.name);
  const trained: Omit<Member, "weight">[] = [];
  const logDensities: Float64Array[] = [];
  let stopped: StopReason = "epochs";
  for (const [i, candidate] of candidates.entries()) {
    const { name } = candidate;
    const minutesLeft = await remainingMinutes(start, maxMinutes, communicator);
    if (trained.length > 0 && minutesLeft !== undefined && minutesLeft <= 0) break;
    onMember?.(name, i, names);
    const context = validation.contextFeatures > 0 ? validation.context : undefined;
    if ("fit" in candidate) {
      const limits = { ...(others.signal && { signal: others.signal }), deadline: deadlineOf(minutesLeft) };
      const fitted = await candidate.fit(training.sample, validation, limits);
      const flow = await flowOfRankZero(fitted, communicator);
      const scores = await flow.logProb(validation.values, context);
      const validationLogDensity = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      trained.push({ name, flow, epochs: [], bestEpoch: 0, validationLogDensity });
      logDensities.push(scores);
      continue;
    }
    const { flow, options: ofCandidate } = candidate;
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
  // A kernel density has no epochs.
  const byGradients = trained.filter(({ epochs }) => epochs.length > 0);
  const curve = (byGradients.length > 0 ? byGradients : trained).reduce((a, b) =>
    b.validationLogDensity > a.validationLogDensity ? b : a,
  );
  return { ...stacked(trained, logDensities), curve, stopped };
}

/**
 * The mixture of trained members by stacking. Members of small weight are left out, but one with exact conditional distributions stays.
 * `logDensities` has the log-density of each validation row under each member.
 */
export function stacked(
  trained: readonly Omit<Member, "weight">[],
  logDensities: readonly Float64Array[],
): Omit<FitMembersResult, "curve" | "stopped"> {
  // Each flow has its own embedding of the context, but a model file stores the labels of only one. So there is no mixture, only
  // the best member.
  if (trained.some(({ flow }) => flow.embedding)) {
    const best = trained.reduce((a, b) => (b.validationLogDensity > a.validationLogDensity ? b : a));
    const { flow, validationLogDensity } = best;
    return { flow, members: [{ ...best, weight: 1 }], validationLogDensity };
  }
  const { weights: first } = stackDensities(logDensities);
  const kept = trained.flatMap((_, k) => (first[k] >= MIN_WEIGHT ? [k] : []));
  // Without such a member the model could neither impute values nor explain anomalies.
  const exact = trained.flatMap(({ flow }, k) => (hasExactConditionals(asDistribution(flow)) ? [k] : []));
  const isConditional = exact.length === 0 || kept.some((k) => exact.includes(k));
  if (!isConditional) kept.push(exact.reduce((a, b) => (first[b] > first[a] ? b : a)));
  const minima = kept.map((k) => (isConditional || !exact.includes(k) ? 0 : MIN_WEIGHT_OF_CONDITIONALS));
  const { weights, logDensity } = stackDensities(
    kept.map((k) => logDensities[k]),
    minima,
  );
  const members = kept.map((k, i) => ({ ...trained[k], weight: weights[i] }));
  const [only, ...more] = members;
  if (more.length === 0) return { flow: only.flow, members, validationLogDensity: only.validationLogDensity };
  const distributions = members.map(({ flow }) => asDistribution(flow));
  const flow = new Flow(new Mixture(distributions, { weights, learned: false }));
  return { flow, members, validationLogDensity: logDensity };
}

/** A flow without layers is its base distribution, which may have exact conditional distributions. */
const asDistribution = (flow: Flow): Distribution => (flow.bijection.isIdentity ? flow.base : flow);
