import type { FitEpoch } from "pushforward";
import type { Setting, Source } from "../setting.ts";

export type WorkerRole = "trainer" | "viewer";

/** What the page asks the training worker for. */
export type TrainerCommand =
  | { readonly type: "prepare" }
  /** `run` is a name of the training, which its events repeat: the page may have left it when they arrive. */
  | { readonly type: "train"; readonly run: number; readonly setting: Setting; readonly paused: boolean }
  | { readonly type: "resume" }
  /** Ends training after the current epoch until the next `resume` or `step`. */
  | { readonly type: "pause" }
  /** Trains one epoch, and pauses. */
  | { readonly type: "step" }
  | { readonly type: "stop" };

/** What the training worker tells the page. */
export type TrainerEvent =
  | { readonly type: "epoch"; readonly run: number; readonly epoch: Epoch; readonly parameters: Uint8Array }
  | { readonly type: "end"; readonly run: number; readonly reason: "epochs" | "patience" | "time" | "signal" }
  | { readonly type: "error"; readonly run: number; readonly message: string };

/** The record of an epoch, with the time that the training has taken so far, without pauses. */
export interface Epoch extends FitEpoch {
  readonly seconds: number;
  /** Whether no epoch before had a larger validation log-density: the result of training, if it ended now. */
  readonly best: boolean;
}

/** The part of the plane that a figure shows. */
export interface Frame {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

export interface Rows {
  /** x and y in turn. */
  readonly values: Float64Array;
  /** The data with a margin. */
  readonly frame: Frame;
  /** The entropy of the distribution in nats, if it is known. */
  readonly entropy: number | undefined;
}

/** The density on a raster of `size` by `size` cells, row by row from the top. */
export interface Raster {
  readonly size: number;
  readonly frame: Frame;
  readonly density: Float32Array;
  /** For each mass of `CONTOUR_MASSES`, the line segments x1, y1, x2, y2 around the smallest region that contains it. */
  readonly contours: readonly Float32Array[];
}

export const CONTOUR_MASSES = [0.5, 0.8, 0.95] as const;

/** Points after each layer: `positions[k]` has x and y in turn, `logDets[k]` the log-determinant of layer k. */
export interface Layered {
  /** From the input on: one more than there are layers. */
  readonly positions: readonly Float32Array[];
  readonly logDets: readonly Float32Array[];
}

export interface LayeredPoints extends Layered {
  /** log-density of the base distribution at the last position. */
  readonly baseLogDensity: Float32Array;
}

/** The questions that the viewing worker answers, with their answers. */
export interface Requests {
  rows: { ask: { source: Source; seed: number }; answer: Rows };
  /** Sets the flow of all later questions. */
  flow: { ask: { setting: Setting; parameters?: Uint8Array }; answer: { layers: readonly string[] } };
  raster: { ask: { frame: Frame; size: number }; answer: Raster };
  /** From data to latent space. */
  toLatent: { ask: { points: Float64Array }; answer: LayeredPoints };
  /** From latent space to data. */
  toData: { ask: { points: Float64Array }; answer: Layered };
  /** One planar or radial layer with the given values of its parameters, from latent space to data. */
  layer: {
    ask: {
      kind: "planar" | "radial";
      values: Readonly<Record<string, readonly number[]>>;
      points: Float64Array;
    };
    answer: Layered;
  };
  model: { ask: Record<string, never>; answer: Uint8Array<ArrayBuffer> };
  onnx: { ask: Record<string, never>; answer: Uint8Array<ArrayBuffer> };
}

export type RequestName = keyof Requests;

export type ViewerRequest = {
  [K in RequestName]: { readonly type: K; readonly id: number; readonly ask: Requests[K]["ask"] };
}[RequestName];

export type ViewerReply =
  | { readonly type: "answer"; readonly id: number; readonly answer: Requests[RequestName]["answer"] }
  | { readonly type: "failure"; readonly id: number; readonly message: string };
