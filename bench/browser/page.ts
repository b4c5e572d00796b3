import { useOnnxRuntime } from "../../src/runtime/index.ts";
import { measureTraining } from "../peers/measure.ts";
import type { Case } from "../speed/cases.ts";
import { type Measure, type Plan, prepareMeasurement } from "../speed/measure.ts";
import { type Answer, THREADS } from "../speed/protocol.ts";

export type Device = "wasm" | "webgpu";

export type TrainingCase = Case & {
  readonly job: "train";
  readonly transforms: number;
  readonly hidden: number[];
};

type Prepare = (benchCase: TrainingCase) => Measure;

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
    return (benchCase) => measureTraining(tfjsTraining, benchCase);
  },

  async "jax-js"(device) {
    const { jaxjsTraining, startJaxjs } = await import("../peers/jaxjsTraining.ts");
    await startJaxjs(device);
    return (benchCase) => measureTraining(jaxjsTraining, benchCase);
  },
};

const started = new Map<string, Prepare>();
const measures = new Map<string, Measure>();

/** What the page offers to the script that drives it. */
const bench = {
  async start(name: string, device: Device): Promise<void> {
    started.set(name, await contestants[name](device));
  },

  async measure(name: string, benchCase: TrainingCase, plan: Plan): Promise<Answer> {
    const key = `${name}: ${benchCase.name}`;
    const measure = measures.get(key) ?? started.get(name)!(benchCase);
    measures.set(key, measure);
    const { times, startMs } = await measure(plan);
    return { times: [...times], startMs };
  },
};

declare global {
  interface Window {
    bench: typeof bench;
  }
}

window.bench = bench;
