import type { Random } from "../random/index.ts";
import { readAhead } from "../readAhead.ts";
import { type Batch, type Batches, copiesOf, shuffling } from "./batches.ts";
import { counting } from "./counting.ts";
import type { BatchOptions } from "./dataset.ts";
import { InMemoryDataset } from "./inMemoryDataset.ts";
import type { StreamedDataset } from "./streamedDataset.ts";

/** Rows in a shuffle buffer: enough to mix what is together in a table, and no more numbers than 128 MB hold. */
const BUFFER = { rows: 2 ** 17, numbers: 2 ** 24 };

/** Batches of a stream, through a shuffle buffer. */
export function batchesOfStream(data: StreamedDataset, { batchSize, seed, prepare }: BatchOptions): Batches {
  const { rows, features, contextFeatures, meanWeight, sample } = data;
  const most = Math.min(BUFFER.rows, Math.ceil(BUFFER.numbers / (features + contextFeatures)));
  const size = Math.max(batchSize, Math.min(most, rows));
  // The sample stands for all rows: an error of this mean only scales the loss.
  const { weights } = sample;
  const copies = weights.reduce((sum, weight) => sum + copiesOf(weight, meanWeight), 0) / weights.length;
  async function* prepared() {
    for await (const block of data.blocks()) yield prepare?.(block) ?? block;
  }
  return {
    rows: Math.round(copies * rows),
    meanWeight: meanWeight / copies,
    epoch: (epoch) =>
      shuffled(prepared(), data, { batchSize, size, random: shuffling(seed, epoch), meanWeight }),
  };
}

type Widths = Pick<InMemoryDataset, "features" | "contextFeatures">;

/** Room for rows, to be filled by `copyRow`. */
export const emptyRows = (rows: number, { features, contextFeatures }: Widths): InMemoryDataset =>
  new InMemoryDataset({
    features,
    values: new Float64Array(rows * features),
    context: new Float64Array(rows * contextFeatures),
    weights: new Float64Array(rows),
    rowNumbers: new Int32Array(rows),
  });

/**
 * Batches through a shuffle buffer: each is drawn from `size` rows at random, and the next rows that arrive take the places
 * of those that were drawn. All batches but the last are full.
 */
export async function* shuffled(
  blocks: AsyncIterable<InMemoryDataset>,
  widths: Widths,
  options: { batchSize: number; size: number; random: Random; meanWeight: number },
): AsyncGenerator<Batch> {
  const { batchSize, size, random } = options;
  const buffer = emptyRows(size, widths);
  const arriving = new ArrivingRows(blocks, options.meanWeight);
  let places = counting(size);
  // The first of the places are those to fill.
  let free = size;
  let drawn = 0;
  try {
    while (true) {
      const filled = await arriving.fill(buffer, places.subarray(0, free));
      places.copyWithin(filled, free);
      places = places.subarray(0, places.length - (free - filled));
      if (places.length === 0) return;
      free = Math.min(batchSize, places.length);
      const uniform = random.uniform(new Float64Array(free), { offset: drawn });
      for (let i = 0; i < free; i++) swap(places, i, i + Math.floor(uniform[i]! * (places.length - i)));
      drawn += free;
      yield { rows: buffer, indices: places.slice(0, free) };
    }
  } finally {
    await arriving.end();
  }
}

/** Rows of a stream one by one, each as often as an epoch shows it; the next block is read while one is in use. */
class ArrivingRows {
  private readonly blocks: AsyncGenerator<InMemoryDataset>;
  private readonly meanWeight: number;
  private block: InMemoryDataset | undefined;
  private next = 0;
  /** How many copies of the next row have been given. */
  private given = 0;

  constructor(blocks: AsyncIterable<InMemoryDataset>, meanWeight: number) {
    this.blocks = readAhead(blocks);
    this.meanWeight = meanWeight;
  }

  /** Puts a row into each of the places, and gives how many there were still. */
  async fill(buffer: InMemoryDataset, places: Int32Array): Promise<number> {
    for (let i = 0; i < places.length; i++) {
      while (!this.block || this.next === this.block.rows) {
        const { done, value } = await this.blocks.next();
        if (done) return i;
        this.block = value;
        this.next = 0;
      }
      const copies = copiesOf(this.block.weights[this.next]!, this.meanWeight);
      buffer.copyRow(this.block, this.next, places[i]!);
      buffer.weights[places[i]!]! /= copies;
      if (++this.given < copies) continue;
      this.given = 0;
      this.next++;
    }
    return places.length;
  }

  async end(): Promise<void> {
    await this.blocks.return(undefined);
  }
}

function swap(numbers: Int32Array, i: number, j: number): void {
  const other = numbers[i]!;
  numbers[i] = numbers[j]!;
  numbers[j] = other;
}
