import { readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { nsf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { terminateIdleWorkers } from "../../src/runtime/idleWorkers.ts";
import { compile } from "../../src/runtime/index.ts";
import { fit } from "../../src/train/index.ts";

const x = new Random(1).normal(new Float64Array(2000));
const flow = (seed = 0) => nsf(2, { transforms: 1, hidden: [8], seed });
const onLinux = process.platform === "linux";
const osThreads = () => readdirSync("/proc/self/task").length;

describe("a flow", () => {
  test("releases its sessions when running calls are done, and creates new ones for the next call", async () => {
    const own = flow();
    const calls = [own.logProb(x, undefined, { threads: 2 }), own.sample(5)];
    const released = own.release();
    const after = own.logProb(x, undefined, { threads: 2 });
    const [logProb] = await Promise.all(calls);
    await released;
    expect(await after).toEqual(logProb);
    await own.release();
    await own.release();
  });

  test("ends the worker threads that no other flow uses", async () => {
    const [a, b] = [flow(), flow(1)];
    const expected = await b.logProb(x, undefined, { threads: 2 });
    const two = onLinux && osThreads();
    const wide = await a.logProb(x, undefined, { threads: 4 });
    expect(wide).toHaveLength(1000);
    if (two) expect(osThreads()).toBeGreaterThanOrEqual(two + 2);
    await a.release();
    if (two) expect(osThreads()).toBeLessThanOrEqual(two);
    expect(await b.logProb(x, undefined, { threads: 2 })).toEqual(expected);
    await b.release();
    if (two) expect(osThreads()).toBeLessThan(two);
    expect(await b.logProb(x, undefined, { threads: 2 })).toEqual(expected);
    await b.release();
  });

  test("ends the worker threads that updated its weights in training", async () => {
    await terminateIdleWorkers();
    const before = onLinux && osThreads();
    // Enough parameters for two threads to update them.
    const wide = nsf(2, { transforms: 1, hidden: [200, 200] });
    await fit(wide, x, { epochs: 1, threads: 2 });
    await wide.release();
    if (before) expect(osThreads()).toBeLessThanOrEqual(before);
  });

  test("and a compiled function are released at the end of a block by await using", async () => {
    const released: string[] = [];
    /** Tells what is disposed of. */
    const observed = <T extends AsyncDisposable>(name: string, resource: T): T => {
      const dispose = resource[Symbol.asyncDispose].bind(resource);
      return Object.assign(resource, {
        async [Symbol.asyncDispose]() {
          await dispose();
          released.push(name);
        },
      });
    };
    {
      await using own = observed("flow", flow());
      await using run = observed(
        "function",
        compile((x) => own.logProb(x), { x: ["N", 2] }),
      );
      expect(await run(x)).toHaveLength(1000);
      expect(await own.logProb(x)).toHaveLength(1000);
    }
    expect(released).toEqual(["function", "flow"]);
  });
});

test("a compiled function releases its session when running calls are done", async () => {
  const run = compile((x) => x.mul(2), { x: ["N"] });
  const before = run([1, 2]);
  const released = run.release();
  const after = run([3]);
  expect(await before).toEqual(Float32Array.of(2, 4));
  await released;
  expect(await after).toEqual(Float32Array.of(6));
  await run.release();
});

test("a bound call is waited for, and creates a new session after release", async () => {
  const f = compile((x) => ({ y: x.mul(2) }), { x: ["N"] });
  const [x, y] = [Float32Array.of(1, 2), new Float32Array(2)];
  const run = await f.bind([x], { y });
  const running = run();
  await f.release();
  await running;
  expect(y).toEqual(Float32Array.of(2, 4));
  x[0] = 5;
  await run();
  expect(y).toEqual(Float32Array.of(10, 4));
  await f.release();
});

test("a released function keeps no arrays of its last call", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const f = compile((x) => x.mul(2), { x: ["N"] });
  const output = new WeakRef(await f([1, 2]));
  await f.release();
  // A weak reference keeps its object until the current job is done.
  await setTimeout(1);
  collectGarbage();
  expect(output.deref()).toBeUndefined();
});
