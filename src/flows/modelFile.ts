import * as z from "zod/mini";
import { type CustomKind, withCustomKinds } from "../distributions/customKinds.ts";
import { PushforwardError } from "../errors.ts";
import { input } from "../graph/tensor.ts";
import { parse, shortened } from "../parse.ts";
import { buildWithin } from "../sizeBudget.ts";
import { buildFlow, type FlowDescription, flowSchema, type KindOptions } from "./build.ts";
import { changedFile, decodeChecked, encodeChecked } from "./checksum.ts";
import type { Flow } from "./flow.ts";
import { storedParameters, takeStored } from "./storedParameters.ts";

/** Raised when parameters lie otherwise, or a file could be misread by an older reader. */
const FORMAT = 6;
const KEY = "pushforward";

/** What training saw in a column that the flow is conditional on: a range of numbers, or how many rows each label has. */
const givenSchema = z.union([
  z.strictObject({ minimum: z.number(), maximum: z.number() }),
  z.strictObject({ counts: z.array(z.int().check(z.nonnegative())) }),
]);

const trainingSchema = z.strictObject({
  /** Rows that were learned from, validation included. */
  rows: z.int().check(z.nonnegative()),
  seed: z.int().check(z.nonnegative()),
  epochs: z.int().check(z.nonnegative()),
  bestEpoch: z.int().check(z.nonnegative()),
  /** Mean log-density of the held-out rows in nats, in data units. */
  validationLogDensity: z.number(),
  /** For each column of `given`. */
  given: z.optional(z.array(givenSchema)),
});

const modelSchema = z.strictObject({
  format: z.literal(FORMAT),
  flow: flowSchema,
  /** Names of the data columns, in the order of the flow's features. */
  columns: z.array(z.string()),
  /** Names of the columns that the flow is conditional on, in the order of its context. */
  given: z._default(z.array(z.string()), []),
  /** Of the last columns of `given`, which hold classes: what these are called. */
  labels: z.optional(z.array(z.array(z.string()))),
  training: z.optional(trainingSchema),
});

export type GivenRecord = z.output<typeof givenSchema>;

/** How a model was trained. */
export type TrainingRecord = z.output<typeof trainingSchema>;

/** A flow with the names of its columns: what a model file holds. */
export interface Model {
  readonly flow: Flow;
  readonly columns: readonly string[];
  readonly given: readonly string[];
  /** Of the last columns of `given`, one after the other: what the classes 0, 1, 2... are called in tables. */
  readonly labels?: readonly (readonly string[])[];
  readonly training?: TrainingRecord;
}

/** What `encodeModel` takes: columns that have no names are called x1, x2... and those that the flow is conditional on c1, c2... */
export type ModelToSave = Pick<Model, "flow"> & Partial<Model>;

/**
 * The bytes of a model file: safetensors with every array of the flow, and in its metadata a JSON description. Equal
 * models give equal bytes.
 *
 * Throws `ARGUMENT` for what `decodeModel` could not read back: a flow with classes that are not of pushforward or of the given
 * `kinds`, whose description does not say all, or whose density reads a parameter that is in no public property; numbers that are
 * not finite; names that are not as many as columns.
 */
export function encodeModel(model: ModelToSave, options: KindOptions = {}): Uint8Array {
  const { flow, columns = names("x", flow.features), given = names("c", flow.context) } = model;
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
  checkExtent(description, "ARGUMENT");
  const bytes = encodeChecked(storedParameters(flow.parameters()), { [KEY]: JSON.stringify(description) });
  checkReadable(bytes, options);
  return bytes;
}

const names = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);

/**
 * Reads a model file. No code is run, and nothing is trusted: throws `MODEL` for a file that is damaged, of another
 * program or of another version, and for arrays that are missing, of a wrong shape, or outside of the domain of their
 * parameter. Time and memory are bounded by the size of the file, whatever its description asks for. `kinds` build the parts of
 * your own classes, whose code does run.
 */
export function decodeModel(bytes: Uint8Array, { kinds = [] }: KindOptions = {}): Model {
  const { arrays, metadata, checked } = decodeChecked(bytes);
  const unchecked = readDescription(metadata);
  if (!checked) throw changedFile("a checksum", "none");
  checkExtent(unchecked, "MODEL");
  const numbers = [...arrays.values()].reduce((sum, { values }) => sum + values.length, 0);
  const { columns, given, labels, training, flow } = buildWithin({ numbers, bytes: bytes.length }, () =>
    withCustomKinds(kinds, () => {
      const description = parseDescription(unchecked);
      return { ...description, flow: buildFitting(description.flow, kinds) };
    }),
  );
  const different = (names: readonly string[], size: number) =>
    names.length === size && new Set(names).size === size;
  if (!different(columns, flow.features) || !different(given, flow.context)) {
    throw new PushforwardError("MODEL", "the model's columns do not fit its flow", {
      expected: `${flow.features} different columns and ${flow.context} given`,
      received: `${columns.length} and ${given.length}`,
      hint: "The file was not written by pushforward, or was changed since.",
    });
  }
  flow.columns = columns;
  flow.contextColumns = given;
  if (labels) checkLabels(labels, flow);
  takeStored(arrays, flow.parameters(), { file: "the model", owner: "its flow" });
  return { flow, columns, given, ...(labels && { labels }), ...(training && { training }) };
}

/** Builds the graph of the density, which checks that it reads the parameters in the flow only. */
function traceDensity(flow: Flow): void {
  const { features, context } = flow;
  flow.density(input("x", ["N", features]), context > 0 ? input("context", ["N", context]) : undefined);
}

/** Throws `ARGUMENT` if a model file could not be read. */
function checkReadable(bytes: Uint8Array, options: KindOptions): void {
  try {
    decodeModel(bytes, options);
  } catch (error) {
    if (!(error instanceof PushforwardError) || error.code !== "MODEL") throw error;
    const [reason] = error.message.split("\n");
    const unknown = / of a type that pushforward does not have/.test(reason);
    throw new PushforwardError("ARGUMENT", "this model could not be read back from a file", {
      received: unknown ? `the type ${error.received}` : reason.replace(/\.$/, ""),
      hint:
        unknown || / its flow does not know/.test(reason)
          ? 'Give the kinds of your own classes to encodeModel and decodeModel, such as { kinds: [{ bijection: "shear", build: () => new Shear() }] }, or keep the parameters only: saveParameters(flow), loadParameters(bytes, flow).'
          : "What a file holds has to describe the model in full, and its numbers have to be finite.",
      cause: error,
    });
  }
}

/** Checks a description; a type that pushforward does not have may be that of a class of the user's. */
function parseDescription(unchecked: unknown): z.output<typeof modelSchema> {
  try {
    return parse(modelSchema, unchecked, "the model's description", "MODEL");
  } catch (error) {
    if (!(error instanceof PushforwardError) || !error.received) throw error;
    const [, path] = /does not fit at (flow\.\S*type):/.exec(error.message) ?? [];
    if (!path) throw error;
    throw new PushforwardError("MODEL", "the model has a part of a type that pushforward does not have", {
      received: `${error.received} at ${path}`,
      hint: "If this is a class of your own, give its kind to decodeModel or loadModel: { kinds: [...] }.",
      cause: error,
    });
  }
}

/** Builds a flow; parts that do not fit each other are a fault of the file. */
function buildFitting(description: FlowDescription, kinds: readonly CustomKind[]): Flow {
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

/** The number of objects in a description. A layer has up to three, and no flow has thousands of layers. */
const MAX_OBJECTS = 10_000;
/** The nesting depth of lists and objects in a description. A part of a model inside another one takes two levels. */
const MAX_DEPTH = 100;

/** Bounds what costs time without having numbers in the file. No recursion, which could exceed the stack. */
function checkExtent(description: unknown, code: "MODEL" | "ARGUMENT"): void {
  const open: { value: unknown; depth: number }[] = [{ value: description, depth: 0 }];
  let objects = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) objects++;
    if (depth >= MAX_DEPTH || objects > MAX_OBJECTS) {
      throw new PushforwardError(code, "the model's description is too large", {
        expected: `at most ${MAX_OBJECTS} objects, nested up to ${MAX_DEPTH} deep`,
        received: depth >= MAX_DEPTH ? "deeper ones" : "more",
        hint: "Take fewer layers.",
      });
    }
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 });
  }
}

function checkLabels(labels: NonNullable<Model["labels"]>, { embedding }: Flow): void {
  const expected = (embedding?.describe().classes ?? []).join(", ");
  const received = labels.map((names) => new Set(names).size).join(", ");
  if (expected === received) return;
  throw new PushforwardError("MODEL", "the model's labels do not fit the classes of its flow", {
    expected: shortened(expected) || "none",
    received: shortened(received) || "none",
    hint: "The file was not written by pushforward, or was changed since.",
  });
}

function readDescription(metadata: Readonly<Record<string, string>>): unknown {
  const text = metadata[KEY];
  if (text === undefined) {
    const other = "pushforward.checkpoint" in metadata;
    throw new PushforwardError(
      "MODEL",
      other
        ? "this file is a checkpoint, not a model"
        : "this safetensors file is not a model of pushforward",
      {
        hint: other
          ? "Go on with `fit --resume`, which writes the model at its end."
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
      hint: "Fit it again: files of this version have a checksum, and older ones are not read.",
    });
  }
  return description;
}
