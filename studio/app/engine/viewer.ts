import { encodeModel, toys } from "pushforward";
import { sourceRows } from "./flow.ts";
import { frameOf } from "./frame.ts";
import type { Requests } from "./messages.ts";
import { PassCounter } from "./passes.ts";
import { requestHandler } from "./requests.ts";
import { SingleLayer } from "./singleLayer.ts";
import { keyOf, ViewedFlow } from "./viewedFlow.ts";

const singleLayers = new Map<string, SingleLayer>();

let passCounter: PassCounter | undefined;

let viewed: ViewedFlow | undefined;

function current(): ViewedFlow {
  if (!viewed) throw new Error("The flow must be set before this request.");
  return viewed;
}

export const handleRequest = requestHandler<Requests>({
  async toyRows({ source, seed }) {
    const values = sourceRows(source, seed);
    return { values, frame: frameOf(values), entropy: toys[source.name].entropy };
  },
  async flow({ setting, state }) {
    if (viewed?.key !== keyOf(setting)) {
      await viewed?.release();
      viewed = new ViewedFlow(setting);
    }
    if ("rows" in state) await viewed!.initialize(state.rows);
    else viewed!.load(state.parameters);
    return { layers: viewed!.types };
  },
  raster: (args) => current().raster(args),
  toLatent: (args) => current().toLatent(args),
  point: (args) => current().point(args),
  toData: (args) => current().toData(args),
  samples: (args) => current().samples(args),
  async layer({ kind, values, points }) {
    const layer = singleLayers.get(kind) ?? new SingleLayer(kind);
    singleLayers.set(kind, layer);
    return layer.toData(values, points);
  },
  async passes({ order, row }) {
    passCounter ??= new PassCounter();
    return passCounter[order](row);
  },
  async model() {
    const bytes = encodeModel({ flow: current().flow, columns: ["x", "y"] });
    return Uint8Array.from(bytes);
  },
  onnx: async () => current().flow.exportOnnx(),
});
