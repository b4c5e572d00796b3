import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Parameter } from "../../src/graph/parameter.ts";
import { compile } from "../../src/runtime/compile.ts";
import { Team } from "../../src/runtime/team.ts";
import { workerThreads } from "../../src/runtime/thread.ts";

const THREADS = 2;
const rowsOf = (slot: number) => Float32Array.from({ length: 6 }, (_, i) => 10 * slot + i);

describe.each(["float32", "float64"] as const)("a team in %s", (precision) => {
  it.each([true, false])(
    "computes in each slot what one thread does (inputs shared: %s)",
    async (isShared) => {
      const shapes = [["N", 2] as const, [2, 2] as const];
      const compiled = compile((x, w) => ({ y: x.matmul(w) }), shapes, { batch: 3, precision });
      const alone = compile((x, w) => x.matmul(w), shapes, { precision });
      const zeros = (count: number, shared: boolean) => {
        const memory = shared ? new SharedArrayBuffer(8 * count) : new ArrayBuffer(8 * count);
        return precision === "float64" ? new Float64Array(memory) : new Float32Array(memory, 0, count);
      };
      const common = zeros(4, isShared);
      const y = Array.from({ length: THREADS }, () => zeros(6, true));
      const team = await Team.of(compiled, THREADS, { inputs: { input1: common }, outputs: { y } });
      expect(team.slots.map(({ outputs }) => outputs.y)).toEqual(y);
      for (const values of [
        [1, 2, 3, 4],
        [0, -1, 5, 0.5],
      ]) {
        common.set(values);
        team.slots.forEach(({ inputs }, i) => {
          inputs[0].set(rowsOf(i));
        });
        await team.run();
        for (const [i, { outputs }] of team.slots.entries()) {
          expect([...outputs.y]).toEqual([...(await alone(rowsOf(i), common))]);
        }
      }
      await team.release();
    },
  );

  it("keeps embedded parameters as they were", async () => {
    const weight = new Parameter([1, 1], [3]);
    const compiled = compile((x) => ({ y: x.matmul(weight) }), [["N", 1]], {
      batch: 1,
      precision,
      embedParameters: true,
    });
    const team = await Team.of(compiled, THREADS);
    for (const { inputs } of team.slots) inputs[0][0] = 2;
    await team.run();
    weight.value[0] = 5;
    await team.run();
    expect(team.slots.map(({ outputs }) => outputs.y[0])).toEqual([6, 6]);
    await team.release();
  });
});

it("computes the first rows of its slots, as many as a turn asks for", async () => {
  const compiled = compile(
    (x, w) => ({ y: x.matmul(w), sum: x.sum() }),
    [
      ["N", 2],
      [2, 1],
    ],
    { threads: 1 },
  );
  const team = await Team.of(compiled, THREADS, { rows: 4 });
  for (const { inputs } of team.slots) {
    inputs[0].set([1, 2, 3, 4, 5, 6, 7, 8]);
    inputs[1].set([10, 1]);
  }
  for (const [rows, y, sum] of [
    [3, [12, 34, 56, 0], 21],
    [1, [12, 0, 0, 0], 3],
    [4, [12, 34, 56, 78], 36],
    [3, [12, 34, 56, 0], 21],
  ] as const) {
    for (const { outputs } of team.slots) outputs.y.fill(0);
    await team.run(THREADS, rows);
    for (const { outputs } of team.slots)
      expect({ y: [...outputs.y], sum: outputs.sum[0] }).toEqual({ y, sum });
  }
  await team.release();
});

it("leaves slots alone that have no turn, and serves several teams at once", async () => {
  const twice = await Team.of(
    compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 }),
    THREADS,
  );
  const square = await Team.of(
    compile((x) => ({ y: x.square() }), [["N"]], { batch: 1 }),
    THREADS,
  );
  for (const { slots } of [twice, square]) for (const { inputs } of slots) inputs[0][0] = 3;
  await Promise.all([twice.run(1), square.run(), twice.run(1), square.run()]);
  expect(twice.slots.map(({ outputs }) => outputs.y[0])).toEqual([6, 0]);
  expect(square.slots.map(({ outputs }) => outputs.y[0])).toEqual([9, 9]);
  await twice.release();
  await square.release();
});

it("tells of a turn that failed in a worker thread, and goes on", async () => {
  const build = () => compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const [thread] = workerThreads(1);
  thread.start(-1);
  // The failure is told while this thread is busy with something else.
  await setTimeout(50);
  await expect(thread.finish()).rejects.toThrow(/it has no graph -1/);
  const team = await Team.of(build(), THREADS);
  team.slots[1].inputs[0][0] = 4;
  await team.run();
  expect(team.slots[1].outputs.y[0]).toBe(8);
  await team.release();
});

it("tells what the runtime refused", async () => {
  const broken = compile((x) => ({ y: x.mul(2) }), [["N"]], { batch: 1 });
  const sessionBytes = () => new Uint8Array(8);
  await expect(Team.of(Object.assign(broken, { sessionBytes }), THREADS)).rejects.toThrow(
    /ONNX Runtime failed in a worker thread/,
  );
});
