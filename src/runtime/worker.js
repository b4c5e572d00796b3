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
const MAIL = 0;
/** A fraction of a millisecond: longer than what happens between two training steps, shorter than anybody minds. */
const SPINS = 200_000;

/** @type {Map<number, { run(): Promise<void>, release(): Promise<void> }>} */
const jobs = new Map();

/** Makes a session for a graph, or, if there is none in the message, forgets the one of that number.
 *  @param {any} message */
async function read({ job, bytes, options, precision, inputs, outputs }) {
  if (!bytes) {
    await jobs.get(job)?.release();
    return jobs.delete(job);
  }
  const session = await InferenceSession.create(bytes, options);
  // The runtime refuses shared memory: numbers go through arrays of this thread's own.
  /** @param {any[]} entries */
  const local = (entries) =>
    entries.map(({ name, array: shared, dims }) => {
      const own = new shared.constructor(shared.length);
      return { name, shared, own, tensor: new Tensor(precision, own, dims) };
    });
  const [given, results] = [local(inputs), local(outputs)];
  const feeds = Object.fromEntries(given.map(({ name, tensor }) => [name, tensor]));
  const fetches = Object.fromEntries(results.map(({ name, tensor }) => [name, tensor]));
  jobs.set(job, {
    async run() {
      for (const { own, shared } of given) own.set(shared);
      await session.run(feeds, fetches);
      for (const { own, shared } of results) shared.set(own);
    },
    release: () => session.release(),
  });
}

/** @param {number} number */
function known(number) {
  const job = jobs.get(number);
  if (!job) throw new Error(`it has no graph ${number}`);
  return job;
}

for (let turn = 0; ; ) {
  for (let i = 0; i < SPINS && Atomics.load(control, TURN) === turn; i++);
  // A late call for the turn before wakes it too.
  while (Atomics.load(control, TURN) === turn) Atomics.wait(control, TURN, turn);
  turn = Atomics.load(control, TURN);
  try {
    const job = Atomics.load(control, JOB);
    if (job !== MAIL) await known(job).run();
    else {
      await read(receiveMessageOnPort(port)?.message);
      port.postMessage(null);
    }
  } catch (error) {
    Atomics.store(control, FAILED, 1);
    port.postMessage(error instanceof Error ? error.message : String(error));
  }
  Atomics.store(control, DONE, turn);
  Atomics.notify(control, DONE);
}
