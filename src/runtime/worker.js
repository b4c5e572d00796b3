// @ts-check
// Plain JavaScript, so that a worker thread runs it from the sources as from the package.
// It holds copies of graphs; `thread.ts` is the other side and says what the words of `control` mean.
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import * as module from "#onnxruntime";

const { InferenceSession, Tensor } = module.default ?? module;
const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
/** @type {Int32Array} */
const control = workerData.control;
const [TURN, JOB, DONE, FAILED] = [0, 1, 2, 3];
/** A fraction of a millisecond: longer than what happens between two training steps, shorter than anybody minds. */
const SPINS = 200_000;

/** @type {Map<number, () => Promise<void>>} */
const jobs = new Map();

/** @param {any} message */
async function prepare({ job, bytes, options, precision, inputs, outputs }) {
  if (!bytes) return void jobs.delete(job);
  const session = await InferenceSession.create(bytes, options);
  // The runtime refuses shared memory: numbers go through arrays of this thread's own.
  /** @param {any[]} entries */
  const local = (entries) =>
    entries.map(({ name, shared, dims }) => {
      const own = new shared.constructor(shared.length);
      return { name, shared, own, tensor: new Tensor(precision, own, dims) };
    });
  const [read, written] = [local(inputs), local(outputs)];
  const feeds = Object.fromEntries(read.map(({ name, tensor }) => [name, tensor]));
  const fetches = Object.fromEntries(written.map(({ name, tensor }) => [name, tensor]));
  jobs.set(job, async () => {
    for (const { own, shared } of read) own.set(shared);
    await session.run(feeds, fetches);
    for (const { own, shared } of written) shared.set(own);
  });
}

for (let turn = 0; ; ) {
  for (let i = 0; i < SPINS && Atomics.load(control, TURN) === turn; i++);
  // A late call for the turn before wakes it too.
  while (Atomics.load(control, TURN) === turn) Atomics.wait(control, TURN, turn);
  turn++;
  try {
    const job = Atomics.load(control, JOB);
    if (job > 0) await jobs.get(job)?.();
    else await prepare(receiveMessageOnPort(port)?.message);
    if (job === 0) port.postMessage(null);
  } catch (error) {
    Atomics.store(control, FAILED, 1);
    port.postMessage(error instanceof Error ? error.message : String(error));
  }
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
}
