import { z } from "zod";
import { PushforwardError } from "../errors.ts";
import { changedFile, decodeChecked, encodeChecked } from "../flows/checksum.ts";
import type { StoredArray } from "../flows/safetensors.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { EarlyStopping } from "./earlyStopping.ts";
import type { MinimizeEpoch } from "./options.ts";
import type { StepSizeState } from "./stepSize.ts";

const count = z.int().nonnegative();

const stateSchema = z.strictObject({
  epoch: count,
  /** Steps that the optimizer has taken. */
  steps: count,
  stepSize: z.strictObject({ plateaus: count, recoveries: count, restarts: count }),
  stopping: z.strictObject({
    bestEpoch: count,
    /** Null where there are no validation rows. */
    best: z.number().nullable(),
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
      trainLoss: z.number(),
      validationLoss: z.number().optional(),
      stepSize: z.number(),
      metrics: z.record(z.string(), z.number()).optional(),
    }),
  ),
});

/** Where a training stands, beside its weights. */
export interface CheckpointState {
  readonly epoch: number;
  readonly steps: number;
  readonly stepSize: StepSizeState;
  readonly stopping: EarlyStopping["state"];
}

type BufferName = "average" | "best" | "bestRunning" | "first" | "second";

/** Everything that training needs to go on as if it had not stopped. */
export interface Checkpoint {
  /** Stands for the data, the flow and the settings. */
  readonly fingerprint: string;
  readonly state: CheckpointState;
  readonly epochs: readonly MinimizeEpoch[];
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly buffers: Readonly<Record<BufferName, Float32Array>>;
}

/** A checkpoint is a safetensors file like a model, with the optimizer's state beside the parameters. */
export function encodeCheckpoint({ parameters, buffers, ...record }: Checkpoint): Uint8Array {
  const arrays = new Map<string, StoredArray>();
  for (const [name, p] of parameters) arrays.set(`parameters.${name}`, { shape: p.sizes, values: p.numbers });
  for (const [name, values] of Object.entries(buffers))
    arrays.set(`training.${name}`, { shape: [values.length], values });
  return encodeChecked(arrays, { "pushforward.checkpoint": JSON.stringify(record) });
}

/** Reads a checkpoint back: its parameters go into `parameters`, the rest is returned. */
export function decodeCheckpoint(
  bytes: Uint8Array,
  fingerprint: string,
  parameters: ReadonlyMap<string, Parameter>,
): Omit<Checkpoint, "parameters"> {
  const { arrays, metadata, checked } = decodeChecked(bytes);
  const parsed = recordSchema.safeParse(jsonOf(metadata["pushforward.checkpoint"]));
  if (!parsed.success) throw new PushforwardError("MODEL", "this file is not a checkpoint of pushforward");
  if (!checked) throw changedFile("a checksum", "none");
  if (parsed.data.fingerprint !== fingerprint) {
    throw new PushforwardError(
      "MODEL",
      "the checkpoint belongs to other data, another flow or other settings",
      {
        hint: "Give the same data and options to go on from it, or remove it to start anew.",
      },
    );
  }
  const read = (name: string, size: number): Float32Array | Float64Array => {
    const array = arrays.get(name);
    const fits = array && (array.values instanceof Float32Array || array.values instanceof Float64Array);
    if (!fits || array.values.length !== size)
      throw new PushforwardError("MODEL", `the checkpoint has no ${name} of ${size} numbers`);
    return array.values as Float32Array | Float64Array;
  };
  for (const [name, p] of parameters) p.value.set(read(`parameters.${name}`, p.value.length));
  const buffer = (name: BufferName) => {
    const length = arrays.get(`training.${name}`)?.values.length ?? 0;
    return read(`training.${name}`, length) as Float32Array;
  };
  const { state, epochs } = parsed.data;
  const { best } = state.stopping;
  return {
    fingerprint,
    state: { ...state, stopping: { ...state.stopping, best: best ?? Number.POSITIVE_INFINITY } },
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

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A 64-bit digest of plain data and numbers (FNV-1a over their bytes): tells whether two trainings are the same. */
export function fingerprint(description: unknown, arrays: readonly Float64Array[]): string {
  const text = new TextEncoder().encode(JSON.stringify(description));
  const blocks = [text, ...arrays.map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength))];
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (const block of blocks) {
    for (const byte of block) {
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte ^ (low >>> 24), 0x01000193);
    }
  }
  return [high, low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
