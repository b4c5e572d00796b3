import { Random } from "../random/index.ts";
import { readAhead } from "../readAhead.ts";
import { meanWeight, StreamedRows } from "./rowStream.ts";
import { copyRow, counting, emptyRows, type TrainingRows, type Widths } from "./rows.ts";

/** Some of `rows`, which stay as they are until the next batch is asked for. */
export interface Batch {
  readonly rows: TrainingRows;
  readonly indices: Int32Array;
}

/** The batches of a training. */
export interface Batches {
  /** How many rows an epoch shows: each row once, and rows of large weight several times, see `copiesOf`. */
  readonly rows: number;
  /** Their mean weight. */
  readonly meanWeight: number;
  /** The batches of an epoch, in an order that depends only on the seed and the epoch. */
  epoch(epoch: number): Iterable<Batch> | AsyncIterable<Batch>;
}

/** Rows in a buffer: enough to mix what lies together in a table, and no more numbers than 128 MB hold. */
const BUFFER = { rows: 2 ** 17, numbers: 2 ** 24 };

/**
 * How often an epoch shows a row, each time with an equal part of its weight, so that no part is much larger than the mean
 * weight. The whole weight at once would be one large gradient among many small ones: clipping shortens it, and Adam divides
 * it by a root of its square, so the row would have too little influence.
 */
const copiesOf = (weight: number, meanWeight: number): number => Math.max(1, Math.round(weight / meanWeight));

/** Batches of rows as `prepare` leaves them. */
export function batchesOf(
  data: TrainingRows | StreamedRows,
  {
    batchSize,
    seed,
    prepare,
  }: { batchSize: number; seed: number; prepare(rows: TrainingRows): TrainingRows },
): Batches {
  const random = (epoch: number) => new Random(seed).split("shuffle").split(epoch);
  const mean = meanWeight(data);
  if (!(data instanceof StreamedRows)) {
    const rows = prepare(data);
    const copies = Int32Array.from(rows.weights, (weight) => copiesOf(weight, mean));
    const shown = new Int32Array(copies.reduce((a, b) => a + b, 0));
    let end = 0;
    for (let row = 0; row < rows.rows; end += copies[row++]) shown.fill(row, end, end + copies[row]);
    const parts = { ...rows, weights: rows.weights.map((weight, row) => weight / copies[row]) };
    return {
      rows: shown.length,
      meanWeight: (mean * rows.rows) / shown.length,
      epoch: (epoch) => permuted(parts, shown, batchSize, random(epoch)),
    };
  }
  const { features, context } = data.widths;
  const most = Math.min(BUFFER.rows, Math.ceil(BUFFER.numbers / (features + context)));
  const size = Math.max(batchSize, Math.min(most, data.rows));
  // The sample stands for all rows: an error of this mean only scales the loss.
  const { weights } = data.sample;
  const copies = weights.reduce((sum, weight) => sum + copiesOf(weight, mean), 0) / weights.length;
  return {
    rows: Math.round(copies * data.rows),
    meanWeight: mean / copies,
    epoch: (epoch) =>
      shuffled(mapped(data.blocks(), prepare), data.widths, {
        batchSize,
        size,
        random: random(epoch),
        meanWeight: mean,
      }),
  };
}

function* permuted(
  rows: TrainingRows,
  shown: Int32Array,
  batchSize: number,
  random: Random,
): Generator<Batch> {
  const order = random.permutation(shown.length).map((place) => shown[place]);
  for (let start = 0; start < order.length; start += batchSize)
    yield { rows, indices: order.subarray(start, start + batchSize) };
}

/**
 * Batches through a shuffle buffer: each is drawn from `size` rows at random, and the next rows that arrive take the places
 * of those that were drawn. All batches but the last are full.
 */
export async function* shuffled(
  blocks: AsyncIterable<TrainingRows>,
  widths: Widths,
  {
    batchSize,
    size,
    random,
    meanWeight: mean,
  }: { batchSize: number; size: number; random: Random; meanWeight: number },
): AsyncGenerator<Batch> {
  const buffer = emptyRows(size, widths);
  const arriving = new Arriving(blocks, mean);
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
      for (let i = 0; i < free; i++) swap(places, i, i + Math.floor(uniform[i] * (places.length - i)));
      drawn += free;
      yield { rows: buffer, indices: places.slice(0, free) };
    }
  } finally {
    await arriving.end();
  }
}

/** Rows of a stream one by one, each as often as an epoch shows it; the next block is read while one is in use. */
class Arriving {
  private readonly blocks: AsyncGenerator<TrainingRows>;
  private readonly meanWeight: number;
  private block: TrainingRows | undefined;
  private next = 0;
  /** How many copies of the next row have been given. */
  private given = 0;

  constructor(blocks: AsyncIterable<TrainingRows>, meanWeight: number) {
    this.blocks = readAhead(blocks);
    this.meanWeight = meanWeight;
  }

  /** Puts a row into each of the places, and gives how many there were still. */
  async fill(buffer: TrainingRows, places: Int32Array): Promise<number> {
    for (let i = 0; i < places.length; i++) {
      while (!this.block || this.next === this.block.rows) {
        const { done, value } = await this.blocks.next();
        if (done) return i;
        this.block = value;
        this.next = 0;
      }
      const copies = copiesOf(this.block.weights[this.next], this.meanWeight);
      copyRow(this.block, this.next, buffer, places[i]);
      buffer.weights[places[i]] /= copies;
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

async function* mapped<T>(items: AsyncIterable<T>, map: (item: T) => T): AsyncGenerator<T> {
  for await (const item of items) yield map(item);
}

function swap(numbers: Int32Array, i: number, j: number): void {
  const other = numbers[i];
  numbers[i] = numbers[j];
  numbers[j] = other;
}
