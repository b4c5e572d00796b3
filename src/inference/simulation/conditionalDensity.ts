import {
  type Bijection,
  Chain,
  type DataRows,
  Standardize,
  StandardizeContext,
} from "../../bijections/index.ts";
import {
  abortSignal,
  anyValue,
  callback,
  integerFrom,
  isPlainObject,
  type OptionRule,
  type OptionRules,
  PushforwardError,
} from "../../check/index.ts";
import type { InMemoryDataset } from "../../dataset/index.ts";
import { ContextEmbedding, type ContextEmbeddingOptions, Mixture } from "../../distributions/index.ts";
import { Flow, nsf } from "../../flows/index.ts";
import { Random } from "../../random/index.ts";
import { type EngineOptions, engineRules } from "../../runtime/index.ts";
import { definedOptions, type FitOptions, fit, stackDensities } from "../../train/index.ts";
import { anySignal, throwIfAborted } from "../interruption.ts";
import { linearRegression } from "./linearRegression.ts";

/** The fraction of the rows that is held out, for early stopping and for the weights of the mixture. */
const VALIDATION_FRACTION = 0.1;
/** Flows with smaller weights are left out: they change the density very little, but take time in each evaluation. */
const MIN_WEIGHT = 0.02;

/** Options of `fit` that this file sets itself: all flows have the same validation rows, and are initialized here. */
const RESERVED_OPTIONS = ["seed", "validation", "validationFraction", "initialize"] as const;

const memberFitOptions: OptionRule = {
  expected: `an object with options of fit other than ${RESERVED_OPTIONS.join(", ")}`,
  accepts: (value) => isPlainObject(value) && RESERVED_OPTIONS.every((name) => value[name] === undefined),
};

/** Options of the conditional density that `fitPosterior` and `fitLikelihood` fit. */
export interface ConditionalDensityOptions extends EngineOptions {
  /** Number of flows in the mixture. Default 4. */
  members?: number | undefined;
  /**
   * Options of `fit` for each flow. A tenth of the simulations is always held out. Default AdamW with a learning rate of 0.001 and a weight
   * decay of 0.3.
   */
  fit?: Omit<FitOptions, (typeof RESERVED_OPTIONS)[number]> | undefined;
  /**
   * A network that reduces the context, which is the data for `fitPosterior` and the coordinates for `fitLikelihood`, to `size` numbers.
   * Each flow trains a network of its own. With this option no flow begins at a linear regression. Default none.
   */
  embedding?: Omit<ContextEmbeddingOptions, "numbers" | "classes"> | undefined;
  /** Seed of all random numbers. Default 0. */
  seed?: number | undefined;
  /** Ends simulations and fits with an `INTERRUPTED` error. Default none. */
  signal?: AbortSignal | undefined;
  /** Called after each step with the index of the flow that is fitted, and the largest held-out log-density so far, in nats. */
  onProgress?:
    | ((progress: { readonly member: number; readonly members: number; readonly best: number }) => void)
    | undefined;
}

/** The rules of `ConditionalDensityOptions`. `fit` and `ContextEmbedding` check the further options that they get. */
export const conditionalDensityRules: OptionRules<ConditionalDensityOptions> = {
  ...engineRules,
  members: integerFrom(1),
  fit: memberFitOptions,
  embedding: anyValue,
  seed: integerFrom(0),
  signal: abortSignal,
  onProgress: callback,
};

/** A flow p(x | context), and the mean log-density of rows that were held out, in nats. */
export interface ConditionalDensity {
  readonly flow: Flow;
  readonly validationLogDensity: number;
}

/**
 * Fits the default conditional density: a mixture of spline flows, with the weights that maximize the likelihood of held-out rows
 * (stacking, Smyth and Wolpert 1999). Two kinds of flows alternate. One begins at the linear regression of the features on the context,
 * for which few rows suffice; the other, with residual networks, is better where the regression explains little.
 *
 * @throws DATA for fewer than two rows; INTERRUPTED when `signal` is aborted; the errors of `fit`.
 */
export async function fitConditionalDensity(
  rows: InMemoryDataset,
  {
    members = 4,
    seed = 0,
    fit: options,
    embedding,
    signal,
    onProgress,
    ...engine
  }: ConditionalDensityOptions,
): Promise<ConditionalDensity> {
  if (rows.rows < 2) {
    throw new PushforwardError("DATA", "there are too few simulations for a fit", {
      expected: "at least 2 with finite values, and hundreds for a useful result",
      received: `${rows.rows}`,
    });
  }
  const { training, validation } = rows.split(VALIDATION_FRACTION, seed);
  const fitSignal = anySignal(signal, options?.signal);
  const flows: Flow[] = [];
  const logDensities: Float64Array[] = [];
  for (let member = 0; member < members; member++) {
    const memberSeed = seed * members + member;
    const flow = initialFlow(training, member % 2 === 0, embedding, memberSeed);
    await fit(flow, training, {
      optimizer: { learningRate: 1e-3, weightDecay: 0.3 },
      ...definedOptions(options),
      ...engine,
      validation,
      initialize: false,
      seed: memberSeed,
      signal: fitSignal,
      onProgress(progress) {
        onProgress?.({ member, members, best: progress.best });
        options?.onProgress?.(progress);
      },
    });
    await throwIfAborted(signal);
    flows.push(flow);
    logDensities.push(await flow.logProb(validation.values, validation.context, engine));
    await flow.release();
  }
  const { weights: initialWeights } = stackDensities(logDensities);
  const kept = keptMembers(initialWeights);
  const { weights, logDensity } = stackDensities(kept.map((k) => logDensities[k]));
  const parts = kept.map((k) => flows[k]);
  const flow = parts.length === 1 ? parts[0] : new Flow(new Mixture(parts, { weights, learned: false }));
  return { flow, validationLogDensity: logDensity };
}

/** The indices of the flows that stay in the mixture, from their weights: of many equally good flows, all weights may be small. */
export function keptMembers(weights: ArrayLike<number>): number[] {
  const all = Array.from(weights);
  const minWeight = Math.min(MIN_WEIGHT, Math.max(...all));
  return [...all.keys()].filter((k) => all[k] >= minWeight);
}

/**
 * A flow before training, with features and context standardized by the rows. With options of an embedding, a network reduces the context;
 * otherwise the flow begins at the linear regression if `isRegression`.
 */
function initialFlow(
  { features, contextFeatures, rows, values, context }: InMemoryDataset,
  isRegression: boolean,
  embeddingOptions: ConditionalDensityOptions["embedding"],
  seed: number,
): Flow {
  const network = isRegression
    ? { hidden: [50, 50] }
    : { hidden: [64, 64], residual: true, activation: "silu" as const };
  const spline = (size: number) => nsf(features, { context: size, transforms: 3, ...network, seed });
  const standardize = standardizationOf({ rows, features, values });
  if (embeddingOptions) {
    const random = new Random(seed).split("embedding");
    const embedding = new ContextEmbedding({ ...embeddingOptions, numbers: contextFeatures }, random);
    embedding.fitToData({ rows, features, values, context });
    const { base, bijection } = spline(embedding.size);
    return new Flow(base, Chain.joined([bijection, standardize]), embedding);
  }
  const standardizeContext = standardizationOf({ rows, features: contextFeatures, values: context });
  const { base, bijection } = spline(contextFeatures);
  const layers: Bijection[] = [bijection];
  if (isRegression) {
    const targets = { rows, features, values: standardize.toLatent(values) };
    const predictors = {
      rows,
      features: contextFeatures,
      values: standardizeContext.toLatent(context),
    };
    layers.push(linearRegression(targets, predictors));
  }
  const standardized = new StandardizeContext(Chain.joined(layers), standardizeContext);
  return new Flow(base, new Chain([standardized, standardize]));
}

function standardizationOf(rows: DataRows): Standardize {
  const standardize = new Standardize({ features: rows.features });
  standardize.fitToData(rows);
  return standardize;
}
