import type { Labels } from "../data/index.ts";
import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import { ContextEmbedding } from "../distributions/index.ts";
import {
  cnf,
  embedContext,
  type Flow,
  forTables,
  glow,
  iaf,
  maf,
  naf,
  nice,
  nsf,
  planarFlow,
  realNVP,
  withConstants,
} from "../flows/index.ts";
import { fitTableFlows, withoutConstants } from "../train/fitTable.ts";
import { type CheckpointStore, type FitOptions, type FitResult, fit } from "../train/index.ts";
import type { Settings } from "./fitSettings.ts";
import type { TrainingProgress } from "./trainingProgress.ts";

export const RECIPES = { nsf, maf, realnvp: realNVP, glow, nice, iaf, planar: planarFlow, naf, cnf } as const;

/** What a training works with. */
export interface Training {
  readonly columns: readonly string[];
  readonly constants: ReadonlyMap<number, number>;
  /** Columns of numbers first, those of labels after them. */
  readonly given: readonly string[];
  readonly labels: Labels;
  readonly training: Dataset;
  readonly validation: InMemoryDataset;
  /** Where the checkpoints of one flow are kept. */
  readonly checkpoints: (name?: string) => CheckpointStore;
  readonly signal: AbortSignal;
  readonly progress: TrainingProgress;
}

export interface Trained extends FitResult {
  readonly flow: Flow;
  /** The kind of flow: that of `--flow`, or the one that the default chose. */
  readonly name: string;
}

/** Trains the flow that the settings name on the columns that vary; the others are constants of it. */
export async function train(settings: Settings, parts: Training): Promise<Trained> {
  const { constants, columns } = parts;
  const trained = await trainVarying(settings, {
    ...parts,
    columns: columns.filter((_, i) => !constants.has(i)),
    ...(withoutConstants(parts, constants) as Pick<Training, "training" | "validation">),
  });
  return { ...trained, flow: withConstants(trained.flow, constants) };
}

async function trainVarying(settings: Settings, parts: Training): Promise<Trained> {
  const { training, validation, checkpoints, signal, progress, columns, given, labels } = parts;
  const { flow: kind, learningRate, transforms, hidden, seed } = settings;
  const classes = [...labels.values()].map(({ length }) => length);
  const embedding = classes.length > 0 ? { numbers: given.length - classes.length, classes } : undefined;
  const options = {
    seed,
    epochs: settings.epochs,
    patience: settings.patience,
    batchSize: settings.batchSize,
    maxMinutes: settings.maxMinutes,
    threads: settings.threads,
    ...(learningRate !== undefined && { optimizer: { learningRate } }),
    signal,
    onEpoch: (epoch) => progress.onEpoch(epoch),
    onProgress: (position) => progress.onProgress(position),
    onRecovery: (message) => progress.onRecovery(message),
  } satisfies FitOptions;
  if (kind === "default") {
    return fitTableFlows({ training, validation }, training.rows + validation.rows, {
      ...options,
      embedding,
      checkpoints,
      onFlow: (name) => progress.onFlow(name),
    });
  }
  const context = embedding && new ContextEmbedding(embedding);
  const bare = RECIPES[kind](columns.length, {
    context: context?.size ?? given.length,
    seed,
    ...(transforms && { transforms }),
    ...(hidden && { hidden }),
  });
  const flow = forTables(context ? embedContext(bare, context) : bare);
  progress.onFlow(kind);
  const result = await fit(flow, training, {
    ...options,
    validation,
    ...(kind === "cnf" && { objective: "flowMatching" }),
    checkpoint: checkpoints(),
  });
  return { ...result, flow, name: kind };
}
