import { broadcastNumber, SINGLE_PROCESS } from "../../communicator/index.ts";
import {
  concatDatasets,
  concatRows,
  crossValidationSplits,
  type InMemoryDataset,
  type Split,
  type SplitWithTest,
} from "../../dataset/index.ts";
import { type ContextEmbeddingOptions, type Distribution, Mixture } from "../../distributions/index.ts";
import { Flow } from "../../flows/index.ts";
import { mean } from "../../numerics/index.ts";
import {
  type CheckpointStore,
  deadlineOf,
  definedOptions,
  type FitEpoch,
  type FitOptions,
  fit,
  remainingMinutes,
  type StopReason,
  stackDensities,
} from "../../train/index.ts";
import type { TableColumn } from "../columns/index.ts";
import { hasExactConditionals } from "../densities/index.ts";
import type { Budget } from "../options/index.ts";
import { broadcastFlow } from "./broadcastFlow.ts";
import { isKernelDensity, MAX_CENTERS } from "./fittedCandidates.ts";
import { type Candidate, candidatesFor, hasLinearTails, type NamedRecipe } from "./memberCandidates.ts";

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
  extends Omit<
    FitOptions,
    "initialize" | "checkpoint" | "validation" | "validationFraction" | "context" | "weights" | "klWarmUp"
  > {
  /** Embedding of the context: which columns are class labels, and a network that transforms them. Default none. */
  embedding?: ContextEmbeddingOptions | undefined;
  /**
   * Whether the model may contain training rows: those of kernel densities, and up to 4,000 with which anomaly scores compare rows. Default
   * true.
   */
  kernel?: boolean | undefined;
  /**
   * The only member: the flow of a recipe, such as `{ name: "nsf", flow: nsf }`. Columns without a density are dequantized with uniform
   * noise, so that log-densities are lower bounds. Columns must have no missing values. Default: the members of the default model.
   */
  recipe?: NamedRecipe | undefined;
  /**
   * How much time the training may take. With `small` the autoregressive network is smaller, flows are left out, and all members train for
   * half as many epochs. With `large` the network is larger and all members train for up to twice as many epochs. In tables of 200 features or
   * more, the network is the same with all budgets. Default `default`.
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
  /** The number of splits: 1, or 2 for a cross-validated model. */
  readonly splits: number;
  /**
   * If `flow` has learned its validation rows: a mixture with the same weights that has not, with its own training and validation rows. It
   * is the mixture before the refit or, after cross-validation, that of the densities of the first split.
   */
  readonly validated?: (Split<InMemoryDataset> & { readonly flow: Flow }) | undefined;
  /**
   * The epochs of the member with the highest validation log-density among those trained by gradients. If its weight is small, it is not part
   * of the mixture.
   */
  readonly trainingCurve: Pick<Member, "name" | "epochs" | "bestEpoch">;
  /**
   * `time` if the time limit ended the training of a member, or left members out; `signal` if the signal ended it. Otherwise the reason of the
   * member of `trainingCurve`.
   */
  readonly stopped: StopReason;
}

/** A member with a smaller weight is left out, because it costs time in every use of the model and changes almost nothing. */
const MIN_WEIGHT = 0.02;
/**
 * The prior of the weights, as a number of rows that the members share (`stackDensities`). It keeps weights that are estimated from a few
 * validation rows away from 0, and was chosen in bench/tables/EXPERIMENTS.md.
 */
const PRIOR_ROWS = 1;
/**
 * In later splits of a cross-validation, a member is trained for at most this many times as many epochs as were best in the first split, which
 * saves most of the epochs of patience (bench/tables/EXPERIMENTS.md).
 */
const EPOCHS_OF_LATER_SPLITS = 2;
/** The share of `maxMinutes` for a member that is fitted without gradients, relative to 1 for a member that is trained by gradients. */
const SHARE_OF_FITTED = 0.1;
/**
 * Refitting uses the validation rows up, so that `report` has only the test rows as held-out rows. Only kernel densities with at least this
 * weight in total are worth that.
 */
const MIN_WEIGHT_OF_REFIT = 0.5;

/** A trained member without a weight. */
interface TrainedMember extends Omit<Member, "weight"> {
  /** The log-density of each validation row in nats. */
  readonly logDensities: Float64Array;
  /** By how much the log-densities of this member are expected to rise after the weights are estimated, relative to those of others. */
  readonly refitGain?: number | undefined;
  readonly stopped: StopReason;
}

/**
 * Trains the members of the default model of a table on features of its columns (`encodeRows`), and returns their mixture, with the
 * weights of `stackDensities` on the validation rows. With a context it returns the best member. The members share `maxMinutes`,
 * and what one leaves of its share is for the later ones.
 *
 * Afterwards kernel densities with at least half of the weight are fitted again, to the training and validation rows; the weights stay. This
 * needs test rows, because otherwise no row would be new to the model, and at most 4,000 training rows.
 *
 * A small table with test rows has too few validation rows for these weights, so it is cross-validated: each member is trained on each of the
 * `crossValidationSplits` and becomes the equal mixture of the resulting densities. The weights are those for the validation rows of all
 * splits. Since the model has learned these rows, its kernel densities are fitted to all of them, whatever their weights. The weights are
 * estimated as if the density of `kernel-density` were already as high as this makes it (`FittedCandidate.refitGain`).
 */
export async function fitMembers(
  columns: readonly TableColumn[],
  rows: SplitWithTest,
  options: FitMembersOptions = {},
): Promise<FitMembersResult> {
  const start = performance.now();
  const { embedding, kernel = true, recipe, budget, onMember, checkpoints, maxMinutes, ...others } = options;
  const { communicator = SINGLE_PROCESS } = options;
  const seed = options.seed ?? 0;
  const crossed = recipe ? undefined : crossValidationSplits(rows, seed);
  const splits: readonly Split[] = crossed ?? [rows];
  // The densities of all splits have the same atoms, so that they can be mixed.
  const learned = crossed ? concatDatasets([rows.training.sample, rows.validation]) : rows.training;
  const candidates = splits.flatMap((split, k) =>
    candidatesFor(columns, learned, { seed: seed + k, embedding, kernel, recipe, budget }).map(
      (candidate) => ({ candidate, split, name: k === 0 ? candidate.name : `${candidate.name}-${k + 1}` }),
    ),
  );
  const names = candidates.map(({ name }) => name);
  const trained: TrainedMember[] = [];
  let cutShort: "time" | "signal" | undefined;
  for (const [i, { candidate, split, name }] of candidates.entries()) {
    const minutesLeft = await remainingMinutes(start, maxMinutes, communicator);
    if (trained.length > 0 && minutesLeft !== undefined && minutesLeft <= 0) {
      cutShort = "time";
      break;
    }
    const share = minutesLeft === undefined ? undefined : minutesLeft * shareOfTime(candidates.slice(i));
    onMember?.(name, i, names);
    if ("fit" in candidate) {
      const limits = { signal: others.signal, deadline: deadlineOf(share) };
      const fitted = await candidate.fit(split.training.sample, split.validation, limits);
      // Rank 0 decides, so that all processes train the same members.
      if ((await broadcastNumber(communicator, others.signal?.aborted ? 1 : 0)) === 1) cutShort = "signal";
      const flow = await broadcastFlow(fitted, communicator);
      const untrained = { epochs: [], bestEpoch: 0, stopped: "epochs" } as const;
      const refitGain = crossed && candidate.refitGain;
      trained.push(await evaluated({ name: candidate.name, flow, refitGain, ...untrained }, split));
      if (cutShort === "signal") break;
      continue;
    }
    const { flow, options: candidateOptions } = candidate;
    const fitOptions = { ...candidateOptions, ...definedOptions(others) };
    const inFirstSplit = trained.find((member) => member.name === candidate.name);
    const maxEpochs = inFirstSplit && Math.max(1, EPOCHS_OF_LATER_SPLITS * inFirstSplit.bestEpoch);
    const result = await fit(flow, split.training, {
      ...fitOptions,
      ...(maxEpochs && { epochs: Math.min(fitOptions.epochs ?? maxEpochs, maxEpochs) }),
      optimizer: { ...candidateOptions.optimizer, ...definedOptions(others.optimizer) },
      validation: split.validation,
      ...(share !== undefined && { maxMinutes: share }),
      ...(checkpoints && { checkpoint: checkpoints(name) }),
    });
    const { epochs, bestEpoch, stopped } = result;
    trained.push(await evaluated({ name: candidate.name, flow, epochs, bestEpoch, stopped }, split));
    if (stopped === "time" || stopped === "signal") cutShort = stopped;
    if (stopped === "signal") break;
  }
  const ofFirstSplit = trained.slice(0, candidates.length / splits.length);
  // The time limit may end the training within a later split, which then has no part in the model.
  const completeSplits = Math.max(1, Math.floor(trained.length / ofFirstSplit.length));
  const validated = stacked(meansOverSplits(trained, ofFirstSplit.length));
  // The mixture has sessions of its own.
  for (const { flow } of trained) await flow.release();
  // A kernel density has no epochs.
  const byGradients = ofFirstSplit.filter(({ epochs }) => epochs.length > 0);
  const trainingCurve = (byGradients.length > 0 ? byGradients : ofFirstSplit).reduce((a, b) =>
    b.validationLogDensity > a.validationLogDensity ? b : a,
  );
  const stopped = cutShort ?? trainingCurve.stopped;
  const result = { ...validated, splits: completeSplits, trainingCurve, stopped };
  const flowOfFirstSplit = crossed
    ? mixtureOf(
        validated.members.map(({ name, weight }) => ({
          flow: ofFirstSplit.find((member) => member.name === name)!.flow,
          weight,
        })),
      )
    : validated.flow;
  const isOver = stopped === "signal" || (await remainingMinutes(start, maxMinutes, communicator)) === 0;
  const members: Member[] = [];
  const weightOfKernels = validated.members.reduce(
    (sum, { name, weight }) => sum + (isKernelDensity(name) ? weight : 0),
    0,
  );
  const isWorthIt = crossed !== undefined || weightOfKernels >= MIN_WEIGHT_OF_REFIT;
  for (const member of validated.members) {
    const { candidate } = candidates.find(({ name }) => name === member.name)!;
    // Kernel densities of many rows gain little from the validation rows.
    const isPossible = !isOver && rows.test !== undefined && learned.rows <= MAX_CENTERS;
    members.push(isWorthIt && isPossible ? await refitted(member, candidate, rows, options) : member);
  }
  // Of the splits, even the first one has validation rows of `rows` among its training rows.
  if (!crossed && members.every(({ flow }, m) => flow === validated.members[m]!.flow)) return result;
  const first = splits[0]!;
  return {
    ...result,
    flow: mixtureOf(members),
    members,
    validated: { training: first.training.sample, validation: first.validation, flow: flowOfFirstSplit },
  };
}

/** The share of the first of these candidates in the time that is left for all of them. */
function shareOfTime(candidates: readonly { readonly candidate: Candidate }[]): number {
  const shares = candidates.map(({ candidate }): number => ("fit" in candidate ? SHARE_OF_FITTED : 1));
  return shares[0]! / shares.reduce((a, b) => a + b);
}

/** Adds the log-densities of the validation rows to a member. */
async function evaluated(
  member: Omit<TrainedMember, "logDensities" | "validationLogDensity">,
  { validation }: Split,
): Promise<TrainedMember> {
  const context = validation.contextFeatures > 0 ? validation.context : undefined;
  const logDensities = await member.flow.logProb(validation.values, context);
  return { ...member, logDensities, validationLogDensity: mean(logDensities) };
}

/** The member, fitted to the training and validation rows if its candidate has the function `refit`. */
async function refitted(
  member: Member,
  candidate: Candidate,
  { training, validation }: SplitWithTest,
  { signal, communicator = SINGLE_PROCESS }: FitMembersOptions,
): Promise<Member> {
  if (!("fit" in candidate && candidate.refit)) return member;
  const fitted = await candidate.refit(concatDatasets([training.sample, validation]), { signal });
  // After a signal this fit is incomplete.
  const flow = await broadcastFlow(signal?.aborted ? member.flow : fitted, communicator);
  return { ...member, flow };
}

/** The members of trained densities, `count` for each split: the equal mixtures of the densities of all complete splits. */
function meansOverSplits(trained: readonly TrainedMember[], count: number): readonly TrainedMember[] {
  const splits = Math.floor(trained.length / count);
  return trained.slice(0, count).map((first, m) => {
    if (splits === 1) return first;
    const ofSplits = Array.from({ length: splits }, (_, k) => trained[k * count + m]!);
    const logDensities = concatRows(ofSplits.map((each) => each.logDensities));
    const flow = mixtureOf(ofSplits.map((each) => ({ flow: each.flow, weight: 1 / splits })));
    return { ...first, flow, logDensities, validationLogDensity: mean(logDensities) };
  });
}

/**
 * The mixture of trained members by stacking. Members of small weight are left out, but one with exact conditional distributions stays, and one
 * with linear tails.
 */
export function stacked(
  trained: readonly TrainedMember[],
): Pick<FitMembersResult, "flow" | "members" | "validationLogDensity"> {
  const withWeight = (
    { logDensities: _, refitGain: _gain, ...member }: TrainedMember,
    weight: number,
  ): Member => ({
    ...member,
    weight,
  });
  // Each flow has its own embedding of the context, but a model file stores the labels of only one. So there is no mixture, only
  // the best member.
  if (trained.some(({ flow }) => flow.embedding)) {
    const best = trained.reduce((a, b) => (b.validationLogDensity > a.validationLogDensity ? b : a));
    const { flow, validationLogDensity } = best;
    return { flow, members: [withWeight(best, 1)], validationLogDensity };
  }
  const stack = (those: readonly TrainedMember[]) =>
    stackDensities(
      those.map(({ logDensities }) => logDensities),
      { priorRows: PRIOR_ROWS, gains: those.map(({ refitGain }) => refitGain ?? 0) },
    );
  const { weights: weightsOfAll } = stack(trained);
  const kept = trained.flatMap((_, k) => (weightsOfAll[k] >= MIN_WEIGHT ? [k] : []));
  /** Keeps the member with the largest weight among those with a property, unless none has it or one of them is kept already. */
  const keepOne = (has: (member: TrainedMember) => boolean) => {
    const those = trained.flatMap((member, k) => (has(member) ? [k] : []));
    if (those.length === 0 || kept.some((k) => those.includes(k))) return;
    kept.push(those.reduce((a, b) => (weightsOfAll[b] > weightsOfAll[a] ? b : a)));
  };
  // Without such a member the model could neither impute values nor explain anomalies.
  keepOne(({ flow }) => hasExactConditionals(asDistribution(flow)));
  // Normal distributions that follow an equation between columns can have a log-density of minus a million at a row that violates it.
  keepOne(({ name }) => hasLinearTails(name));
  const { weights, logDensity } = stack(kept.map((k) => trained[k]));
  const members = kept.map((k, i) => withWeight(trained[k], weights[i]));
  return { flow: mixtureOf(members), members, validationLogDensity: logDensity };
}

/** The mixture of flows with fixed weights, or the flow itself if there is only one. */
function mixtureOf(parts: readonly Pick<Member, "flow" | "weight">[]): Flow {
  const [first, ...others] = parts;
  if (others.length === 0) return first!.flow;
  const weights = parts.map(({ weight }) => weight);
  return new Flow(
    new Mixture(
      parts.map(({ flow }) => asDistribution(flow)),
      { weights, learned: false },
    ),
  );
}

/** A flow without layers is its base distribution, which may have exact conditional distributions. */
const asDistribution = (flow: Flow): Distribution => (flow.bijection.isIdentity ? flow.base : flow);
