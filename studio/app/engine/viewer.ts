import { compile, encodeModel, type Flow, loadParameters, type Tensor, toys } from "pushforward";
import type { Setting } from "../setting.ts";
import { contourSegments, massLevels } from "./contours.ts";
import { flowOf, layersOf, rowsOf } from "./flow.ts";
import { cellX, cellY, frameOfSource } from "./frame.ts";
import { CONTOUR_MASSES, type Frame, type Raster, type Requests, type Trajectories } from "./messages.ts";
import { requestHandler } from "./requests.ts";
import { SingleLayer } from "./singleLayer.ts";
import { trajectoriesOf } from "./trajectories.ts";

const ENGINE = { providers: ["wasm"], threads: 1 };

/** A flow and its compiled functions. They read the parameters at each call, so they are compiled only once for a whole training. */
class ViewedFlow {
  readonly flow: Flow;
  readonly key: string;
  /** The types of the layers, from latent to data space. */
  readonly layers: readonly string[];
  private readonly density;
  private readonly inverse;
  private readonly forward;

  constructor(setting: Setting) {
    this.key = keyOf(setting);
    this.flow = flowOf(setting);
    const layers = layersOf(this.flow);
    this.layers = layers.map((layer) => layer.describe().type);
    const through = (start: Tensor, direction: "forward" | "inverse") => {
      const order = direction === "forward" ? layers : layers.toReversed();
      const outputs: Record<string, Tensor> = {};
      let value = start;
      order.forEach((layer, k) => {
        const next = layer[direction](value);
        value = next.value;
        outputs[`position${k}`] = value;
        // A log-determinant may be one number for all rows.
        outputs[`logDet${k}`] = value.slice(1, 0, 1).reshape(["N"]).mul(0).add(next.logDet);
      });
      return { outputs, value };
    };
    this.density = compile((x: Tensor) => this.flow.logProb(x), [["N", 2]], ENGINE);
    this.inverse = compile(
      (x: Tensor) => {
        const { outputs, value } = through(x, "inverse");
        return { ...outputs, base: this.flow.base.logProb(value) };
      },
      [["N", 2]],
      ENGINE,
    );
    this.forward = compile((z: Tensor) => through(z, "forward").outputs, [["N", 2]], ENGINE);
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

  async toLatent({ points }: Requests["toLatent"]["args"]) {
    const outputs = (await this.inverse(points)) as Readonly<Record<string, Float32Array>>;
    return { ...trajectoriesOf(points, outputs), baseLogDensity: outputs.base!, layers: this.layers };
  }

  async toData({ points }: Requests["toData"]["args"]): Promise<Trajectories> {
    return trajectoriesOf(points, (await this.forward(points)) as Readonly<Record<string, Float32Array>>);
  }

  async release(): Promise<void> {
    await Promise.all([this.density.release(), this.inverse.release(), this.forward.release()]);
  }
}

const keyOf = ({ family, layers, width, seed, objective }: Setting) =>
  JSON.stringify([family, layers, width, seed, objective]);

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

const singleLayers = new Map<string, SingleLayer>();

let viewed: ViewedFlow | undefined;

function current(): ViewedFlow {
  if (!viewed) throw new Error("The flow must be set before this request.");
  return viewed;
}

export const handleRequest = requestHandler<Requests>({
  async rows({ source, seed }) {
    const values = rowsOf(source, seed);
    const entropy = source.kind === "toy" ? toys[source.name].entropy : undefined;
    return { values, frame: frameOfSource(source, values), entropy };
  },
  async flow({ setting, parameters }) {
    if (viewed?.key !== keyOf(setting)) {
      await viewed?.release();
      viewed = new ViewedFlow(setting);
    }
    if (parameters) loadParameters(parameters, viewed!.flow);
    return { layers: viewed!.layers };
  },
  raster: (args) => current().raster(args),
  toLatent: (args) => current().toLatent(args),
  toData: (args) => current().toData(args),
  async layer({ kind, values, points }) {
    const layer = singleLayers.get(kind) ?? new SingleLayer(kind);
    singleLayers.set(kind, layer);
    return layer.toData(values, points);
  },
  async model() {
    const bytes = encodeModel({ flow: current().flow, columns: ["x", "y"] });
    return Uint8Array.from(bytes);
  },
  onnx: async () => current().flow.exportOnnx(),
});
