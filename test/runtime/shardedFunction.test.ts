import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Parameter } from "../../src/graph/parameter.ts";
import { compile } from "../../src/runtime/compile.ts";
import { ShardedFunction } from "../../src/runtime/shardedFunction.ts";
import { poolWorkers } from "../../src/runtime/workerTasks.ts";

const THREADS = 2;
const rowsOf = (shard: number) => Float32Array.from({ length: 6 }, (_, i) => 10 * shard + i);

describe.each(["float32", "float64"] as const)("a sharded function in %s", (precision) => {
  it.each([true, false])(
    "computes in each shard what a compiled function computes (inputs in shared memory: %s)",
    async (isShared) => {
      const shapes = [["N", 2] as const, [2, 2] as const];
      const compiled = compile((x, w) => ({ y: x.matmul(w) }), shapes, { batch: 3, precision });
      const unsharded = compile((x, w) => x.matmul(w), shapes, { precision });
      const zeros = (count: number, shared: boolean) => {
        const memory = shared ? new SharedArrayBuffer(8 * count) : new ArrayBuffer(8 * count);
        return precision === "float64" ? new Float64Array(memory) : new Float32Array(memory, 0, count);
      };
      const broadcast = zeros(4, isShared);
      const y = Array.from({ length: THREADS }, () => zeros(6, true));
      const sharded = await ShardedFunction.create(compiled, THREADS, {
        inputs: { input1: broadcast },
        outputs: { y },
      });
      expect(sharded.shards.map(({ outputs }) => outputs.y)).toEqual(y);
      for (const values of [
        [1, 2, 3, 4],
        [0, -1, 5, 0.5],
      ]) {
        broadcast.set(values);
        sharded.shards.forEach(({ inputs }, i) => {
          inputs[0].set(rowsOf(i));
        });
        await sharded.run();
        for (const [i, { outputs }] of sharded.shards.entries()) {
          expect([...outputs.y]).toEqual([...(await unsharded(rowsOf(i), broadcast))]);
        }
      }
      await sharded.release();
    },
  );

  it("keeps the values that embedded parameters had when it was created", async () => {
    const weight = new Parameter([1, 1], [3]);
    const compiled = compile((x) => ({ y: x.matmul(weight) }), [["N", 1]], {
      batch: 1,
      precision,
      embedParameters: true,
    });
    const sharded = await ShardedFunction.create(compiled, THREADS);
    for (const { inputs } of sharded.shards) inputs[0][0] = 2;
    await sharded.run();
    weight.value[0] = 5;
    await sharded.run();
    expect(sharded.shards.map(({ outputs }) => outputs.y[0])).toEqual([6, 6]);
    await sharded.release();
  });
});

it("computes only the first rows of its shards, as many as a call asks for", async () => {
  const compiled = compile(
    (x, w) => ({ y: x.matmul(w), sum: x.sum() }),
    [
      ["N", 2],
      [2, 1],
    ],
    { threads: 1 },
  );
  const sharded = await ShardedFunction.create(compiled, THREADS, { rows: 4 });
  for (const { inputs } of sharded.shards) {
    inputs[0].set([1, 2, 3, 4, 5, 6, 7, 8]);
    inputs[1].set([10, 1]);
  }
  for (const [rows, y, sum] of [
    [3, [12, 34, 56, 0], 21],
    [1, [12, 0, 0, 0], 3],
    [4, [12, 34, 56, 78], 36],
    [3, [12, 34, 56, 0], 21],
  ] as const) {
    for (const { outputs } of sharded.shards) outputs.y.fill(0);
    await sharded.run(THREADS, rows);
    for (const { outputs } of sharded.shards)
      expect({ y: [...outputs.y], sum: outputs.sum[0] }).toEqual({ y, sum });
  }
  await sharded.release();
});

it("leaves shards unchanged that a call does not include, and several functions can run at the same time", async () => {
  const twice = await ShardedFunction.create(
    compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 }),
    THREADS,
  );
  const square = await ShardedFunction.create(
    compile((x) => ({ y: x.square() }), [["N"]], { batch: 1 }),
    THREADS,
  );
  for (const { shards } of [twice, square]) for (const { inputs } of shards) inputs[0][0] = 3;
  await Promise.all([twice.run(1), square.run(), twice.run(1), square.run()]);
  expect(twice.shards.map(({ outputs }) => outputs.y[0])).toEqual([6, 0]);
  expect(square.shards.map(({ outputs }) => outputs.y[0])).toEqual([9, 9]);
  await twice.release();
  await square.release();
});

it("a call that fails in a worker thread is an error, and the thread goes on working", async () => {
  const build = () => compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const [worker] = await poolWorkers(1);
  worker.start(-1);
  // The failure arrives while this thread does something else.
  await setTimeout(50);
  await expect(worker.finish()).rejects.toThrow(/the thread has no task -1/);
  const sharded = await ShardedFunction.create(build(), THREADS);
  sharded.shards[1].inputs[0][0] = 4;
  await sharded.run();
  expect(sharded.shards[1].outputs.y[0]).toBe(8);
  await sharded.release();
});

it("a graph that a session in a worker thread refuses is an error", async () => {
  const broken = compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const sessionFile = async () => new Uint8Array(8);
  await expect(ShardedFunction.create(Object.assign(broken, { sessionFile }), THREADS)).rejects.toThrow(
    /^a worker thread failed: .*protobuf/i,
  );
});

/** The numbers of a worker thread that no call has read, and of its tasks. */
const stateOf = (worker: object) => {
  const { answers, taskCount } = worker as { answers: readonly unknown[]; taskCount: number };
  return { unreadAnswers: answers.length, taskCount };
};

it("a call that fails in all threads leaves no answer for the next one, and the threads become idle", async () => {
  const workers = await poolWorkers(2);
  const before = workers.map(stateOf);
  const shapes = { x: ["N", 2], order: [2], inverse: [2] } as const;
  const compiled = compile((x, order, inverse) => ({ y: x.permute(1, order, inverse) }), shapes, {
    batch: 1,
  });
  const order = Float32Array.of(1, 0);
  const inputs = { order, inverse: Float32Array.of(1, 0) };
  const sharded = await ShardedFunction.create(compiled, 3, { inputs });
  order.set([99, 99]);
  await expect(sharded.run()).rejects.toThrow();
  order.set([1, 0]);
  for (const [i, { inputs }] of sharded.shards.entries()) inputs[0].set([i, 5]);
  await sharded.run();
  expect(sharded.shards.map(({ outputs }) => [...outputs.y])).toEqual([0, 1, 2].map((i) => [5, i]));
  await sharded.release();
  expect(workers.map(stateOf)).toEqual(before);
});

it("a sharded function that cannot be created leaves neither tasks nor answers behind", async () => {
  const workers = await poolWorkers(2);
  const before = workers.map(stateOf);
  const build = () => compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const bind = async () => {
    throw new Error("no memory");
  };
  await expect(ShardedFunction.create(Object.assign(build(), { bind }), 3)).rejects.toThrow("no memory");
  expect(workers.map(stateOf)).toEqual(before);
  const sharded = await ShardedFunction.create(build(), 3);
  for (const { inputs } of sharded.shards) inputs[0][0] = 4;
  await sharded.run();
  expect(sharded.shards.map(({ outputs }) => outputs.y[0])).toEqual([8, 8, 8]);
  await sharded.release();
});

it("releases the session of the calling thread if a worker thread fails, and its tasks if that session is not released", async () => {
  const [worker] = await poolWorkers(1);
  const before = stateOf(worker);
  let releases = 0;
  const observed = compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const { release } = observed;
  const failing = Object.assign(observed, {
    sessionFile: async () => new Uint8Array(8),
    release: () => {
      releases++;
      return release();
    },
  });
  await expect(ShardedFunction.create(failing, THREADS)).rejects.toThrow(/a worker thread failed/);
  expect(releases).toBe(1);
  const compiled = compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const refusing = Object.assign({ ...compiled }, { release: () => Promise.reject(new Error("no session")) });
  const sharded = await ShardedFunction.create(refusing, THREADS);
  await expect(sharded.release()).rejects.toThrow("no session");
  expect(stateOf(worker)).toEqual(before);
  await compiled.release();
});

it("a thread that ends by itself is an error for the calls that use it, and is replaced for later functions", async () => {
  const build = () => compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const [worker] = await poolWorkers(1);
  const orphaned = await ShardedFunction.create(build(), THREADS);
  await (worker as unknown as { worker: { terminate(): Promise<number> } }).worker.terminate();
  await expect(orphaned.run()).rejects.toThrow(/a worker thread failed: the thread ended with code 1/);
  await orphaned.release();
  expect(await poolWorkers(1)).not.toContain(worker);
  const sharded = await ShardedFunction.create(build(), THREADS);
  for (const { inputs } of sharded.shards) inputs[0][0] = 4;
  await sharded.run();
  expect(sharded.shards.map(({ outputs }) => outputs.y[0])).toEqual([8, 8]);
  await sharded.release();
});

it("a call ends with an error if a thread dies while it computes", { timeout: 10_000 }, async () => {
  const [worker] = await poolWorkers(1);
  // The calling thread sleeps when the event of the end arrives.
  const ended = (worker as unknown as { worker: { terminate(): Promise<number> } }).worker.terminate();
  worker.start(1);
  await expect(worker.finish()).rejects.toThrow(/the thread ended/);
  await ended;
});
