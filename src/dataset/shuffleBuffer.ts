import type { Random } from "../random/index.ts";
import { type Batch, type Batches, copiesOf, epochRandom } from "./batches.ts";
import type { BatchOptions } from "./dataset.ts";
import { InMemoryDataset } from "./inMemoryDataset.ts";
import { range } from "./range.ts";
import { readAhead } from "./readAhead.ts";
import { emptyLike } from "./selectRows.ts";
import type { StreamedDataset } from "./streamedDataset.ts";

/** The size of a shuffle buffer: enough rows to mix rows that are close together in a table, and at most 128 MB of numbers. */
const MAX_BUFFER = { rows: 2 ** 17, numbers: 2 ** 24 };

/** Batches of a stream, shuffled in a buffer. */
export function batchesOfStream(data: StreamedDataset, { batchSize, seed, prepare }: BatchOptions): Batches {
  const { rows, features, contextFeatures, meanWeight, sample } = data;
  const maxRows = Math.min(MAX_BUFFER.rows, Math.ceil(MAX_BUFFER.numbers / (features + contextFeatures)));
  const size = Math.max(batchSize, Math.min(maxRows, rows));
  // The mean over the sample approximates the mean over all rows. An error of this approximation only scales the loss.
  const { weights } = sample;
  const meanCopies = weights.reduce((sum, weight) => sum + copiesOf(weight, meanWeight), 0) / weights.length;
  async function* prepared() {
    for await (const block of data.blocks()) yield prepare?.(block) ?? block;
  }
  return {
    rows: Math.round(meanCopies * rows),
    meanWeight: meanWeight / meanCopies,
    epoch: (epoch) => shuffled(prepared(), { batchSize, size, random: epochRandom(seed, epoch), meanWeight }),
  };
}

/** A dataset of zeros, which `copyRow` fills with rows such as these. */
export const allocateRows = (
  rows: number,
  { features, contextFeatures, storedValues }: InMemoryDataset,
): InMemoryDataset =>
  new InMemoryDataset({
    features,
    values: emptyLike(storedValues, rows * features),
    context: new Float64Array(rows * contextFeatures),
    weights: new Float64Array(rows),
    rowNumbers: new Int32Array(rows),
  });

/**
 * Shuffles a stream in a buffer of `size` rows: each batch is drawn from the buffer at random, and the next rows of the stream
 * replace the drawn rows. All batches except the last have `batchSize` rows.
 */
export async function* shuffled(
  blocks: AsyncIterable<InMemoryDataset>,
  options: { batchSize: number; size: number; random: Random; meanWeight: number },
): AsyncGenerator<Batch> {
  const { batchSize, size, random } = options;
  const reader = new StreamReader(blocks, options.meanWeight);
  // A permutation of the slots of the buffer, of which the first `freeSlots` are empty.
  let slots = range(size);
  let freeSlots = size;
  let drawn = 0;
  try {
    const firstBlock = await reader.currentBlock();
    if (!firstBlock) return;
    const buffer = allocateRows(size, firstBlock);
    while (true) {
      const filled = await reader.fill(buffer, slots.subarray(0, freeSlots));
      slots.copyWithin(filled, freeSlots);
      slots = slots.subarray(0, slots.length - (freeSlots - filled));
      if (slots.length === 0) return;
      freeSlots = Math.min(batchSize, slots.length);
      const uniform = random.uniform(new Float64Array(freeSlots), { offset: drawn });
      for (let i = 0; i < freeSlots; i++) swap(slots, i, i + Math.floor(uniform[i]! * (slots.length - i)));
      drawn += freeSlots;
      yield { rows: buffer, indices: slots.slice(0, freeSlots) };
    }
  } finally {
    await reader.end();
  }
}

/** Reads the rows of a stream one by one, each as often as it occurs in an epoch. It reads one block ahead. */
class StreamReader {
  private readonly blocks: AsyncGenerator<InMemoryDataset>;
  private readonly meanWeight: number;
  private block: InMemoryDataset | undefined;
  private nextRow = 0;
  /** How many copies of the row `nextRow` have been read. */
  private copiesRead = 0;

  constructor(blocks: AsyncIterable<InMemoryDataset>, meanWeight: number) {
    this.blocks = readAhead(blocks);
    this.meanWeight = meanWeight;
  }

  /** Copies the next rows into the given slots of the buffer. Returns their number, which is smaller at the end of the stream. */
  async fill(buffer: InMemoryDataset, slots: Int32Array): Promise<number> {
    for (let i = 0; i < slots.length; i++) {
      const hasRow = this.block && this.nextRow < this.block.rows;
      // Only awaited where a block ends, because this takes longer than to copy a row.
      const block = hasRow ? this.block! : await this.currentBlock();
      if (!block) return i;
      const copies = copiesOf(block.weights[this.nextRow]!, this.meanWeight);
      buffer.copyRow(block, this.nextRow, slots[i]!);
      buffer.weights[slots[i]!]! /= copies;
      if (++this.copiesRead < copies) continue;
      this.copiesRead = 0;
      this.nextRow++;
    }
    return slots.length;
  }

  /** The block of the next row; undefined at the end of the stream. */
  async currentBlock(): Promise<InMemoryDataset | undefined> {
    while (!this.block || this.nextRow === this.block.rows) {
      const { done, value } = await this.blocks.next();
      if (done) return undefined;
      this.block = value;
      this.nextRow = 0;
    }
    return this.block;
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
