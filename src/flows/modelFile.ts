import { z } from "zod";
import { PushforwardError } from "../errors.ts";
import { parse } from "../parse.ts";
import { buildFlow, flowSchema } from "./build.ts";
import type { Flow } from "./flow.ts";
import { decodeSafetensors, encodeSafetensors, type StoredArray } from "./safetensors.ts";

/** Raised when parameters lie otherwise, or a file could be misread by an older reader. */
const FORMAT = 5;
const KEY = "pushforward";

/** What training saw in a column that the flow is conditional on: a range of numbers, or how many rows each label has. */
const givenSchema = z.union([
  z.strictObject({ minimum: z.number(), maximum: z.number() }),
  z.strictObject({ counts: z.array(z.int().nonnegative()) }),
]);

const trainingSchema = z.strictObject({
  /** Rows that were learned from, validation included. */
  rows: z.int().nonnegative(),
  seed: z.int().nonnegative(),
  epochs: z.int().nonnegative(),
  bestEpoch: z.int().nonnegative(),
  /** Mean log-density of the held-out rows in nats, in data units. */
  validationLogDensity: z.number(),
  /** For each column of `given`. */
  given: z.array(givenSchema).optional(),
});

const modelSchema = z.strictObject({
  format: z.literal(FORMAT),
  flow: flowSchema,
  /** Names of the data columns, in the order of the flow's features. */
  columns: z.array(z.string()),
  /** Names of the columns that the flow is conditional on, in the order of its context. */
  given: z.array(z.string()).default([]),
  /** Of the last columns of `given`, which hold classes: what these are called. */
  labels: z.array(z.array(z.string())).optional(),
  training: trainingSchema.optional(),
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

/**
 * The bytes of a model file: safetensors with every array of the flow, and in its metadata a JSON description. Equal
 * models give equal bytes.
 */
export function encodeModel({ flow, columns, given, labels, training }: Model): Uint8Array {
  const arrays = new Map<string, StoredArray>();
  for (const [name, p] of flow.parameters()) arrays.set(name, { shape: [...p.sizes], values: p.numbers });
  const description = {
    format: FORMAT,
    flow: flow.describe(),
    columns,
    given,
    ...(labels && { labels }),
    ...(training && { training }),
  };
  return encodeSafetensors(arrays, { [KEY]: JSON.stringify(description) });
}

/**
 * Reads a model file. No code is run, and nothing is trusted: throws `MODEL` for a file that is damaged, of another
 * program or of a newer version, and for arrays that are missing, of a wrong shape, or not finite.
 */
export function decodeModel(bytes: Uint8Array): Model {
  const { arrays, metadata } = decodeSafetensors(bytes);
  const description = parse(modelSchema, readDescription(metadata), "the model's description", "MODEL");
  const { columns, given, labels, training } = description;
  const flow = buildFlow(description.flow);
  if (columns.length !== flow.features || given.length !== flow.context) {
    throw new PushforwardError("MODEL", "the model's columns do not fit its flow", {
      expected: `${flow.features} columns and ${flow.context} given`,
      received: `${columns.length} and ${given.length}`,
      mend: "The file was not written by pushforward, or was changed since.",
    });
  }
  if (labels) checkLabels(labels, flow);
  const parameters = flow.parameters();
  for (const name of arrays.keys()) {
    if (!parameters.has(name))
      throw new PushforwardError("MODEL", `the model has an array that its flow does not know: ${name}`);
  }
  for (const [name, parameter] of parameters) {
    const array = arrays.get(name);
    const values = array?.values;
    if (!array || !(values instanceof Float32Array || values instanceof Float64Array)) {
      throw new PushforwardError("MODEL", `the model has no floating-point array ${name}`);
    }
    if (array.shape.join() !== parameter.sizes.join()) {
      throw new PushforwardError("MODEL", `the model's array ${name} has a wrong shape`, {
        expected: `[${parameter.sizes.join(", ")}]`,
        received: `[${array.shape.join(", ")}]`,
      });
    }
    const bad = values.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) {
      throw new PushforwardError(
        "MODEL",
        `the model's array ${name} holds ${values[bad]} at position ${bad}`,
        {
          mend: "The file is damaged, or its training failed: fit the model again.",
        },
      );
    }
    parameter.take(values);
  }
  return { flow, columns, given, ...(labels && { labels }), ...(training && { training }) };
}

function checkLabels(labels: NonNullable<Model["labels"]>, { embedding }: Flow): void {
  const expected = (embedding?.describe().classes ?? []).join(", ");
  const received = labels.map((names) => new Set(names).size).join(", ");
  if (expected === received) return;
  throw new PushforwardError("MODEL", "the model's labels do not fit the classes of its flow", {
    expected: expected || "none",
    received: received || "none",
    mend: "The file was not written by pushforward, or was changed since.",
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
        mend: other
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
      mend: "The file is damaged.",
      cause,
    });
  }
  const format = (description as { format?: unknown } | null)?.format;
  if (typeof format === "number" && format > FORMAT) {
    throw new PushforwardError("MODEL", "this model was written by a newer pushforward", {
      expected: `format ${FORMAT}`,
      received: `format ${format}`,
      mend: "Update pushforward: npm install pushforward@latest.",
    });
  }
  if (typeof format === "number" && format < FORMAT) {
    throw new PushforwardError("MODEL", "this model was written by an older pushforward", {
      expected: `format ${FORMAT}`,
      received: `format ${format}`,
      mend: "Fit it again: masked layers have their units and parameters in another order now.",
    });
  }
  return description;
}
