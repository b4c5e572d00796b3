import { describe, expect, it } from "vitest";
import { type Chain, Standardize } from "../../src/bijections/index.ts";
import { dataset, InMemoryDataset, type RowStream, StreamedDataset } from "../../src/dataset/index.ts";
import { maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fitFlows, forTables } from "../../src/tables/fit/index.ts";
import { type CheckpointStore, fit } from "../../src/train/index.ts";

const small = { hidden: [16, 16], transforms: 2 };

/** n rows of a correlated Gaussian: x_2 = x_1 / 2 + noise. */
function correlated(n: number, seed = 1): Float64Array {
  const z = new Random(seed).normal(new Float64Array(2 * n));
  return z.map((v, i) => (i % 2 === 0 ? 3 + 2 * v : -1 + z[i - 1] + 0.5 * v));
}

/** An array as a stream of blocks of equal size. */
const inBlocks = (values: Float64Array, size = 700): RowStream =>
  function* () {
    for (let start = 0; start < values.length; start += size) yield values.subarray(start, start + size);
  };

const ENTROPY = Math.log(2 * Math.PI * Math.E);
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

async function numbers(rows: StreamedDataset): Promise<number[]> {
  const found: number[] = [];
  for await (const block of rows.blocks()) found.push(...block.rowNumbers);
  return found;
}

describe("a stream of rows", () => {
  it("trains as well as the same rows in memory", async () => {
    const data = correlated(6000);
    const options = { epochs: 15 };
    const [streamed, whole] = [forTables(maf(2, small)), forTables(maf(2, small))];
    const a = await fit(streamed, inBlocks(data), options);
    const b = await fit(whole, data, options);
    expect(a.epochs).toHaveLength(15);
    expect(a.validationLogDensity).toBeCloseTo(b.validationLogDensity, 1);
    const test = correlated(20_000, 2);
    expect(mean(await streamed.logProb(test))).toBeCloseTo(mean(await whole.logProb(test)), 1);
    expect(mean(await streamed.logProb(test))).toBeGreaterThan(-ENTROPY - 0.03);
  });

  it("has the correct number of steps for the schedule", async () => {
    const schedule = { type: "cosine", final: 0 } as const;
    const options = { epochs: 2, batchSize: 100, schedule, optimizer: { learningRate: 1e-3 } };
    const data = correlated(1000);
    const streamed = await fit(maf(2, small), inBlocks(data), options);
    const whole = await fit(maf(2, small), data, options);
    // An epoch has nine batches, so the last steps have the indices 8 and 17.
    const expected = [8, 17].map((step) => 0.5e-3 * (1 + Math.cos((Math.PI * step) / 18)));
    for (const { epochs } of [streamed, whole]) {
      expect(epochs[0].learningRate).toBeCloseTo(expected[0], 6);
      expect(epochs[1].learningRate).toBeCloseTo(expected[1], 6);
    }
  });

  it("excludes held-out rows from every pass", async () => {
    const all = await StreamedDataset.of(inBlocks(correlated(1501)), { features: 2 });
    const { training, validation } = all.split(0.1, 0);
    const second = training.split(0.2, 0);
    expect([training.rows, validation.rows]).toEqual([1351, 150]);
    expect([second.training.rows, second.validation.rows]).toEqual([1081, 270]);
    const kept = await numbers(second.training);
    expect(kept).toEqual(await numbers(second.training));
    expect(kept).toEqual([...second.training.sample.rowNumbers].sort((a, b) => a - b));
    const everything = [...kept, ...validation.rowNumbers, ...second.validation.rowNumbers].sort(
      (a, b) => a - b,
    );
    expect(everything).toEqual(Array.from({ length: 1501 }, (_, i) => i));
  });

  it("numbers the rows of selections of a dataset, so that held-out rows are excluded", async () => {
    const values = correlated(600);
    const chosen = Int32Array.from({ length: 200 }, (_, i) => 5 + ((7 * i) % 211));
    const halves = [values.subarray(0, 600), values.subarray(600)].map((half) =>
      dataset(half, { features: 2 }).select(chosen),
    );
    const all = await StreamedDataset.of(() => halves);
    const { training, validation } = all.split(0.1, 0);
    expect([training.rows, validation.rows]).toEqual([360, 40]);
    const everything = [...(await numbers(training)), ...validation.rowNumbers].sort((a, b) => a - b);
    expect(everything).toEqual(Array.from({ length: 400 }, (_, i) => i));
    const heldOut = new Set(validation.values);
    for await (const block of training.blocks())
      expect(block.values.filter((value) => heldOut.has(value))).toHaveLength(0);
  });

  it("keeps ascending row numbers with gaps, as tables have that leave out rows", async () => {
    const block = (rowNumbers: number[]) =>
      new InMemoryDataset({
        features: 1,
        values: Float64Array.from(rowNumbers),
        rowNumbers: Int32Array.from(rowNumbers),
      });
    const rows = await StreamedDataset.of(() => [block([1, 4]), block([5, 9]), block([0, 1])]);
    expect(await numbers(rows)).toEqual([1, 4, 5, 9, 10, 11]);
  });

  it("samples a long stream uniformly, and holds out a bounded number of rows", async () => {
    const rows = 500_000;
    const values = Float64Array.from({ length: rows }, (_, i) => i);
    const all = await StreamedDataset.of(inBlocks(values, 65_536), { features: 1 });
    expect([all.rows, all.sample.rows]).toEqual([rows, 200_000]);
    expect(new Set(all.sample.rowNumbers).size).toBe(200_000);
    expect([...all.sample.values.subarray(0, 9)]).toEqual([...all.sample.rowNumbers.subarray(0, 9)]);
    // The mean of 200,000 numbers, sampled without replacement, has a standard deviation of about 250.
    expect(Math.abs(mean(all.sample.rowNumbers) - rows / 2)).toBeLessThan(1000);
    const { training, validation } = all.split(0.5, 0);
    expect([training.rows, training.sample.rows, validation.rows]).toEqual([450_000, 150_000, 50_000]);
  });

  it("keeps all rows of a table of categories, in which equal rows are not copies", async () => {
    const rows = 250_000;
    const values = new Random(4).uniform(new Float64Array(2 * rows)).map((u) => Math.floor(200 * u));
    const { training, validation } = (
      await StreamedDataset.of(inBlocks(values, 65_536), { features: 2 })
    ).split(0.5, 0);
    let left = 0;
    for await (const block of training.blocks()) left += block.rows;
    expect(left + validation.rows).toBe(rows);
  });

  it("keeps context and weights with their rows", async () => {
    const z = new Random(3).normal(new Float64Array(4000));
    const blocks = function* () {
      for (let start = 0; start < 4000; start += 1000) {
        const context = Float64Array.from({ length: 1000 }, (_, i) => (start + i) % 2);
        // Half of the rows have values of another distribution, and weight 0.
        const weights = context.map((_, i) => (i % 4 < 2 ? 1 : 0));
        const values = context.map((c, i) => 10 * c + (weights[i] === 1 ? 0 : 5) + z[start + i]);
        yield dataset(values, { features: 1, context, weights });
      }
    };
    const flow = forTables(maf(1, { ...small, context: 1 }));
    await fit(flow, blocks, { epochs: 20, optimizer: { learningRate: 0.01 } });
    const [at0, at1] = await flow.logProb(Float64Array.of(0, 10), Float64Array.of(0, 1));
    expect(at0).toBeCloseTo(-0.5 * Math.log(2 * Math.PI), 0);
    expect(at1).toBeCloseTo(-0.5 * Math.log(2 * Math.PI), 0);
  });

  it("resumes from a checkpoint with the same weights, and detects other rows", async () => {
    let saved: Uint8Array | undefined;
    const store: CheckpointStore = {
      load: async () => saved,
      save: async (bytes) => {
        saved = bytes;
      },
    };
    const fresh = () => forTables(maf(2, small));
    const data = correlated(1000);
    const whole = await fit(fresh(), inBlocks(data), { epochs: 4 });
    await fit(fresh(), inBlocks(data), { epochs: 2, checkpoint: store });
    const halfway = saved;
    const resumed = await fit(fresh(), inBlocks(data, 300), { epochs: 4, checkpoint: store });
    expect(resumed.epochs).toEqual(whole.epochs);
    saved = halfway;
    await expect(fit(fresh(), inBlocks(data.subarray(2)), { epochs: 4, checkpoint: store })).rejects.toThrow(
      "the checkpoint is from different data",
    );
  });

  it("works with fitFlows", async () => {
    const result = await fitFlows(() => [dataset(correlated(600), { columns: ["a", "b"] })], { epochs: 1 });
    expect(result.flow.features).toBe(2);
    expect((result.flow.bijection as Chain).bijections.at(-1)).toBeInstanceOf(Standardize);
  });

  it("throws if its blocks are not valid", async () => {
    const flow = maf(2, small);
    const named = (columns: string[]) => dataset(correlated(20), { columns });
    await expect(
      fit(flow, () => [named(["a", "b"]), named(["b", "a"])]),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the columns of the block from row 20 on are different: expected a, b, as in the first block, received b, a.]`,
    );
    const data = correlated(1000);
    data[1401] = Number.NaN;
    await expect(fit(flow, inBlocks(data))).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: row 700, column 1 of rows is NaN: expected a finite number.
      Remove such rows, or replace the value.]
    `);
    await expect(fit(flow, inBlocks(data.subarray(0, 2)))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: there are too few rows to train a flow: expected at least 2 rows, received 1.]`,
    );
    await expect(
      fit(flow, inBlocks(Float64Array.of(1, 2, 3, 4, 5), 4)),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the length of the flat array of rows is not a multiple of the row length: expected a multiple of 2, received 1.]`,
    );
    await expect(
      fit(flow, inBlocks(correlated(9)), { context: [1, 2] }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the option context cannot be combined with a stream of rows.
      Make it a part of the rows: dataset(rows, { context }).]
    `);
    const conditional = () => [dataset(correlated(9), { features: 2, context: new Float64Array(9) })];
    await expect(fit(flow, conditional)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the rows have a different number of context features from the flow: expected 0, received 1.]`,
    );
    const mixed = () =>
      [new Uint8Array(10), new Float64Array(10)].map(
        (values) => new InMemoryDataset({ features: 2, values: values.map((_, i) => i) }),
      );
    await expect(fit(flow, mixed)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the block from row 5 on has numbers of another type: expected Uint8Array, as in the first block, received Float64Array.]`,
    );
    let pass = 0;
    const changing = () => [correlated(pass++ === 0 ? 900 : 800)];
    await expect(fit(flow, changing)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the stream changed during training: expected 900 rows, as in the first pass, received 800.
      Give the same rows in the same order each time that the stream is iterated.]
    `);
  });
});
