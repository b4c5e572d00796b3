import { startViewer } from "./engine/client.ts";
import { frameOfSource } from "./engine/frame.ts";
import type {
  Epoch,
  LatentTrajectories,
  Motion,
  PassOrder,
  PointTrajectory,
  Provider,
  Raster,
  Rows,
  TrainingEvent,
  Trajectories,
} from "./engine/messages.ts";
import { evenlySpaced } from "./evenlySpaced.ts";
import { latentGrid } from "./latentGrid.ts";
import { latestOnly } from "./latestOnly.ts";
import type { Explorer } from "./model/explorer.svelte.ts";
import { ReaderTable } from "./readerTable.svelte.ts";
import { fromFragment, MIN_POINTS, type Setting, toFragment } from "./setting.ts";
import { TrainingEngine } from "./trainingEngine.svelte.ts";

/** Figures show at most this many rows. More would only cover each other. */
const SHOWN_ROWS = 1500;
const SHOWN_SAMPLES = 800;
/** The number of cells on a side of the raster of the density: fewer while training, so that the figures keep up with it. */
const LIVE_RASTER = 72;
const FINE_RASTER = 160;

export type Status = "idle" | "training" | "paused" | "ended";

const sampleOf = (values: Float64Array): Float64Array =>
  Float64Array.from(
    evenlySpaced(values.length / 2, SHOWN_ROWS).flatMap((i) => [values[2 * i]!, values[2 * i + 1]!]),
  );

/** The state of the page, and the actions of its controls. */
export class Studio {
  setting = $state.raw<Setting>(fromFragment(""));
  status = $state<Status>("idle");
  /** The name of the open chapter. */
  chapter = $state<string>();
  /** Whether the page of trained models is open. */
  showsModel = $state(false);
  /** The fragment of its address: the latest one with files to open. */
  modelAddress = $state("#open");
  /** The addresses of these files. */
  modelFiles = $state.raw<readonly string[]>([]);
  /** The state of the page of trained models, when it has been opened. */
  explorer: Explorer | undefined;
  /** The table of the reader. */
  readonly table = new ReaderTable((values) =>
    this.change({ source: { kind: "points", from: "table", values } }),
  );
  error = $state<string>();
  endReason = $state<string>();
  epochs = $state.raw<readonly Epoch[]>([]);
  /** The validation log-density of `best`; undefined before training. */
  bestLogDensity = $state<number>();

  rows = $state.raw<Rows>();
  /** The rows that the figures show, as x0, y0, x1, y1, ... */
  readonly shown: Float64Array | undefined = $derived(this.rows && sampleOf(this.rows.values));
  layers = $state.raw<readonly string[]>([]);
  raster = $state.raw<Raster>();
  latent = $state.raw<LatentTrajectories>();
  grid = $state.raw<Motion>();
  /** The point of data space that the reader has selected, and its trajectory to latent space. */
  selected = $state.raw<readonly [number, number]>();
  path = $state.raw<PointTrajectory>();
  samples = $state.raw<Motion>();
  /** The points that the layers transform in the figure: a grid of latent space, or samples of the base distribution. */
  transformedPoints = $state<"grid" | "samples">("grid");
  /** The number of layers that the figure applies: 0 shows latent space, and a fraction applies the next layer in part. */
  depth = $state(Number.POSITIVE_INFINITY);

  private readonly viewer = startViewer();
  readonly engine = new TrainingEngine(
    (event) => this.handleEvent(event),
    () => this.restartOnCpu(),
  );
  /** What trains, or has trained, the flow. */
  trainedBy = $state<Provider>("wasm");
  private run = 0;
  /** The parameters of the latest epoch, and those of the best one, among which the initial flow counts. */
  private parameters: Uint8Array | undefined;
  private best: Uint8Array | undefined;
  private sketched = false;

  /** Changes the setting. This ends the training, and discards its flow. */
  async change(change: Partial<Setting>): Promise<void> {
    const previous = this.setting;
    this.setting = { ...previous, ...change };
    history.replaceState(null, "", this.address(this.chapter));
    this.reset();
    this.engine.failure = undefined;
    if (!this.rows || change.source || change.seed !== undefined) await this.attempt(() => this.loadRows());
    await this.draw();
  }

  /** The fragment of an address with the current setting, of a chapter or of the page for training. */
  address(chapter: string | undefined): string {
    return `#${[chapter && `read=${chapter}`, toFragment(this.setting)].filter(Boolean).join("&")}`;
  }

  /** Opens the chapter of the fragment of an address, and changes to its setting if it is another one. */
  async follow(fragment: string): Promise<void> {
    const fields = new URLSearchParams(fragment.slice(1));
    this.showsModel = fields.has("open");
    if (this.showsModel) return this.followModel(fragment, fields.getAll("open").filter(Boolean));
    this.chapter = fields.get("read") ?? undefined;
    fields.delete("read");
    const isCurrent =
      fields.size === 0 || fields.toString() === new URLSearchParams(toFragment(this.setting)).toString();
    if (!this.rows || !isCurrent) await this.change(fromFragment(fragment));
  }

  private followModel(fragment: string, files: readonly string[]): void {
    if (files.length === 0 || fragment === this.modelAddress) return;
    this.modelAddress = fragment;
    this.modelFiles = files;
  }

  private reset(): void {
    if (this.status !== "idle") this.engine.send({ type: "stop" });
    this.status = "idle";
    this.run++;
    this.epochs = [];
    this.bestLogDensity = undefined;
    this.endReason = undefined;
    this.error = undefined;
    this.parameters = undefined;
    this.best = undefined;
  }

  private async loadRows(): Promise<void> {
    const { source, seed } = this.setting;
    if (source.kind === "points") {
      // These rows are shown at once: the reader may draw before the viewer has answered its earlier requests.
      const values = Float64Array.from(source.values);
      this.rows = { values, frame: frameOfSource(source, values), entropy: undefined };
      return;
    }
    const rows = await this.viewer.request("toyRows", { source, seed });
    if (source === this.setting.source) this.rows = rows;
  }

  /** Shows the message of an error. */
  async attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.error = (error as Error).message;
    }
  }

  /** Whether the reader draws the points. */
  get isDrawing(): boolean {
    const { source } = this.setting;
    return source.kind === "points" && source.from === "drawn";
  }

  /** A lower bound of the expected loss: the entropy of the data, if it is known, or 0 for a divergence. */
  get lossBound(): number | undefined {
    return this.setting.objective === "reverse" ? 0 : this.rows?.entropy;
  }

  get canTrain(): boolean {
    return (this.rows?.values.length ?? 0) >= 2 * MIN_POINTS && !this.engine.workerFailure;
  }

  /** Shows new points at once. `keepSketch` makes them part of the setting. */
  sketch(points: readonly number[]): void {
    if (!this.rows) return;
    this.rows = { ...this.rows, values: Float64Array.from([...this.rows.values, ...points]) };
    this.sketched = true;
  }

  async keepSketch(): Promise<void> {
    if (!this.sketched || !this.rows) return;
    this.sketched = false;
    await this.change({ source: { kind: "points", from: "drawn", values: [...this.rows.values] } });
  }

  /** Starts a training run from the initial flow. Training runs of the same setting are identical. */
  start({ paused = false } = {}): void {
    this.reset();
    this.status = paused ? "paused" : "training";
    this.trainedBy = this.engine.provider;
    this.engine.send({ type: "train", run: this.run, setting: $state.snapshot(this.setting), paused });
  }

  pause(): void {
    this.status = "paused";
    this.engine.send({ type: "pause" });
    this.draw();
  }

  resume(): void {
    this.status = "training";
    this.engine.send({ type: "resume" });
  }

  /** Trains one epoch. */
  step(): void {
    if (this.status === "paused") this.engine.send({ type: "step" });
    else this.start({ paused: true });
  }

  /** Trains on the CPU or on a GPU. As a change of the setting does, this ends the training and discards its flow. */
  async chooseProvider(provider: Provider): Promise<void> {
    this.reset();
    this.engine.choose(provider);
    await this.draw();
  }

  /** The optimizer's state was lost with the GPU, so a training run that had not ended begins again. */
  private restartOnCpu(): void {
    if (this.status === "training" || this.status === "paused")
      this.start({ paused: this.status === "paused" });
  }

  /** Selects a point of data space, and computes its trajectory. */
  async select(point: readonly [number, number]): Promise<void> {
    this.selected = point;
    // Without a raster, the viewer may have no flow yet: `draw` sets it, and computes the trajectory too.
    if (this.raster) await this.computePath(point);
    else await this.draw();
  }

  private readonly computePath = latestOnly((point: readonly [number, number]) =>
    this.attempt(async () => {
      this.path = await this.viewer.request("point", { point });
    }),
  );

  /** Shows how the layers transform a grid, or samples. */
  async showTransformed(points: "grid" | "samples"): Promise<void> {
    this.transformedPoints = points;
    await this.draw();
  }

  /** The index of the last layer that is applied, whose formula is shown; -1 for the base distribution. */
  get selectedLayer(): number {
    return Math.ceil(Math.min(this.depth, this.layers.length)) - 1;
  }

  /** The latent grid before and after one planar or radial layer. */
  layer(
    kind: "planar" | "radial",
    values: Readonly<Record<string, readonly number[]>>,
  ): Promise<Trajectories> {
    return this.viewer.request("layer", { kind, values, points: latentGrid.points });
  }

  /** The coordinates that are known after each pass of the network of an autoregressive layer. */
  passes(order: PassOrder, row: readonly number[]): Promise<readonly (readonly number[])[]> {
    return this.viewer.request("passes", { order, row });
  }

  /** The flow of the best epoch as a model file, or its density as an ONNX file. */
  async modelFile(format: "model" | "onnx"): Promise<Uint8Array<ArrayBuffer>> {
    const { setting, best } = this;
    const flow = this.viewer.request("flow", { setting, state: this.stateOf(best) });
    // Both requests are sent at once, so that no other one changes the flow between them.
    const bytes = this.viewer.request(format, {});
    // The figures and the path of a point go on showing the latest epoch.
    this.draw();
    return (await Promise.all([flow, bytes]))[1];
  }

  /** The state of the flow that the viewer shows: without parameters, the flow before training. */
  private stateOf(parameters: Uint8Array | undefined) {
    return parameters ? { parameters } : { rows: this.rows!.values };
  }

  private handleEvent(event: TrainingEvent): void {
    if (event.run !== this.run) return;
    if (event.type === "start") {
      this.best = event.parameters;
      this.bestLogDensity = event.validationLogDensity;
      return;
    }
    if (event.type === "epoch") {
      this.epochs = [...this.epochs, event.epoch];
      this.parameters = event.parameters;
      // Without held-out points, the result is that of the last epoch.
      if (event.epoch.best || this.setting.objective === "reverse") {
        this.best = event.parameters;
        this.bestLogDensity = event.epoch.validationLogDensity;
      }
    } else if (event.type === "end") {
      this.status = "ended";
      this.endReason = event.reason;
      // The result of a training run is its best epoch.
      this.parameters = this.best;
    } else {
      this.status = "ended";
      this.error = event.message;
    }
    this.draw();
  }

  /** Computes the figures of the current state. */
  private readonly draw = latestOnly<void>(() => this.attempt(() => this.compute()));

  private async compute(): Promise<void> {
    const { setting, rows, shown, run, parameters } = this;
    if (!rows || !shown) return;
    const size = this.status === "training" ? LIVE_RASTER : FINE_RASTER;
    // All requests are sent at once, so that no other one changes the flow between them.
    const [{ layers }, raster, latent, grid, samples, path] = await Promise.all([
      this.viewer.request("flow", { setting, state: this.stateOf(parameters) }),
      this.viewer.request("raster", { frame: rows.frame, size }),
      this.viewer.request("toLatent", { points: shown }),
      this.viewer.request("toData", { points: latentGrid.points }),
      this.transformedPoints === "samples"
        ? this.viewer.request("samples", { count: SHOWN_SAMPLES })
        : undefined,
      this.selected && this.viewer.request("point", { point: this.selected }),
    ]);
    if (run !== this.run) return;
    Object.assign(this, { layers, raster, latent, grid, samples, path });
  }
}
