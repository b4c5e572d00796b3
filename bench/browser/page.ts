import { useOnnxRuntime } from "../../src/runtime/index.ts";
import type { TrainingCase } from "../peers/maf.ts";
import { measureTraining, whyUnsupported } from "../peers/measure.ts";
import type { Case } from "../speed/cases.ts";
import { type Measure, prepareMeasurement } from "../speed/measure.ts";
import { THREADS } from "../speed/protocol.ts";
import type { Device, PageBench } from "./contestant.ts";

type Prepare = (benchCase: Case) => Measure;

/** How each library is started on a device. The peers are separate chunks, which are loaded when they are used. */
const contestants: Record<string, (device: Device) => Promise<Prepare>> = {
  async pushforward(device) {
    const engine = device === "wasm" ? { threads: THREADS } : { providers: [device] };
    if (device === "webgpu") useOnnxRuntime(await import("onnxruntime-web/webgpu"));
    return (benchCase) => prepareMeasurement(benchCase, engine);
  },

  async tfjs(device) {
    const { startTfjs } = await import("../peers/tfjsInPage.ts");
    const { tfjsTraining } = await import("../peers/tfjsTraining.ts");
    await startTfjs(device, THREADS);
    return (benchCase) => measureTraining(tfjsTraining, benchCase as TrainingCase);
  },

  async "jax-js"(device) {
    const { jaxjsTraining, startJaxjs } = await import("../peers/jaxjsTraining.ts");
    await startJaxjs(device);
    return (benchCase) => measureTraining(jaxjsTraining, benchCase as TrainingCase);
  },
};

const started = new Map<string, Prepare>();
/** Each contestant's measurement of each case, and the time to its first result. */
const measures = new Map<string, { readonly measure: Measure; readonly startMs: number }>();

window.bench = {
  async start(name, device) {
    started.set(name, await contestants[name](device));
  },

  async measure(name, benchCase, plan) {
    const unsupported = name === "pushforward" ? undefined : whyUnsupported(benchCase);
    if (unsupported) return { unsupported };
    const key = `${name}: ${benchCase.name}`;
    const known = measures.get(key);
    const start = performance.now();
    const measure = known?.measure ?? started.get(name)!(benchCase);
    const buildMs = performance.now() - start;
    const { times, startMs: firstMs } = await measure(plan);
    const { startMs } = known ?? { startMs: buildMs + firstMs };
    measures.set(key, { measure, startMs });
    return { times: [...times], startMs };
  },
} satisfies PageBench;
