import * as z from "zod/mini";
import { isUnknownType } from "../description.ts";
import { type CustomKind, withCustomKinds } from "../distributions/customKinds.ts";
import { PushforwardError } from "../errors.ts";
import { input } from "../graph/tensor.ts";
import { checkOptions, isPlainObject } from "../options.ts";
import { brief, parse, shortened } from "../parse.ts";
import { withSizeBudget } from "../sizeBudget.ts";
import { buildFlow, type FlowDescription, flowSchema, type KindOptions } from "./build.ts";
import { checksumError, decodeWithChecksum, encodeWithChecksum } from "./checksum.ts";
import { Flow } from "./flow.ts";
import { setParameters, toStoredArrays } from "./storedParameters.ts";

/** The version of the format. It changes when the layout of parameters changes, or when older readers would misread a file. */
const FORMAT = 6;
const KEY = "pushforward";

/** Statistics of a column of the context in the training rows: the range of its numbers, or the number of rows of each label. */
const givenSchema = z.union([
  z.strictObject({ minimum: z.number(), maximum: z.number() }),
  z.strictObject({ counts: z.array(z.int().check(z.nonnegative())) }),
]);

const trainingSchema = z.strictObject({
  /** Number of rows, including validation rows. */
  rows: z.int().check(z.nonnegative()),
  seed: z.int().check(z.nonnegative()),
  epochs: z.int().check(z.nonnegative()),
  bestEpoch: z.int().check(z.nonnegative()),
  /** Mean log-density of the validation rows in nats, in data units. */
  validationLogDensity: z.number(),
  /** Statistics of each column in `given`. */
  given: z.optional(z.array(givenSchema)),
});

const modelSchema = z.strictObject({
  format: z.literal(FORMAT),
  flow: flowSchema,
  /** Names of the data columns, in the order of the flow's features. */
  columns: z.array(z.string()),
  /** Names of the columns of the context, in the order of the context features. */
  given: z._default(z.array(z.string()), []),
  /** The names of the classes of each of the last columns of `given`, which are class labels. */
  labels: z.optional(z.array(z.array(z.string()))),
  training: z.optional(trainingSchema),
});

/** What training saw of the context columns of a model. */
export type GivenRecord = z.output<typeof givenSchema>;

/** How a model was trained. */
export type TrainingRecord = z.output<typeof trainingSchema>;

/** The content of a model file: a flow, and the names of its columns. */
export interface Model {
  readonly flow: Flow;
  /** Names of the data columns, in the order of the features. */
  readonly columns: readonly string[];
  /** Names of the columns of the context. */
  readonly given: readonly string[];
  /** For each of the last columns of `given`, which are class labels: the names of the classes 0, 1, 2... in tables. */
  readonly labels?: readonly (readonly string[])[];
  readonly training?: TrainingRecord;
}

/** A model to save. The default names are x1, x2... for columns and c1, c2... for columns of the context. */
export type ModelToSave = Pick<Model, "flow"> & Partial<Model>;

/**
 * Returns a model as the bytes of a model file: a safetensors file with all parameters of the flow, and a JSON description in its
 * metadata. Equal models have equal bytes.
 *
 * Throws `ARGUMENT` for a model that `decodeModel` could not read: a flow with custom classes that are not in `kinds`, with an
 * incomplete description, or whose density reads a parameter that is not in a public property; numbers that are not finite; a
 * wrong number of names.
 */
export function encodeModel(model: ModelToSave, options: KindOptions = {}): Uint8Array {
  if (!isPlainObject(model) || !(model.flow instanceof Flow)) {
    throw new PushforwardError("ARGUMENT", "the argument of encodeModel is not a model", {
      expected: "an object with a Flow: { flow }",
      received: model instanceof Flow ? "a Flow" : brief(model),
      hint: "Write encodeModel({ flow, columns }).",
    });
  }
  checkOptions("encodeModel", options, ["kinds"]);
  const { flow, columns = defaultNames("x", flow.features), given = defaultNames("c", flow.context) } = model;
  const { labels, training } = model;
  traceDensity(flow);
  const { type: _, ...parts } = flow.describe();
  const description = {
    format: FORMAT,
    flow: parts,
    columns,
    given,
    ...(labels && { labels }),
    ...(training && { training }),
  };
  checkDescriptionSize(description, "ARGUMENT");
  const bytes = encodeWithChecksum(toStoredArrays(flow.parameters()), { [KEY]: JSON.stringify(description) });
  checkReadable(bytes, options);
  return bytes;
}

const defaultNames = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);

/**
 * Reads a model file. It runs no code from the file, and checks everything in it. Time and memory are bounded by the size of
 * the file, whatever the description says. `kinds` builds the parts that are custom classes.
 *
 * Throws `MODEL` for a file that is damaged, of another program or of another version, and for arrays that are missing, of a
 * wrong shape, or outside of the domain of their parameter.
 */
export function decodeModel(bytes: Uint8Array, { kinds = [] }: KindOptions = {}): Model {
  const { arrays, metadata, hasChecksum } = decodeWithChecksum(bytes);
  const rawDescription = readDescription(metadata);
  if (!hasChecksum) throw checksumError("a checksum", "none");
  checkDescriptionSize(rawDescription, "MODEL");
  const numbers = [...arrays.values()].reduce((sum, { values }) => sum + values.length, 0);
  const { columns, given, labels, training, flow } = withSizeBudget({ numbers, bytes: bytes.length }, () =>
    withCustomKinds(kinds, () => {
      const description = parseDescription(rawDescription);
      return { ...description, flow: buildModelFlow(description.flow, kinds) };
    }),
  );
  const areDistinctNames = (names: readonly string[], size: number) =>
    names.length === size && new Set(names).size === size;
  if (!areDistinctNames(columns, flow.features) || !areDistinctNames(given, flow.context)) {
    throw new PushforwardError("MODEL", "the names of the model's columns do not match its flow", {
      expected: `${flow.features} different columns and ${flow.context} of the context`,
      received: `${columns.length} and ${given.length}`,
      hint: "The file was not written by pushforward, or was changed since.",
    });
  }
  flow.columns = columns;
  flow.contextColumns = given;
  if (labels) checkLabels(labels, flow);
  setParameters(arrays, flow.parameters(), { file: "the model", owner: "its flow" });
  return { flow, columns, given, ...(labels && { labels }), ...(training && { training }) };
}

/** Builds the graph of the density, which throws if it reads a parameter that is not found in the flow. */
function traceDensity(flow: Flow): void {
  const { features, context } = flow;
  flow.density(input("x", ["N", features]), context > 0 ? input("context", ["N", context]) : undefined);
}

/** Throws `ARGUMENT` if `decodeModel` cannot read the bytes of a model file. */
function checkReadable(bytes: Uint8Array, options: KindOptions): void {
  try {
    decodeModel(bytes, options);
  } catch (error) {
    if (!(error instanceof PushforwardError) || error.code !== "MODEL") throw error;
    const [reason] = error.message.split("\n");
    // A custom class without a kind has an unknown type, or the type of another class with other parameters.
    const unknownType = isUnknownType(error);
    const unknownArray = error.path?.startsWith("arrays.");
    throw new PushforwardError("ARGUMENT", "the model could not be read back from a file", {
      received: unknownType ? `the type ${error.received}` : reason.replace(/\.$/, ""),
      hint:
        unknownType || unknownArray
          ? 'Give the kinds of custom classes to encodeModel and decodeModel, such as { kinds: [{ bijection: "shear", build: () => new Shear() }] }, or save only the parameters: saveParameters(flow), loadParameters(bytes, flow).'
          : "The description must contain everything that the density depends on, and all numbers must be finite.",
      cause: error,
    });
  }
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
    return buildFlow(description, { kinds });
  } catch (error) {
    if (!(error instanceof PushforwardError) || error.code === "MODEL") throw error;
    const [what] = error.message.split("\n");
    throw new PushforwardError("MODEL", `the model's flow cannot be built: ${what.replace(/\.$/, "")}`, {
      hint: "The file was not written by pushforward, or was changed since.",
      cause: error,
    });
  }
}

/** The largest number of objects in a description. A layer has up to three, and no flow has thousands of layers. */
const MAX_OBJECTS = 10_000;
/** The largest nesting depth of arrays and objects in a description. Each part inside another part takes two levels. */
const MAX_DEPTH = 100;

/**
 * Bounds the size of a description, since many parts without parameters take time although the file has no numbers for them. It
 * uses no recursion, which could exceed the stack.
 */
function checkDescriptionSize(description: unknown, code: "MODEL" | "ARGUMENT"): void {
  const open: { value: unknown; depth: number }[] = [{ value: description, depth: 0 }];
  let objects = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) objects++;
    if (depth >= MAX_DEPTH || objects > MAX_OBJECTS) {
      throw new PushforwardError(code, "the model's description is too large", {
        expected: `at most ${MAX_OBJECTS} objects, nested up to ${MAX_DEPTH} deep`,
        received: depth >= MAX_DEPTH ? "a deeper nesting" : "more objects",
        hint: "Use fewer layers.",
      });
    }
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 });
  }
}

function checkLabels(labels: NonNullable<Model["labels"]>, { embedding }: Flow): void {
  const expected = (embedding?.describe().classes ?? []).join(", ");
  const received = labels.map((names) => new Set(names).size).join(", ");
  if (expected === received) return;
  throw new PushforwardError("MODEL", "the model's labels do not match the classes of its flow", {
    expected: shortened(expected) || "none",
    received: shortened(received) || "none",
    hint: "The file was not written by pushforward, or was changed since.",
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
          ? "Resume the training with `fit --resume`, which writes the model when it ends."
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
  if (typeof format === "number" && format > FORMAT) {
    throw new PushforwardError("MODEL", "this model was written by a newer pushforward", {
      expected: `format ${FORMAT}`,
      received: `format ${format}`,
      hint: "Update pushforward: npm install pushforward@latest.",
    });
  }
  if (typeof format === "number" && format < FORMAT) {
    throw new PushforwardError("MODEL", "this model was written by an older pushforward", {
      expected: `format ${FORMAT}`,
      received: `format ${format}`,
      hint: "Fit the model again: files of older versions have no checksum and cannot be read.",
    });
  }
  return description;
}
