import type { FitEpoch } from "pushforward";
import type { BaseTerms, LayerTerms } from "../formula/terms.ts";
import type { Setting, ToySource } from "../setting.ts";

export type WorkerRole = "trainer" | "viewer";

/** What trains: the execution provider of ONNX Runtime for the CPU, or the one for a GPU. */
export type Provider = "wasm" | "webgpu";

/** Commands of the page to the training worker. */
export type TrainerCommand =
  /** The first command. A worker keeps its provider, because ONNX Runtime is loaded once. */
  | { readonly type: "prepare"; readonly provider: Provider }
  /** `run` identifies the training in its events: when they arrive, the page may already have started another one. */
  | { readonly type: "train"; readonly run: number; readonly setting: Setting; readonly paused: boolean }
  | { readonly type: "resume" }
  /** Pauses after the current epoch, until the next `resume` or `step`. */
  | { readonly type: "pause" }
  /** Trains one epoch, and pauses again. */
  | { readonly type: "step" }
  | { readonly type: "stop" };

/** Messages of the training worker to the page. */
export type TrainerEvent = EngineEvent | TrainingEvent;

/** Messages about the worker itself. */
export type EngineEvent =
  | { readonly type: "adapter"; readonly hasWebGpu: boolean }
  /** ONNX Runtime is loaded and can compute. */
  | { readonly type: "ready" }
  /** The GPU cannot compute, or was lost. The training has ended, and the page must start a new worker. */
  | { readonly type: "gpuFailure"; readonly message: string };

/** Messages about a training run. */
export type TrainingEvent =
  /**
   * Sent after the first step. The parameters and the validation log-density are those of the initial flow. The validation log-density is
   * -Infinity if KL(q || p) is minimized, because its first value is that of the first epoch.
   */
  | {
      readonly type: "start";
      readonly run: number;
      readonly validationLogDensity: number;
      readonly parameters: Uint8Array;
    }
  | { readonly type: "epoch"; readonly run: number; readonly epoch: Epoch; readonly parameters: Uint8Array }
  | { readonly type: "end"; readonly run: number; readonly reason: "epochs" | "patience" | "time" | "signal" }
  | { readonly type: "error"; readonly run: number; readonly message: string };

export interface Epoch extends FitEpoch {
  /** The time since the start of training, without pauses. */
  readonly seconds: number;
  /** Whether the validation log-density is larger than those of the initial flow and of all earlier epochs. */
  readonly best: boolean;
}

/** The part of the plane that a figure shows. */
export interface Frame {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

export interface Rows {
  /** Points as x0, y0, x1, y1, ... */
  readonly values: Float64Array;
  readonly frame: Frame;
  /** The entropy of the distribution in nats, if it is known. */
  readonly entropy: number | undefined;
}

/** The density at the centers of `size` by `size` cells, row by row from the top. */
export interface Raster {
  readonly size: number;
  readonly frame: Frame;
  readonly density: Float32Array;
  /** For each mass of `CONTOUR_MASSES`, the boundary of the smallest region that contains it, as line segments x1, y1, x2, y2. */
  readonly contours: readonly Float32Array[];
}

export const CONTOUR_MASSES = [0.5, 0.8, 0.95] as const;

/** The positions of points after each layer that they pass, as x0, y0, x1, y1, ..., and the log-determinant of each layer at each point. */
export interface Trajectories {
  /** `positions[0]` is the input, `positions[k + 1]` the output of layer k. */
  readonly positions: readonly Float32Array[];
  readonly logDets: readonly Float32Array[];
}

/** The motion of points from latent to data space. */
export interface Motion extends Trajectories {
  /** How many layers each position has passed. Positions within a continuous layer count its time as a fraction. */
  readonly depths: readonly number[];
}

export interface LatentTrajectories extends Trajectories {
  /** The log-density of the base distribution at the last position. */
  readonly baseLogDensity: Float32Array;
  /** The types of the layers, from latent to data space. They belong to these trajectories: the page may show another flow by now. */
  readonly layers: readonly string[];
}

/** The trajectory of one point, with the numbers in the formulas of the base distribution and of the layers. */
export interface PointTrajectory extends LatentTrajectories {
  readonly base: BaseTerms;
  /** In the order of `layers`. */
  readonly terms: readonly LayerTerms[];
}

/** The order in which an autoregressive layer computes coordinates; see `PassCounter`. */
export type PassOrder = "allAtOnce" | "oneByOne";

/** The requests that the viewing worker answers: their arguments and their results. */
export interface Requests {
  toyRows: { args: { source: ToySource; seed: number }; result: Rows };
  /**
   * Sets the flow of all later requests: that of parameters, or the flow from which training starts, with some parameters estimated from
   * the rows.
   */
  flow: {
    args: { setting: Setting; state: { parameters: Uint8Array } | { rows: Float64Array } };
    result: { layers: readonly string[] };
  };
  raster: { args: { frame: Frame; size: number }; result: Raster };
  /** From data to latent space. */
  toLatent: { args: { points: Float64Array }; result: LatentTrajectories };
  /** The trajectory of one point of data space. */
  point: { args: { point: readonly [number, number] }; result: PointTrajectory };
  /** From latent space to data. */
  toData: { args: { points: Float64Array }; result: Motion };
  /** Samples of the base distribution, from latent space to data. They are the same in each request. */
  samples: { args: { count: number }; result: Motion };
  /** One planar or radial layer with the given values of its parameters, from latent space to data. */
  layer: {
    args: {
      kind: "planar" | "radial";
      values: Readonly<Record<string, readonly number[]>>;
      points: Float64Array;
    };
    result: Trajectories;
  };
  /** The coordinates that are known after each pass of the network of an autoregressive layer. */
  passes: {
    args: { order: PassOrder; row: readonly number[] };
    result: readonly (readonly number[])[];
  };
  model: { args: Record<string, never>; result: Uint8Array<ArrayBuffer> };
  onnx: { args: Record<string, never>; result: Uint8Array<ArrayBuffer> };
}
