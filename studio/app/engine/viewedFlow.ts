import {
  type Bijection,
  Continuous,
  compile,
  dataset,
  Flow,
  Invert,
  loadParameters,
  saveParameters,
  type Tensor,
} from "pushforward";
import { initialize } from "pushforward/train";
import { pairOf } from "../formula/terms.ts";
import { MIN_POINTS, type Setting } from "../setting.ts";
import { baseTerms } from "./baseTerms.ts";
import { CONTINUOUS_STEPS, continuousSteps } from "./continuousSteps.ts";
import { contourSegments, massLevels } from "./contours.ts";
import { flowOf, layersOf } from "./flow.ts";
import { cellX, cellY } from "./frame.ts";
import { layerTerms, networkOutputs } from "./layerTerms.ts";
import {
  CONTOUR_MASSES,
  type Frame,
  type LatentTrajectories,
  type Motion,
  type PointTrajectory,
  type Raster,
  type Requests,
} from "./messages.ts";
import { trajectoriesOf } from "./trajectories.ts";
import { WASM } from "./wasm.ts";

type Outputs = Readonly<Record<string, Float32Array>>;

/** A flow and its compiled functions. They read the parameters at each call, so they are compiled only once for a whole training. */
export class ViewedFlow {
  readonly flow: Flow;
  readonly key: string;
  /** From latent to data space. */
  readonly layers: readonly Bijection[];
  /** The types of the layers. The type of an inverted layer is that of the layer that it inverts. */
  readonly types: readonly string[];
  /** A flow without layers, which samples the base distribution. */
  private readonly base: Flow;
  private readonly untrained: Uint8Array;
  /** The rows of the latest initialization, and its parameters. */
  private initial: { readonly rows: Float64Array; readonly parameters: Uint8Array } | undefined;
  private readonly density;
  private readonly inverse;
  private readonly forward;

  constructor(setting: Setting) {
    this.key = keyOf(setting);
    this.flow = flowOf(setting);
    this.untrained = saveParameters(this.flow);
    this.layers = layersOf(this.flow);
    this.types = this.layers.map(
      (layer) => (layer instanceof Invert ? layer.bijection : layer).describe().type,
    );
    this.base = new Flow(this.flow.base);
    this.density = compile((x: Tensor) => this.flow.logProb(x), [["N", 2]], WASM);
    this.inverse = compile(
      (x: Tensor) => {
        const { outputs, value } = this.through(x, "inverse");
        return { ...outputs, base: this.flow.base.logProb(value) };
      },
      [["N", 2]],
      WASM,
    );
    this.forward = compile((z: Tensor) => this.through(z, "forward").outputs, [["N", 2]], WASM);
  }

  load(parameters: Uint8Array): void {
    loadParameters(parameters, this.flow);
  }

  /**
   * Sets the parameters from which training starts: those of the seed, some of which are estimated from the rows. Fewer rows than training
   * needs do not change them.
   */
  async initialize(rows: Float64Array): Promise<void> {
    if (!this.initial || !areEqual(this.initial.rows, rows)) {
      this.load(this.untrained);
      if (rows.length >= 2 * MIN_POINTS) await initialize(this.flow, dataset(rows, { features: 2 }));
      this.initial = { rows, parameters: saveParameters(this.flow) };
    }
    this.load(this.initial.parameters);
  }

  /**
   * The positions after each layer and the log-determinants, as the outputs that `trajectoriesOf` collects, and the last position. In the
   * inverse direction, the outputs of the networks are added, because the formulas need them; in the forward direction, positions within
   * continuous layers.
   */
  private through(start: Tensor, direction: "forward" | "inverse") {
    const outputs: Record<string, Tensor> = {};
    let value = start;
    let positions = 0;
    const order = direction === "forward" ? this.layers : this.layers.toReversed();
    order.forEach((layer, k) => {
      const steps =
        direction === "forward" && layer instanceof Continuous
          ? continuousSteps(layer, value)
          : [layer[direction](value)];
      const end = steps.at(-1)!.value;
      const network = direction === "inverse" ? networkOutputs(layer, value, end) : undefined;
      if (network) outputs[`network${k}`] = network;
      for (const step of steps) {
        outputs[`position${positions}`] = step.value;
        // A log-determinant may be one number for all rows.
        outputs[`logDet${positions++}`] = end.slice(1, 0, 1).reshape(["N"]).mul(0).add(step.logDet);
      }
      value = end;
    });
    return { outputs, value };
  }

  async raster({ frame, size }: Requests["raster"]["args"]): Promise<Raster> {
    const logDensity = (await this.density(cellCenters(frame, size))) as Float32Array;
    const density = logDensity.map(Math.exp);
    const levels = massLevels(density, cellArea(frame, size), CONTOUR_MASSES);
    return {
      size,
      frame,
      density,
      contours: levels.map((level) => contourSegments(density, size, frame, level)),
    };
  }

  async toLatent({ points }: Requests["toLatent"]["args"]): Promise<LatentTrajectories> {
    return this.latentTrajectories(points, (await this.inverse(points)) as Outputs);
  }

  async point({ point }: Requests["point"]["args"]): Promise<PointTrajectory> {
    const points = Float64Array.from(point);
    const outputs = (await this.inverse(points)) as Outputs;
    const trajectory = this.latentTrajectories(points, outputs);
    const terms = this.layers.map((layer, i) => {
      // Positions and networks are in order from data to latent space.
      const k = this.layers.length - 1 - i;
      return layerTerms(layer, pairOf(trajectory.positions[k]!), Array.from(outputs[`network${k}`] ?? []));
    });
    const z = pairOf(trajectory.positions.at(-1)!);
    return { ...trajectory, base: baseTerms(this.flow.base, z), terms };
  }

  private latentTrajectories(points: Float64Array, outputs: Outputs): LatentTrajectories {
    return { ...trajectoriesOf(points, outputs), baseLogDensity: outputs.base!, layers: this.types };
  }

  async toData({ points }: Requests["toData"]["args"]): Promise<Motion> {
    const depths = this.layers.flatMap((layer, before) => {
      const steps = layer instanceof Continuous ? CONTINUOUS_STEPS : 1;
      return Array.from({ length: steps }, (_, k) => before + (k + 1) / steps);
    });
    return { ...trajectoriesOf(points, (await this.forward(points)) as Outputs), depths: [0, ...depths] };
  }

  async samples({ count }: Requests["samples"]["args"]): Promise<Motion> {
    return this.toData({ points: Float64Array.from(await this.base.sample(count, { seed: 0, ...WASM })) });
  }

  async release(): Promise<void> {
    const compiled = [this.density, this.inverse, this.forward, this.base];
    await Promise.all(compiled.map((each) => each.release()));
  }
}

/** The parts of a setting that determine the structure of its flow. */
export const keyOf = ({ family, layers, width, base, seed, objective }: Setting) =>
  JSON.stringify([family, layers, width, base, seed, objective]);

const areEqual = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

const cellArea = ({ x, y }: Frame, size: number) => ((x[1] - x[0]) * (y[1] - y[0])) / size ** 2;

function cellCenters(frame: Frame, size: number): Float32Array {
  const centers = new Float32Array(2 * size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const i = 2 * (row * size + column);
      centers[i] = cellX(frame, size, column);
      centers[i + 1] = cellY(frame, size, row);
    }
  return centers;
}
