import { describe, expect, it } from "vitest";
import { Exp } from "../../src/bijections/exp.ts";
import type { Communicator } from "../../src/communicator/communicator.ts";
import { dataset } from "../../src/dataset/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { dequantize, Flow, nsf, realNVP } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fitFlows, fitTable, forTables } from "../../src/tables/fit/index.ts";
import { type CheckpointStore, type FitOptions, fit, minimize } from "../../src/train/index.ts";
import { onRanks } from "./localCommunicators.ts";

const D = 2;
const rows = new Random(1).normal(new Float64Array(500 * D)).map((z, i) => (i % D === 0 ? z * z : z));
/** 450 training rows: the last batch of an epoch has 66, fewer than the threads of three ranks could share. */
const options = { threads: 1, epochs: 2, batchSize: 128 };

const weightsOf = (flow: Flow) => [...flow.parameters().values()].flatMap(({ numbers }) => [...numbers]);

async function train(communicator?: Communicator, more: FitOptions = {}, seed = 0) {
  const flow = forTables(nsf(D, { hidden: [8], transforms: 1, seed }));
  const result = await fit(flow, rows, { ...options, ...(communicator && { communicator }), ...more });
  return { result, weights: weightsOf(flow) };
}

type Trained = Awaited<ReturnType<typeof train>>;

function expectClose(actual: Trained, expected: Trained): void {
  expect(actual.result.epochs.length).toBe(expected.result.epochs.length);
  actual.result.epochs.forEach((epoch, i) => {
    expect(epoch.trainLogDensity).toBeCloseTo(expected.result.epochs[i]!.trainLogDensity, 4);
    expect(epoch.validationLogDensity).toBeCloseTo(expected.result.epochs[i]!.validationLogDensity, 4);
  });
}

describe("training by several processes", () => {
  it("is that of one process up to rounding, reproducible, and the same on all ranks", async () => {
    const one = await train();
    for (const size of [2, 3]) {
      const ranks = await onRanks(size, (communicator) => train(communicator));
      for (const rank of ranks) expectClose(rank, one);
      for (const { weights } of ranks) expect(weights).toEqual(ranks[0]!.weights);
      const [again] = await onRanks(size, (communicator) => train(communicator));
      expect(again!.weights).toEqual(ranks[0]!.weights);
    }
  });

  it("splits the rows of a rank among its threads, and leaves ranks without rows idle", async () => {
    const one = await train(undefined, { epochs: 1 });
    const ranks = await onRanks(2, (communicator) => train(communicator, { epochs: 1, threads: 2 }));
    for (const rank of ranks) expectClose(rank, one);
    const few = { epochs: 1, batchSize: 2 };
    const idle = await onRanks(3, (communicator) => train(communicator, few));
    expectClose(idle[2]!, await train(undefined, few));
  });

  it("uses equally many threads on all ranks, the fewest that one of them has", async () => {
    const threads = [1, 3];
    const learn = (count: (rank: number) => number) =>
      onRanks(2, (communicator) =>
        train(communicator, { batchSize: 225, threads: count(communicator.rank) }),
      );
    const ranks = await learn((rank) => threads[rank]!);
    const [equal] = await learn(() => 1);
    for (const { weights } of ranks) expect(weights).toEqual(equal!.weights);
    expectClose(ranks[1]!, await train(undefined, { batchSize: 225 }));
  });

  it("reads a stream only on rank 0, after the first pass", async () => {
    const learn = async (communicator?: Communicator) => {
      let passes = 0;
      const stream = async function* () {
        passes++;
        for (let start = 0; start < rows.length; start += 200) yield rows.slice(start, start + 200);
      };
      const flow = nsf(D, { hidden: [8], transforms: 1 });
      const result = await fit(flow, stream, { ...options, ...(communicator && { communicator }) });
      return { result, weights: weightsOf(flow), passes };
    };
    const one = await learn();
    const ranks = await onRanks(3, learn);
    expect(ranks.map(({ passes }) => passes)).toEqual([3, 1, 1]);
    for (const rank of ranks) expectClose(rank, one);
    for (const { weights } of ranks) expect(weights).toEqual(ranks[0]!.weights);
  });

  it("names a bad row of a stream, and ends on all ranks if the stream fails", async () => {
    const messages = (stream: () => AsyncIterable<Float64Array>) =>
      onRanks(2, (communicator) => {
        const positive = new Flow(new StandardNormal({ features: 1 }), new Exp({ features: 1 }));
        return fit(positive, stream, { ...options, communicator }).catch((error: Error) => error.message);
      });
    const numbers = Float64Array.from({ length: 100 }, (_, i) => (i === 50 ? -1 : i + 1));
    const bad = await messages(async function* () {
      yield numbers.slice(0, 40);
      yield numbers.slice(40);
    });
    for (const message of bad) expect(message).toMatch(/^row 50 lies outside of the support/);
    let passes = 0;
    const failing = await messages(async function* () {
      yield numbers.slice(0, 40);
      // Both ranks have made their first pass.
      if (++passes > 2) throw new Error("the disk is gone");
      yield numbers.slice(51);
    });
    expect(failing).toMatchInlineSnapshot(`
      [
        "the disk is gone",
        "rank 0 could not read the rows.
      Read the error of rank 0, which has the cause.",
      ]
    `);
  });

  it("begins with the parameters of rank 0", async () => {
    const ranks = await onRanks(2, (communicator) => train(communicator, {}, communicator.rank));
    expect(ranks[1]!.weights).toEqual(ranks[0]!.weights);
    expectClose(ranks[1]!, await train());
  });

  it("draws the same noise for a row, on whichever rank it is", async () => {
    const whole = rows.map(Math.floor);
    const learn = async (communicator?: Communicator) => {
      const flow = dequantize(forTables(nsf(D, { hidden: [8], transforms: 1 })), { values: [20, 20] });
      const result = await fit(
        flow,
        whole.map((x) => Math.min(19, x + 5)),
        {
          ...options,
          ...(communicator && { communicator }),
        },
      );
      return { result, weights: weightsOf(flow) };
    };
    const one = await learn();
    for (const rank of await onRanks(2, learn)) expectClose(rank, one);
  });

  it("gives all ranks the running statistics of batch normalization", async () => {
    const learn = async (communicator: Communicator) => {
      const flow = realNVP(D, { hidden: [8], transforms: 2, batchNorm: true });
      await fit(flow, rows, { ...options, epochs: 2, communicator });
      return weightsOf(flow);
    };
    const [first, second] = await onRanks(2, learn);
    expect(second).toEqual(first);
  });

  it("computes a scalar loss of the whole batch on one rank", async () => {
    const learn = async (communicator?: Communicator) => {
      const flow = nsf(D, { hidden: [8], transforms: 1 });
      await minimize(
        ({ values }) => flow.logProb(values).neg().mean(),
        flow,
        dataset(rows, { features: D }),
        {
          ...options,
          ...(communicator && { communicator }),
        },
      );
      return weightsOf(flow);
    };
    const one = await learn();
    for (const weights of await onRanks(2, learn)) expect(weights).toEqual(one);
  });

  it("ends when rank 0 says so", async () => {
    const stopAt = (epoch: number, rank: number) => {
      const stop = new AbortController();
      const onEpoch = (done: { epoch: number }) => done.epoch === epoch && stop.abort();
      return (communicator: Communicator) =>
        train(communicator, communicator.rank === rank ? { signal: stop.signal, onEpoch } : {});
    };
    for (const { result } of await onRanks(2, stopAt(1, 0))) {
      expect(result.stopped).toBe("signal");
      expect(result.epochs.length).toBe(1);
    }
    for (const { result } of await onRanks(2, stopAt(1, 1))) expect(result.stopped).toBe("epochs");
    const late = (communicator: Communicator) =>
      train(communicator, communicator.rank === 0 ? { maxMinutes: 1e-9 } : {});
    for (const { result } of await onRanks(2, late)) expect(result.stopped).toBe("time");
  });

  it("is refused on all ranks if one has other rows", async () => {
    const outcomes = await onRanks(3, async (communicator) => {
      const own = rows.slice();
      if (communicator.rank === 1) own[0]! += 1;
      const flow = nsf(D, { hidden: [8], transforms: 1 });
      return fit(flow, own, { ...options, communicator }).catch((error: Error) => error.message);
    });
    expect(new Set(outcomes).size).toBe(1);
    expect(outcomes[0]).toMatchInlineSnapshot(`
      "the rows or the settings differ between ranks: expected the same rows, model and settings on all ranks, received different ones on rank 1.
      Give all ranks the same data and options. If they run on several machines, all must read the same files."
    `);
  });
});

describe("a checkpoint of several processes", () => {
  it("is saved by rank 0, and resumes on another number of ranks", async () => {
    let saved: Uint8Array | undefined;
    const saves: number[] = [];
    const storeOf = (rank: number): CheckpointStore => ({
      load: async () => (rank === 0 ? saved : undefined),
      save: async (bytes) => {
        saves.push(rank);
        saved = bytes;
      },
    });
    const upTo = (epochs: number) => (communicator: Communicator) =>
      train(communicator, { epochs, checkpoint: storeOf(communicator.rank) });
    await onRanks(3, upTo(2));
    expect(new Set(saves)).toEqual(new Set([0]));
    const resumed = await onRanks(2, upTo(4));
    expect(saves.length).toBe(4);
    const whole = await train(undefined, { epochs: 4 });
    for (const rank of resumed) expectClose(rank, whole);
  });
});

describe("several models", () => {
  it("are chosen and mixed on all ranks as in one process", async () => {
    const small = { hidden: [8], transforms: 1 };
    const recipes = { nsf: () => nsf(D, small), affine: () => realNVP(D, small) };
    const table = {
      x: [...rows.slice(0, 200)],
      y: Array.from(rows.slice(200, 400), (y) => (y > 0 ? "a" : "b")),
    };
    const learn = async (communicator?: Communicator) => {
      const common = { threads: 1, epochs: 1, maxMinutes: 1, ...(communicator && { communicator }) };
      const { name } = await fitFlows(dataset(rows, { features: D }), { ...common, recipes });
      const { members, validationLogDensity } = await fitTable(table, { ...common, budget: "small" });
      return { name, members: members.map((member) => member.name), validationLogDensity };
    };
    const { validationLogDensity, ...names } = await learn();
    const [first, second] = await onRanks(2, learn);
    expect(second).toEqual(first);
    expect(first).toMatchObject(names);
    expect(first!.validationLogDensity).toBeCloseTo(validationLogDensity, 3);
  });
});
