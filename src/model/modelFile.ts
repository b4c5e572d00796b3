import * as z from "zod/mini";
import { PushforwardError, parse, shortened, withSizeBudget } from "../check/index.ts";
import { type CustomKind, withCustomKinds } from "../distributions/index.ts";
import { buildRegisteredFlow, type Flow, type FlowDescription, flowSchema } from "../flows/index.ts";
import { type ImageShape, imageSchema, imageSize } from "../nn/index.ts";
import {
  checksumError,
  decodeWithChecksum,
  isUnknownType,
  type StoredArray,
  setParameters,
} from "../parts/index.ts";
import type { SplitArrays } from "./splitAnomalyArrays.ts";

/** Reads what only models of tables have in their files. It is a parameter, so that a page with other models does not load it. */
interface TableReader<Table, Anomalies> {
  readonly tableSchema: z.ZodMiniType<Table>;
  /** The names of the features that encode the columns. */
  tableFeatures(table: Table): readonly string[];
  /** Separates the arrays of the flow from those of the reference of the anomaly score. */
  splitAnomalyArrays(arrays: ReadonlyMap<string, StoredArray>): SplitArrays;
  /** Reads the reference of the anomaly score. Undefined if the file has none. */
  readAnomalyReference(arrays: ReadonlyMap<string, StoredArray>, features: number): Anomalies | undefined;
}

/** The version of the format. It changes when the layout of parameters changes, or when older readers would misread a file. */
export const FORMAT = 7;
export const KEY = "pushforward";
const CHANGED_FILE_HINT = "The file was not written by pushforward, or was changed since.";

/** Statistics of a column of the context in the training rows: the range of its numbers, or the number of rows of each label. */
const givenSchema = z.union([
  z.strictObject({ minimum: z.number(), maximum: z.number() }),
  z.strictObject({ counts: z.array(z.int().check(z.nonnegative())) }),
]);

/** JSON has no infinite numbers: -Infinity, the mean if a row is outside of the support, is left out. */
const logDensitySchema = z._default(z.number(), Number.NEGATIVE_INFINITY);

const fractionSchema = z.number().check(z.minimum(0), z.maximum(1));

const trainingSchema = z.strictObject({
  /** Number of rows, including validation rows. */
  rows: z.int().check(z.nonnegative()),
  seed: z.int().check(z.nonnegative()),
  epochs: z.int().check(z.nonnegative()),
  bestEpoch: z.int().check(z.nonnegative()),
  /** Mean log-density of the validation rows in nats, in data units. */
  validationLogDensity: logDensitySchema,
  /**
   * The fraction of the rows that was held out for the test, and the fraction of the other rows for validation, drawn with
   * `seed`.
   */
  split: z.optional(z.strictObject({ test: fractionSchema, validation: fractionSchema })),
  /** A digest of all rows, by which the table of the training is recognized. */
  fingerprint: z.optional(z.string()),
  /** Whether the model has learned the validation rows of `split`, after it was validated. */
  learnedValidationRows: z.optional(z.boolean()),
  /** Statistics of each column in `given`. */
  given: z.optional(z.array(givenSchema)),
  /** The members of a mixture, which were trained separately, with their weights and the mean log-density of the validation rows. */
  members: z.optional(
    z.array(
      z.strictObject({
        name: z.string(),
        weight: z.number().check(z.minimum(0), z.maximum(1)),
        validationLogDensity: logDensitySchema,
      }),
    ),
  ),
});

const modelSchema = z.strictObject({
  format: z.literal(FORMAT),
  flow: flowSchema,
  /** Names of the data columns, in the order of the flow's features. */
  columns: z.array(z.string()),
  /** The columns of a table whose values the features encode. `columns` has the names of the features then. */
  table: z.optional(z.unknown()),
  /** [height, width, channels], if the rows are images. */
  image: z.optional(imageSchema),
  /** Names of the columns of the context, in the order of the context features. */
  given: z._default(z.array(z.string()), []),
  /** The names of the classes of each of the last columns of `given`, which are class labels. */
  labels: z.optional(z.array(z.array(z.string()))),
  training: z.optional(trainingSchema),
});

/** Statistics of the columns of the context in the training rows: the range of the numbers, or the number of rows of each label. */
export type GivenRecord = z.output<typeof givenSchema>;

/** How a model was trained. */
export type TrainingRecord = z.output<typeof trainingSchema>;

/** The content of a model file: a flow, and the names of its columns. A wing adds what only its models have. */
export interface ModelContents {
  readonly flow: Flow;
  /** Names of the data columns, in the order of the features. */
  readonly columns: readonly string[];
  /** [height, width, channels], if the rows are images. See `ImageModel`. */
  readonly image?: ImageShape;
  /** Names of the columns of the context. */
  readonly given: readonly string[];
  /** For each of the last columns of `given`, which are class labels: the names of the classes 0, 1, 2... in tables. */
  readonly labels?: readonly (readonly string[])[];
  readonly training?: TrainingRecord;
}

/** The content of a model file before its description is validated. */
interface ModelContainer {
  readonly arrays: ReadonlyMap<string, StoredArray>;
  readonly description: unknown;
  /** The size of the file. */
  readonly bytes: number;
}

/** Reads the arrays and the description. Throws `MODEL` for a file that is not a model, or whose description is too large. */
export function parseContainer(bytes: Uint8Array): ModelContainer {
  const { arrays, metadata, hasChecksum } = decodeWithChecksum(bytes);
  const description = readDescription(metadata);
  if (!hasChecksum) throw checksumError("a checksum", "none");
  checkDescriptionSize(description, "MODEL");
  return { arrays, description, bytes: bytes.length };
}

/**
 * Builds the model of a file. All kinds of its description must be registered, or be in `kinds`. A file whose description has a table
 * needs `tableReader`.
 */
export function readModel<Table, Anomalies>(
  container: ModelContainer,
  kinds: readonly CustomKind[],
  tableReader: TableReader<Table, Anomalies> | undefined,
): ModelContents & { readonly table?: Table; readonly anomalies?: Anomalies } {
  const { arrays, bytes } = container;
  const numbers = [...arrays.values()].reduce((sum, { values }) => sum + values.length, 0);
  const {
    columns,
    table: unchecked,
    image,
    given,
    labels,
    training,
    flow,
  } = withSizeBudget({ numbers, bytes }, () =>
    withCustomKinds(kinds, () => {
      const description = parseDescription(container.description);
      return { ...description, flow: buildModelFlow(description.flow, kinds) };
    }),
  );
  const areDistinctNames = (names: readonly string[], size: number) =>
    names.length === size && new Set(names).size === size;
  if (!areDistinctNames(columns, flow.features) || !areDistinctNames(given, flow.context)) {
    throw new PushforwardError("MODEL", "the names of the model's columns do not match its flow", {
      expected: `${flow.features} different columns and ${flow.context} of the context`,
      received: `${columns.length} and ${given.length}`,
      hint: CHANGED_FILE_HINT,
    });
  }
  const reader = unchecked === undefined ? undefined : tableReader!;
  const table =
    reader && parse(reader.tableSchema, unchecked, "the table of the model's description", "MODEL");
  const features = table ? reader.tableFeatures(table) : columns;
  if (features.join("\n") !== columns.join("\n")) {
    throw new PushforwardError("MODEL", "the columns of the model's table do not match its features", {
      expected: columns.join(", "),
      received: features.join(", "),
      hint: CHANGED_FILE_HINT,
    });
  }
  if (image && imageSize(image) !== flow.features) {
    throw new PushforwardError("MODEL", "the model's images do not have the size of the rows of its flow", {
      expected: `${flow.features} numbers`,
      received: image.join(" x "),
      hint: CHANGED_FILE_HINT,
    });
  }
  flow.columns = columns;
  flow.contextColumns = given;
  if (labels) checkLabels(labels, flow);
  const split = reader?.splitAnomalyArrays(arrays);
  setParameters(split?.flowArrays ?? arrays, flow.parameters(), { file: "the model", owner: "its flow" });
  const anomalies = split && reader!.readAnomalyReference(split.anomalyArrays, flow.features);
  return {
    flow,
    columns,
    given,
    ...(table && { table }),
    ...(image && { image }),
    ...(labels && { labels }),
    ...(training && { training }),
    ...(anomalies && { anomalies }),
  };
}

/** Validates a description. For an unknown type, the error explains how to load custom classes. */
function parseDescription(unchecked: unknown): z.output<typeof modelSchema> {
  try {
    return parse(modelSchema, unchecked, "the model's description", "MODEL");
  } catch (error) {
    if (!isUnknownType(error)) throw error;
    const { path, received } = error;
    throw new PushforwardError("MODEL", "the model has a part of an unknown type", {
      received: `${received} at ${path}`,
      hint: "If this is a custom class, give its kind to decodeModel or loadModel: { kinds: [...] }.",
      path,
      cause: error,
    });
  }
}

/** Builds the flow of a model file. Any error, such as parts of different sizes, is an error of the file: `MODEL`. */
function buildModelFlow(description: FlowDescription, kinds: readonly CustomKind[]): Flow {
  try {
    return buildRegisteredFlow(description, kinds, 0);
  } catch (error) {
    if (!(error instanceof PushforwardError) || error.code === "MODEL") throw error;
    throw new PushforwardError("MODEL", `the model's flow cannot be built: ${error.summary}`, {
      ...error,
      hint: CHANGED_FILE_HINT,
      cause: error,
    });
  }
}

/** The largest number of objects in a description, without those of features. A layer has up to three, and no flow has thousands of layers. */
const MAX_OBJECTS = 10_000;
/** Each member of the default model of a table has a few objects for each feature, such as its scale and its knots. */
const MAX_OBJECTS_OF_FEATURE = 50;
/** The largest nesting depth of arrays and objects in a description. Each part inside another part takes two levels. */
const MAX_DEPTH = 100;

/**
 * Bounds the size of a description, since many parts without parameters take time although the file has no numbers for them. It
 * uses no recursion, which could exceed the stack.
 */
export function checkDescriptionSize(description: unknown, code: "MODEL" | "ARGUMENT"): void {
  const open: { value: unknown; depth: number }[] = [{ value: description, depth: 0 }];
  const { columns } = Object(description) as { columns?: unknown };
  const maxObjects = MAX_OBJECTS + (Array.isArray(columns) ? MAX_OBJECTS_OF_FEATURE * columns.length : 0);
  let objects = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) objects++;
    if (depth >= MAX_DEPTH || objects > maxObjects) {
      throw new PushforwardError(code, "the model's description is too large", {
        expected: `at most ${maxObjects} objects, nested up to ${MAX_DEPTH} deep`,
        received: depth >= MAX_DEPTH ? "a deeper nesting" : "more objects",
        hint: "Use fewer layers.",
      });
    }
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 });
  }
}

function checkLabels(labels: NonNullable<ModelContents["labels"]>, { embedding }: Flow): void {
  const expected = (embedding?.describe().classes ?? []).join(", ");
  const received = labels.map((names) => new Set(names).size).join(", ");
  if (expected === received) return;
  throw new PushforwardError("MODEL", "the model's labels do not match the classes of its flow", {
    expected: shortened(expected) || "none",
    received: shortened(received) || "none",
    hint: CHANGED_FILE_HINT,
  });
}

function readDescription(metadata: Readonly<Record<string, string>>): unknown {
  const text = metadata[KEY];
  if (text === undefined) {
    const isCheckpoint = "pushforward.checkpoint" in metadata;
    throw new PushforwardError(
      "MODEL",
      isCheckpoint
        ? "the file is a checkpoint, not a model"
        : "the safetensors file is not a pushforward model",
      {
        hint: isCheckpoint
          ? "Resume the training with `fit --resume`."
          : "Give a file that `pushforward fit` wrote.",
      },
    );
  }
  let description: unknown;
  try {
    description = JSON.parse(text);
  } catch (cause) {
    throw new PushforwardError("MODEL", "the model's description is not valid JSON", {
      hint: "The file is damaged.",
      cause,
    });
  }
  const format = (description as { format?: unknown } | null)?.format;
  if (typeof format === "number" && format !== FORMAT) {
    const isNewer = format > FORMAT;
    throw new PushforwardError(
      "MODEL",
      `this model was written by ${isNewer ? "a newer" : "an older"} pushforward`,
      {
        expected: `format ${FORMAT}`,
        received: `format ${format}`,
        hint: isNewer
          ? "Update pushforward: npm install pushforward@latest."
          : "Fit the model again: files of older versions cannot be read.",
      },
    );
  }
  return description;
}
