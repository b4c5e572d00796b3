// @ts-check
// The code of a worker thread of `poolWorker.ts`. `workerProtocol.js` defines the words of `control`. The thread holds sessions of graphs
// and instances of kernels, and runs them when told to. It is JavaScript so that it runs from the sources as well as from the
// package.
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { fill, instantiateKernel } from "../random/fill.js";
import { runInto } from "./runInto.js";
import { CALL, DONE, FAILED, READ_MESSAGE, ROWS, TASK } from "./workerProtocol.js";

/** @type {import("node:worker_threads").MessagePort} */
const port = workerData.port;
/** @type {Int32Array} */
const control = workerData.control;
const random = instantiateKernel(workerData.random);
/**
 * Iterations of busy waiting before the thread sleeps, a fraction of a millisecond: longer than the pause between training steps.
 */
const SPIN_ITERATIONS = 200_000;

/** @type {Map<number, { run(rows: number): void | Promise<void>, release(): void | Promise<void> }>} */
const tasks = new Map();

/** Prepares the graph or the kernel of a message. A message without either releases the task.
 *  @param {any} message */
async function handle({ task, ...message }) {
  if (message.bytes) tasks.set(task, await graphTask(message));
  else if (message.code) tasks.set(task, kernelTask(message));
  else {
    await tasks.get(task)?.release();
    tasks.delete(task);
  }
}

/** @param {any} message */
async function graphTask({ bytes, isNative, options, precision, inputs, outputs }) {
  /** @type {any} */
  const module = await (isNative ? import("#onnxruntime/native") : import("#onnxruntime/wasm"));
  const { InferenceSession, Tensor, env } = module.default ?? module;
  // Rows are split among worker threads, so each computes with one thread. onnxruntime-node ignores this.
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(bytes, options);
  // ONNX Runtime refuses shared memory: values are copied through arrays of this thread.
  /** @param {any[]} entries */
  const allocate = (entries) =>
    entries.map((entry) => ({ ...entry, local: new entry.array.constructor(entry.array.length) }));
  const [localInputs, localOutputs] = [allocate(inputs), allocate(outputs)];
  /** The first rows of each array, with its tensor.
   *  @param {any[]} entries @param {number} rows */
  const firstRows = (entries, rows) =>
    entries.map(({ name, array, local, dims, hasRows, noiseRequest }) => {
      const [capacity, ...rowDims] = dims;
      const size = hasRows ? (array.length / capacity) * rows : array.length;
      const part = local.subarray(0, size);
      const tensor = new Tensor(precision, part, hasRows ? [rows, ...rowDims] : dims);
      return { name, shared: array.subarray(0, size), local: part, tensor, noiseRequest };
    });
  /** @param {number} rows */
  const bind = (rows) => {
    const [boundInputs, boundOutputs] = [firstRows(localInputs, rows), firstRows(localOutputs, rows)];
    const feeds = Object.fromEntries(boundInputs.map(({ name, tensor }) => [name, tensor]));
    const fetches = Object.fromEntries(boundOutputs.map(({ name, tensor }) => [name, tensor]));
    return { boundInputs, boundOutputs, feeds, fetches };
  };
  /** @type {Map<number, ReturnType<typeof bind>>} */
  const bindings = new Map();
  return {
    /** @param {number} rows */
    async run(rows) {
      const binding = bindings.get(rows) ?? bind(rows);
      bindings.set(rows, binding);
      const { boundInputs, boundOutputs, feeds, fetches } = binding;
      for (const { local, shared, noiseRequest } of boundInputs) {
        if (noiseRequest?.[0]) fill(random, noiseRequest.subarray(2), noiseRequest[1], local);
        else local.set(shared);
      }
      await runInto(session, feeds, fetches, isNative);
      for (const { local, shared } of boundOutputs) shared.set(local);
    },
    release: () => session.release(),
  };
}

/** @param {any} message */
function kernelTask({ code, memory, calls }) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const functions = /** @type {((...numbers: number[]) => void)[]} */ (Object.values(exports));
  return {
    run() {
      let position = 1;
      for (let call = 0; call < calls[0]; call++) {
        const [index, count] = [calls[position], calls[position + 1]];
        functions[index](...calls.subarray(position + 2, position + 2 + count));
        position += 2 + count;
      }
    },
    release() {},
  };
}

/** @param {number} id */
function taskOf(id) {
  const task = tasks.get(id);
  if (!task) throw new Error(`the thread has no task ${id}`);
  return task;
}

for (let call = 0; ; ) {
  for (let i = 0; i < SPIN_ITERATIONS && Atomics.load(control, CALL) === call; i++);
  // A late notification of the previous call may wake the thread too early.
  while (Atomics.load(control, CALL) === call) Atomics.wait(control, CALL, call);
  call = Atomics.load(control, CALL);
  try {
    const task = Atomics.load(control, TASK);
    if (task !== READ_MESSAGE) await taskOf(task).run(Atomics.load(control, ROWS));
    else {
      await handle(receiveMessageOnPort(port)?.message);
      port.postMessage(null);
    }
  } catch (error) {
    Atomics.store(control, FAILED, 1);
    port.postMessage(error instanceof Error ? error.message : String(error));
  }
  Atomics.store(control, DONE, call);
  Atomics.notify(control, DONE);
}
