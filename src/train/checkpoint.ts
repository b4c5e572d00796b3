import * as z from "zod/mini";
import { PushforwardError } from "../check/index.ts";
import type { Parameter } from "../graph/index.ts";
import { checksumError, decodeWithChecksum, encodeWithChecksum, type StoredArray } from "../parts/index.ts";
import type { EarlyStopping } from "./earlyStopping.ts";
import type { LearningRateState } from "./learningRateFactor.ts";
import type { MinimizeEpoch } from "./options.ts";

const count = z.int().check(z.nonnegative());

/** A number. JSON has neither NaN nor infinities, which a loss may be: they are written as text. */
const anyNumber = z.union([
  z.number(),
  z.pipe(z.enum(["NaN", "Infinity", "-Infinity"]), z.transform(Number)),
]);
const withText = (_key: string, value: unknown) =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

const stateSchema = z.strictObject({
  epoch: count,
  /** The number of steps that the optimizer has taken. */
  steps: count,
  learningRate: z.strictObject({ plateaus: count, recoveries: count, restarts: count }),
  stopping: z.strictObject({
    bestEpoch: count,
    best: anyNumber,
    sincePlateau: count,
  }),
});

const recordSchema = z.strictObject({
  fingerprint: z.string(),
  state: stateSchema,
  epochs: z.array(
    z.strictObject({
      epoch: count,
      step: count,
      trainLoss: anyNumber,
      validationLoss: z.optional(anyNumber),
      learningRate: z.number(),
      metrics: z.optional(z.record(z.string(), anyNumber)),
    }),
  ),
});

/** The state of a training run without the weights and the optimizer's moments. */
export interface CheckpointState {
  readonly epoch: number;
  readonly steps: number;
  readonly learningRate: LearningRateState;
  readonly stopping: EarlyStopping["state"];
}

type BufferName = "average" | "best" | "bestRunning" | "first" | "second";

/** Everything that a training run needs to resume as if it had not been interrupted. */
export interface Checkpoint {
  /** A digest of the data, the flow and the settings, which must be the same when training resumes. */
  readonly fingerprint: string;
  readonly state: CheckpointState;
  readonly epochs: readonly MinimizeEpoch[];
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly buffers: Readonly<Record<BufferName, Float32Array>>;
}

/** Returns a checkpoint as the bytes of a safetensors file: parameters, buffers, and the other fields as JSON in the metadata. */
export function encodeCheckpoint({ parameters, buffers, ...record }: Checkpoint): Uint8Array {
  const arrays = new Map<string, StoredArray>();
  for (const [name, p] of parameters) arrays.set(`parameters.${name}`, { shape: p.sizes, values: p.numbers });
  for (const [name, values] of Object.entries(buffers))
    arrays.set(`training.${name}`, { shape: [values.length], values });
  return encodeWithChecksum(arrays, { "pushforward.checkpoint": JSON.stringify(record, withText) });
}

/** The error of `decodeCheckpoint` for an intact checkpoint of another training. */
export const OF_OTHER_TRAINING =
  "the checkpoint is from different data, a different flow or different settings";

/**
 * Reads a checkpoint: writes its parameters into `parameters`, and returns the other fields.
 *
 * @throws MODEL when the bytes are not an intact checkpoint, or its fingerprint is not `fingerprint`.
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  fingerprint: string,
  parameters: ReadonlyMap<string, Parameter>,
): Omit<Checkpoint, "parameters"> {
  const { arrays, metadata, hasChecksum } = decodeWithChecksum(bytes);
  const parsed = recordSchema.safeParse(parseJson(metadata["pushforward.checkpoint"]));
  if (!parsed.success) throw new PushforwardError("MODEL", "the file is not a pushforward checkpoint");
  if (!hasChecksum) throw checksumError("a checksum", "none");
  if (parsed.data.fingerprint !== fingerprint) {
    throw new PushforwardError("MODEL", OF_OTHER_TRAINING, {
      hint: "Give the same data and options to resume from it, or delete it to start from the beginning.",
    });
  }
  const readFloats = (name: string, size: number): Float32Array | Float64Array => {
    const array = arrays.get(name);
    const fits = array && (array.values instanceof Float32Array || array.values instanceof Float64Array);
    if (!fits || array.values.length !== size)
      throw new PushforwardError("MODEL", `the checkpoint has no ${name} of ${size} numbers`);
    return array.values as Float32Array | Float64Array;
  };
  for (const [name, p] of parameters) p.value.set(readFloats(`parameters.${name}`, p.value.length));
  const buffer = (name: BufferName) => {
    const length = arrays.get(`training.${name}`)?.values.length ?? 0;
    return readFloats(`training.${name}`, length) as Float32Array;
  };
  const { state, epochs } = parsed.data;
  return {
    fingerprint,
    state,
    epochs: epochs as MinimizeEpoch[],
    buffers: {
      average: buffer("average"),
      best: buffer("best"),
      bestRunning: buffer("bestRunning"),
      first: buffer("first"),
      second: buffer("second"),
    },
  };
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
