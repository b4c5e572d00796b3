import { Random } from "../random/index.ts";
import { readAhead } from "../readAhead.ts";
import { StreamedRows } from "./rowStream.ts";
import { copyRow, counting, emptyRows, type TrainingRows, type Widths } from "./rows.ts";

/** Some of `rows`, which stay as they are until the next batch is asked for. */
export interface Batch {
  readonly rows: TrainingRows;
  readonly indices: Int32Array;
}

/** Each row once in an epoch, in an order that depends on the seed and the epoch alone. */
export type Batches = (epoch: number) => Iterable<Batch> | AsyncIterable<Batch>;

/** Rows in a buffer: enough to mix what lies together in a table, and no more numbers than 128 MB hold. */
const BUFFER = { rows: 2 ** 17, numbers: 2 ** 24 };

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
  if (!(data instanceof StreamedRows)) {
    const rows = prepare(data);
    return (epoch) => permuted(rows, batchSize, random(epoch));
  }
  const { features, context } = data.widths;
  const most = Math.min(BUFFER.rows, Math.ceil(BUFFER.numbers / (features + context)));
  const size = Math.max(batchSize, Math.min(most, data.rows));
  return (epoch) =>
    shuffled(mapped(data.blocks(), prepare), data.widths, { batchSize, size, random: random(epoch) });
}

function* permuted(rows: TrainingRows, batchSize: number, random: Random): Generator<Batch> {
  const order = random.permutation(rows.rows);
  for (let start = 0; start < rows.rows; start += batchSize)
    yield { rows, indices: order.subarray(start, start + batchSize) };
}

/**
 * Batches through a shuffle buffer: each is drawn from `size` rows at random, and the next rows that arrive take the places
 * of those that were drawn. All batches but the last are full.
 */
export async function* shuffled(
  blocks: AsyncIterable<TrainingRows>,
  widths: Widths,
  { batchSize, size, random }: { batchSize: number; size: number; random: Random },
): AsyncGenerator<Batch> {
  const buffer = emptyRows(size, widths);
  const arriving = new Arriving(blocks);
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

/** Rows of a stream one by one, the next block on its way while one is in use. */
class Arriving {
  private readonly blocks: AsyncGenerator<TrainingRows>;
  private block: TrainingRows | undefined;
  private next = 0;

  constructor(blocks: AsyncIterable<TrainingRows>) {
    this.blocks = readAhead(blocks);
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
      copyRow(this.block, this.next++, buffer, places[i]);
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
