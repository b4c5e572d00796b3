import { compile, encodeModel, type Flow, loadParameters, type Tensor, toys } from "pushforward";
import type { Setting } from "../setting.ts";
import { contourSegments, massLevels } from "./contours.ts";
import { flowOf, layersOf, rowsOf } from "./flow.ts";
import { frameOfSource } from "./frame.ts";
import { layered } from "./layered.ts";
import {
  CONTOUR_MASSES,
  type Frame,
  type Layered,
  type Raster,
  type RequestName,
  type Requests,
  type ViewerReply,
  type ViewerRequest,
} from "./messages.ts";
import { SingleLayer } from "./singleLayer.ts";

/** Computes what the figures show, with the latest parameters of the training. */

const ENGINE = { providers: ["wasm"], threads: 1 };

/** A flow, and its functions of typed arrays. They read the parameters at each call, so one session serves a whole training. */
class Viewed {
  readonly flow: Flow;
  readonly key: string;
  private readonly density;
  private readonly inverse;
  private readonly forward;

  constructor(setting: Setting) {
    this.key = keyOf(setting);
    this.flow = flowOf(setting);
    const layers = layersOf(this.flow);
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

  async raster({ frame, size }: Requests["raster"]["ask"]): Promise<Raster> {
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

  async toLatent({ points }: Requests["toLatent"]["ask"]) {
    const outputs = (await this.inverse(points)) as Readonly<Record<string, Float32Array>>;
    return { ...layered(points, outputs), baseLogDensity: outputs.base! };
  }

  async toData({ points }: Requests["toData"]["ask"]): Promise<Layered> {
    return layered(points, (await this.forward(points)) as Readonly<Record<string, Float32Array>>);
  }

  async release(): Promise<void> {
    await Promise.all([this.density.release(), this.inverse.release(), this.forward.release()]);
  }
}

const keyOf = ({ family, layers, width, seed, objective }: Setting) =>
  JSON.stringify([family, layers, width, seed, objective]);

const cellArea = ({ x, y }: Frame, size: number) => ((x[1] - x[0]) * (y[1] - y[0])) / size ** 2;

function cellCenters({ x, y }: Frame, size: number): Float32Array {
  const centers = new Float32Array(2 * size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const i = 2 * (row * size + column);
      centers[i] = x[0] + ((x[1] - x[0]) * (column + 0.5)) / size;
      centers[i + 1] = y[1] - ((y[1] - y[0]) * (row + 0.5)) / size;
    }
  return centers;
}

const singleLayers = new Map<string, SingleLayer>();

let viewed: Viewed | undefined;

function current(): Viewed {
  if (!viewed) throw new Error("There is no flow to look at yet.");
  return viewed;
}

const answers: { [K in RequestName]: (ask: Requests[K]["ask"]) => Promise<Requests[K]["answer"]> } = {
  async rows({ source, seed }) {
    const values = rowsOf(source, seed);
    const entropy = source.kind === "toy" ? toys[source.name].entropy : undefined;
    return { values, frame: frameOfSource(source, values), entropy };
  },
  async flow({ setting, parameters }) {
    if (viewed?.key !== keyOf(setting)) {
      await viewed?.release();
      viewed = new Viewed(setting);
    }
    if (parameters) loadParameters(parameters, viewed!.flow);
    return { layers: layersOf(viewed!.flow).map((layer) => layer.describe().type) };
  },
  raster: (ask) => current().raster(ask),
  toLatent: (ask) => current().toLatent(ask),
  toData: (ask) => current().toData(ask),
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
};

/** Questions are answered one after the other: a flow must not change while another question computes with it. */
let queue: Promise<void> = Promise.resolve();

export function answer({ type, id, ask }: ViewerRequest): void {
  queue = queue.then(async () => {
    const compute = answers[type] as (ask: unknown) => Promise<Requests[RequestName]["answer"]>;
    const reply = await compute(ask).then(
      (answer): ViewerReply => ({ type: "answer", id, answer }),
      (error: Error): ViewerReply => ({ type: "failure", id, message: error.message }),
    );
    postMessage(reply);
  });
}
