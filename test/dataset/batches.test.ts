import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/dataset/batches.ts";
import { dataset } from "../../src/dataset/index.ts";
import { shuffled } from "../../src/dataset/shuffleBuffer.ts";
import { Random } from "../../src/random/index.ts";

/** Rows (i, i / 2 | 10 i) in blocks; `asked` counts the rows that were read from the stream. */
function numbered(rows: number, blockRows: number) {
  const stream = { asked: 0, ended: false, blocks };
  async function* blocks() {
    try {
      for (let start = 0; start < rows; start += blockRows) {
        const index = Array.from({ length: Math.min(blockRows, rows - start) }, (_, i) => start + i);
        stream.asked += index.length;
        const values = Float64Array.from(index.flatMap((i) => [i, i / 2]));
        yield dataset(values, { features: 2, context: Float64Array.from(index, (i) => 10 * i) }, start);
      }
    } finally {
      stream.ended = true;
    }
  }
  return stream;
}

async function drawn(rows: number, batchSize: number, size: number, seed = 0): Promise<number[][]> {
  const options = { batchSize, size, random: new Random(seed), meanWeight: 1 };
  const batches: number[][] = [];
  for await (const batch of shuffled(numbered(rows, 7).blocks(), options)) {
    expect(batch.rows.rows).toBe(size);
    for (const i of batch.indices) {
      const row = batch.rows.rowNumbers[i];
      expect([...batch.rows.values.slice(2 * i, 2 * i + 2), batch.rows.context[i]]).toEqual([
        row,
        row / 2,
        10 * row,
      ]);
    }
    batches.push([...batch.indices].map((i) => batch.rows.rowNumbers[i]));
  }
  return batches;
}

describe("a shuffle buffer", () => {
  it.each([
    [1000, 16, 64],
    [1001, 16, 64],
    [63, 16, 64],
    [64, 64, 64],
    [65, 64, 64],
    [5, 5, 5],
    [97, 10, 13],
  ])("yields each of %i rows once, in batches of %i from a buffer of %i", async (rows, batchSize, size) => {
    const batches = await drawn(rows, batchSize, size);
    const all = batches.flat();
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
    expect(batches.map((batch) => batch.length)).toEqual(
      Array.from({ length: Math.ceil(rows / batchSize) }, (_, b) =>
        Math.min(batchSize, rows - b * batchSize),
      ),
    );
  });

  it("mixes rows within its size, and depends only on its seed", async () => {
    const [order, same, other] = [
      (await drawn(5000, 10, 500)).flat(),
      (await drawn(5000, 10, 500)).flat(),
      (await drawn(5000, 10, 500, 1)).flat(),
    ];
    expect(same).toEqual(order);
    expect(other).not.toEqual(order);
    // A row stays in the buffer for a geometric number of draws with mean 500, and moves at most 500 positions forward.
    const late = order.slice(0, 4000).map((row, place) => place - row);
    const absolute = late.reduce((sum, d) => sum + Math.abs(d), 0) / late.length;
    expect(Math.min(...late)).toBeGreaterThanOrEqual(-500);
    expect(absolute).toBeGreaterThan(200);
    expect(absolute).toBeLessThan(700);
  });

  it("shuffles uniformly if it is as large as all rows", async () => {
    // The position of the first row is uniform on 0..19: its mean over 400 seeds is 9.5 with a standard deviation of 5.8 / sqrt(400).
    let sum = 0;
    for (let seed = 0; seed < 400; seed++) sum += (await drawn(20, 3, 20, seed)).flat().indexOf(0);
    expect(Math.abs(sum / 400 - 9.5)).toBeLessThan(4 * 0.29);
  });

  it("reads ahead at most its size and one block", async () => {
    const stream = numbered(10_000, 50);
    let given = 0;
    const options = { batchSize: 20, size: 200, random: new Random(0), meanWeight: 1 };
    for await (const { indices } of shuffled(stream.blocks(), options)) {
      expect(stream.asked - given).toBeLessThanOrEqual(200 + 2 * 50);
      given += indices.length;
    }
    expect(given).toBe(10_000);
  });

  it("closes the stream when its consumer stops", async () => {
    const stream = numbered(10_000, 50);
    const options = { batchSize: 20, size: 200, random: new Random(0), meanWeight: 1 };
    for await (const _ of shuffled(stream.blocks(), options)) break;
    expect(stream.ended).toBe(true);
  });

  it("repeats a row of large weight, with a part of its weight in each copy", async () => {
    const rows = dataset([1, 2, 3, 4], { features: 1, weights: [1, 9, 1, 1] });
    const blocks = async function* () {
      yield rows;
    };
    const shown = new Map<number, number[]>();
    const options = { batchSize: 2, size: 3, random: new Random(0), meanWeight: 3 };
    for await (const { rows: buffer, indices } of shuffled(blocks(), options)) {
      for (const i of indices)
        shown.set(buffer.values[i], [...(shown.get(buffer.values[i]) ?? []), buffer.weights[i]]);
    }
    expect(Object.fromEntries(shown)).toEqual({ 1: [1], 2: [3, 3, 3], 3: [1], 4: [1] });
    const inMemory = rows.batches({ batchSize: 2, seed: 0 });
    const all = [...(inMemory.epoch(1) as Iterable<Batch>)].flatMap(({ rows, indices }) =>
      [...indices].map((i) => `${rows.values[i]}: ${rows.weights[i]}`),
    );
    expect(all.toSorted()).toEqual(["1: 1", "2: 3", "2: 3", "2: 3", "3: 1", "4: 1"]);
    expect([inMemory.rows, inMemory.meanWeight]).toEqual([6, 2]);
  });
});
