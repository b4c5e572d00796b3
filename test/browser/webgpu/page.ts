import * as ort from "onnxruntime-web/webgpu";
import { dataset, maf, minimize, Random } from "../../../src/index.ts";
import { useOnnxRuntime } from "../../../src/runtime/index.ts";
import { logProbInFloat64 } from "./logProbInFloat64.ts";

useOnnxRuntime(ort);

/**
 * The mean negative log-density of the rows at each step of a training run, in nats. The flow is small because a device in software
 * compiles each operation of its graph for a tenth of a second.
 */
async function trainOn(provider: string): Promise<number[]> {
  const rows = new Random(1).normal(new Float64Array(64)).map((z, i) => z + (i % 2));
  const flow = maf(2, { transforms: 1, hidden: [4], seed: 2 });
  const losses: number[] = [];
  await minimize(({ values }) => flow.logProb(values).neg(), flow, dataset(rows, { features: 2 }), {
    epochs: 5,
    validationFraction: 0,
    optimizer: { learningRate: 0.01 },
    seed: 3,
    providers: [provider],
    onProgress: ({ loss }) => losses.push(loss),
  });
  return losses;
}

declare global {
  interface Window {
    trainOn: typeof trainOn;
    logProbInFloat64: typeof logProbInFloat64;
  }
}

window.trainOn = trainOn;
window.logProbInFloat64 = logProbInFloat64;
