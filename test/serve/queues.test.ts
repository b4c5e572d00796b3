import { describe, expect, test } from "vitest";
import { BusyError, CallQueue, MAX_WAITING } from "../../src/serve/http/callQueue.ts";
import { ScoreQueue } from "../../src/serve/http/scoreQueue.ts";
import type { Row } from "../../src/serve/servedModel.ts";

const { signal } = new AbortController();

describe("the queue of scores", () => {
  /** A model whose log-density is the number x of a row, and which records the rows of its calls. */
  const recorder = () => {
    const calls: number[] = [];
    const score = async (rows: readonly Row[]) => {
      calls.push(rows.length);
      if (rows.some(({ x }) => x === null)) throw new Error("a row is missing");
      return Float64Array.from(rows, ({ x, y = 0 }) => Number(x) + Number(y));
    };
    return { calls, score };
  };
  test("computes requests that wait together, but not those for other columns", async () => {
    const model = recorder();
    const queue = new ScoreQueue(model, 4);
    const results = [[{ x: 1 }], [{ x: 2 }, { x: 3 }], [{ x: 1, y: 5 }], [{ x: 4 }], [{ x: 5 }]].map((rows) =>
      queue.score(rows, signal),
    );
    expect((await Promise.all(results)).map((scores) => [...scores])).toEqual([[1], [2, 3], [6], [4], [5]]);
    expect(model.calls).toEqual([4, 1, 1]);
  });

  test("a request that fails does not fail others, and one that is aborted is not computed", async () => {
    const model = recorder();
    const queue = new ScoreQueue(model, 10);
    const aborted = AbortSignal.abort();
    const outcomes = await Promise.allSettled([
      queue.score([{ x: 1 }], signal),
      queue.score([{ x: null }], signal),
      queue.score([{ x: 7 }], aborted),
      queue.score([{ x: 2 }], signal),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(model.calls).toEqual([3, 1, 2, 1, 1]);
  });
});

test("a request that fails among many takes few calls to find", async () => {
  let calls = 0;
  const score = async (rows: readonly Row[]) => {
    calls++;
    if (rows.some(({ x }) => x === null)) throw new Error("a row is missing");
    return Float64Array.from(rows, ({ x }) => Number(x));
  };
  const queue = new ScoreQueue({ score }, 10_000);
  const rows = Array.from({ length: 256 }, (_, x): Row => ({ x: x === 100 ? null : x }));
  const outcomes = await Promise.allSettled(rows.map((row) => queue.score([row], signal)));
  expect(outcomes.flatMap(({ status }, i) => (status === "rejected" ? [i] : []))).toEqual([100]);
  // The whole batch, and two halves for each bit of the position.
  expect(calls).toBe(1 + 2 * 8);
});

describe("the queue of calls", () => {
  test("runs one call at a time, in order, whatever fails", async () => {
    const queue = new CallQueue();
    const events: string[] = [];
    const call =
      (name: string, fails = false) =>
      async () => {
        events.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const outcomes = await Promise.allSettled([
      queue.run(call("a"), signal),
      queue.run(call("b", true), signal),
      queue.run(call("c"), AbortSignal.abort()),
      queue.run(call("d"), signal),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(events).toEqual(["a begins", "a ends", "b begins", "b ends", "d begins", "d ends"]);
  });

  test("refuses more calls than may wait", async () => {
    const queue = new CallQueue();
    const calls = Array.from({ length: MAX_WAITING }, () => queue.run(async () => 1, signal));
    expect(() => queue.run(async () => 1, signal)).toThrow(BusyError);
    await Promise.all(calls);
    expect(await queue.run(async () => 2, signal)).toBe(2);
  });
});
