// @ts-check
// Plain JavaScript, so that a worker thread runs it from the sources as from the package.
// It holds copies of graphs and of kernels; `thread.ts` is the other side and says what the words of `control` mean.
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import * as module from "#onnxruntime";
import { fill, kernelOf } from "../random/fill.js";
import { runInPlace } from "./inPlace.js";

const { InferenceSession, Tensor } = module.default ?? module;
/** @type {import("node:worker_threads").MessagePort} */
const port = workerData.port;
/** @type {Int32Array} */
const control = workerData.control;
const random = kernelOf(workerData.random);
const [TURN, JOB, DONE, FAILED, ROWS] = [0, 1, 2, 3, 4];
const MAIL = 0;
/** A fraction of a millisecond: longer than what happens between two training steps, shorter than anybody minds. */
const SPINS = 200_000;

/** @type {Map<number, { run(rows: number): void | Promise<void>, release(): void | Promise<void> }>} */
const jobs = new Map();

/** Takes up the graph or the kernel of a message, or, if there is none, forgets the one of that number.
 *  @param {any} message */
async function read({ job, ...message }) {
  if (message.bytes) jobs.set(job, await graph(message));
  else if (message.code) jobs.set(job, kernel(message));
  else {
    await jobs.get(job)?.release();
    jobs.delete(job);
  }
}

/** @param {any} message */
async function graph({ bytes, options, precision, inputs, outputs }) {
  const session = await InferenceSession.create(bytes, options);
  // The runtime refuses shared memory: numbers go through arrays of this thread's own.
  /** @param {any[]} entries */
  const local = (entries) =>
    entries.map((entry) => ({ ...entry, own: new entry.array.constructor(entry.array.length) }));
  const [allGiven, allResults] = [local(inputs), local(outputs)];
  /** @param {any[]} entries @param {number} rows */
  const first = (entries, rows) =>
    entries.map(({ name, array, own, dims, byRow, noise }) => {
      const [most, ...rest] = dims;
      const size = byRow ? (array.length / most) * rows : array.length;
      const part = own.subarray(0, size);
      const tensor = new Tensor(precision, part, byRow ? [rows, ...rest] : dims);
      return { name, shared: array.subarray(0, size), own: part, tensor, noise };
    });
  /** @param {number} rows */
  const turn = (rows) => {
    const [given, results] = [first(allGiven, rows), first(allResults, rows)];
    const feeds = Object.fromEntries(given.map(({ name, tensor }) => [name, tensor]));
    const fetches = Object.fromEntries(results.map(({ name, tensor }) => [name, tensor]));
    return { given, results, feeds, fetches };
  };
  /** @type {Map<number, ReturnType<typeof turn>>} */
  const turns = new Map();
  return {
    /** @param {number} rows */
    async run(rows) {
      const known = turns.get(rows) ?? turn(rows);
      turns.set(rows, known);
      const { given, results, feeds, fetches } = known;
      for (const { own, shared, noise } of given) {
        if (noise?.[0]) fill(random, noise.subarray(2), noise[1], own);
        else own.set(shared);
      }
      await runInPlace(session, feeds, fetches);
      for (const { own, shared } of results) shared.set(own);
    },
    release: () => session.release(),
  };
}

/** @param {any} message */
function kernel({ code, memory, calls }) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const functions = /** @type {((...numbers: number[]) => void)[]} */ (Object.values(exports));
  return {
    run() {
      let at = 1;
      for (let call = 0; call < calls[0]; call++) {
        const [number, count] = [calls[at], calls[at + 1]];
        functions[number](...calls.subarray(at + 2, at + 2 + count));
        at += 2 + count;
      }
    },
    release() {},
  };
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
    if (job !== MAIL) await known(job).run(Atomics.load(control, ROWS));
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
