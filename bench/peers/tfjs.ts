/**
 * The process of TensorFlow.js in the benchmark of speed, with its WebAssembly backend, which has one thread in Node. It trains the
 * flows that it is sent.
 */
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { serve } from "./serve.ts";
import { tfjsTraining } from "./tfjsTraining.ts";

await tf.setBackend("wasm");
await serve("tfjs", { "@tensorflow/tfjs": tf.version.tfjs }, tfjsTraining);
