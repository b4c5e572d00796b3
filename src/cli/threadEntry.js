// @ts-check
// Plain JavaScript, so that a thread can start from it in the sources as in the package.
import { workerData } from "node:worker_threads";

const { module } = workerData;
// A thread does not inherit tsx, which runs the sources.
if (module.endsWith(".ts")) (await import("tsx/esm/api")).register();
const { runCommandThread } = await import(module);
await runCommandThread();
