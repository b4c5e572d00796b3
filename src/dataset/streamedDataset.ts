import { rowHashes } from "../columns/equalRows.ts";
import { PushforwardError } from "../errors.ts";
import { Random } from "../random/index.ts";
import type { Batches } from "./batches.ts";
import {
  type Columns,
  type Constants,
  constantColumns,
  constantsWithout,
  sameConstants,
} from "./constantColumns.ts";
import { counting } from "./counting.ts";
import type { BatchOptions, Dataset, Split } from "./dataset.ts";
import { dataset, InMemoryDataset, tooFew, totalWeight } from "./inMemoryDataset.ts";
import type { RowsInput } from "./rowsInput.ts";
import { batchesOfStream, emptyRows } from "./shuffleBuffer.ts";
import { holdOut, shareOf } from "./split.ts";

/** Rows that follow each other: `dataset(...)` where they have a context or weights. Each block needs an array of its own. */
export type RowBlock = RowsInput | InMemoryDataset;

/**
 * Rows that need not fit into memory, block by block: the same rows in the same order each time that they are iterated, since
 * training reads them once before it begins and once in each epoch. A function that returns a new iterator does, such as an
 * async generator function; a single async generator does not, for it can be read only once.
 */
export type RowStream = AsyncIterable<RowBlock> | (() => AsyncIterable<RowBlock> | Iterable<RowBlock>);

export interface StreamOptions {
  /** D, the number of features. Flat blocks need it. */
  readonly features?: number | undefined;
  /** Names of the features, and of the context features. Default: those of the first block. */
  readonly columns?: readonly string[] | undefined;
  readonly contextColumns?: readonly string[] | undefined;
  /** Chooses the sample. Default 0. */
  readonly seed?: number | undefined;
}

/** The size of the sample: this many rows, but at most as many numbers as fit into 128 MB. */
const SAMPLE = { rows: 200_000, numbers: 2 ** 24 };
/** The share of a full sample that one split may hold out: 50,000 rows give a mean log-density to about 0.01 nats. */
const MAX_HELD_OUT_SHARE = 1 / 4;

/** What the first pass over a stream finds. */
type Summary = Pick<
  StreamedDataset,
  | "rows"
  | "features"
  | "contextFeatures"
  | "columns"
  | "contextColumns"
  | "meanWeight"
  | "sample"
  | "constants"
>;

/** Reads all rows from the beginning. */
type Blocks = () => AsyncIterable<InMemoryDataset>;

/**
 * A stream of rows after a first pass over it: how many there are, and a random sample of them, from which rows for
 * validation are taken and to which scales and mixtures are fitted. See `Dataset`.
 */
export class StreamedDataset implements Dataset {
  /** The number of rows to learn from; copies of held-out rows, which are left out too, are not subtracted. */
  readonly rows: number;
  readonly features: number;
  readonly contextFeatures: number;
  readonly columns: readonly string[] | undefined;
  readonly contextColumns: readonly string[] | undefined;
  readonly meanWeight: number;
  /** Rows at random, all of them if they are few. */
  readonly sample: InMemoryDataset;
  readonly constants: Constants;
  private readonly all: Blocks;
  private readonly heldOut: HeldOut;

  private constructor(all: Blocks, summary: Summary, heldOut: HeldOut) {
    this.all = all;
    this.rows = summary.rows;
    this.features = summary.features;
    this.contextFeatures = summary.contextFeatures;
    this.columns = summary.columns;
    this.contextColumns = summary.contextColumns;
    this.meanWeight = summary.meanWeight;
    this.sample = summary.sample;
    this.constants = summary.constants;
    this.heldOut = heldOut;
  }

  /**
   * Passes over a stream and samples it (reservoir sampling, algorithm R of Vitter, 1985).
   *
   * @throws what `dataset` throws, for a block that cannot be read; SHAPE when blocks differ in their columns or context;
   *   ARGUMENT for an iterator that can be read only once; DATA when there are fewer than two rows.
   */
  static async of(stream: RowStream, options: StreamOptions = {}): Promise<StreamedDataset> {
    const random = new Random(options.seed ?? 0).split("sample");
    const all = () => checkedBlocks(stream, options);
    let sample: InMemoryDataset | undefined;
    let constants: Constants | undefined;
    let names: Pick<Dataset, "columns" | "contextColumns"> | undefined;
    let rows = 0;
    let weight = 0;
    for await (const block of all()) {
      const { features, contextFeatures } = block;
      constants = constants ? sameConstants(constants, block) : constantColumns(block);
      names ??= { columns: block.columns, contextColumns: block.contextColumns };
      sample ??= emptyRows(sampleSize(features + contextFeatures), block);
      weight += totalWeight(block);
      const uniform = random.uniform(new Float64Array(block.rows), { offset: rows });
      for (let i = 0; i < block.rows; i++, rows++) {
        const slot = rows < sample.rows ? rows : Math.floor(uniform[i]! * (rows + 1));
        if (slot < sample.rows) sample.copyRow(block, i, slot);
      }
    }
    if (!sample || !constants || rows < 2) throw tooFew(rows);
    const { features, contextFeatures } = sample;
    if (rows < sample.rows) sample = sample.select(counting(rows));
    const summary = { features, contextFeatures, sample, rows, constants, meanWeight: weight / rows };
    return new StreamedDataset(all, { ...summary, ...names! }, NOTHING_HELD_OUT);
  }

  withoutColumns(columns: Columns): this {
    if (columns.size === 0) return this;
    const { all, sample, constants, heldOut } = this;
    const fewer = sample.withoutColumns(columns);
    const summary = {
      ...this,
      features: fewer.features,
      columns: fewer.columns,
      sample: fewer,
      constants: constantsWithout(constants, columns),
    };
    async function* blocks() {
      for await (const block of all()) yield block.withoutColumns(columns);
    }
    return new StreamedDataset(blocks, summary, heldOut) as this;
  }

  /** Copies of held-out rows elsewhere in the stream are left out of the training rows, as `holdOut` does in memory. */
  split(fraction: number, seed: number): Split<this> {
    const { all, features, contextFeatures, sample, rows, meanWeight } = this;
    const most = Math.floor(MAX_HELD_OUT_SHARE * sampleSize(features + contextFeatures));
    const count = Math.min(shareOf(rows, fraction), most, sample.rows - 1);
    const { training, validation, copies } = holdOut(sample, count, seed);
    const numbers = Int32Array.from([...this.heldOut.numbers, ...validation.rowNumbers]).sort();
    const hashes = new Set([...this.heldOut.hashes, ...(copies ? this.hashesOf(validation) : [])]);
    // Values that the distribution repeats stay on both sides.
    for (const hash of this.hashesOf(training)) hashes.delete(hash);
    const left = rows - validation.rows;
    const weight = rows * meanWeight - totalWeight(validation);
    const summary = { ...this, sample: training, rows: left, meanWeight: weight / left };
    return { training: new StreamedDataset(all, summary, { numbers, hashes }) as this, validation };
  }

  batches(options: BatchOptions): Batches {
    return batchesOfStream(this, options);
  }

  /**
   * All rows but those that are held out and their copies, block by block.
   *
   * @throws DATA when there are more or fewer than in the first pass.
   */
  async *blocks(): AsyncGenerator<InMemoryDataset> {
    const { rows, heldOut } = this;
    let seen = 0;
    for await (const block of this.all()) {
      yield this.notHeldOut(block);
      seen += block.rows;
    }
    const expected = rows + heldOut.numbers.length;
    if (seen === expected) return;
    throw new PushforwardError("DATA", "the stream changed while a flow was fitted to it", {
      expected: `${expected} rows, as in the first pass`,
      received: `${seen}`,
      hint: "Give the same rows in the same order each time that the stream is iterated.",
    });
  }

  /** The rows of a block that are not held out. */
  private notHeldOut(block: InMemoryDataset): InMemoryDataset {
    const { numbers, hashes } = this.heldOut;
    if (numbers.length === 0) return block;
    const own = hashes.size > 0 ? this.hashesOf(block) : undefined;
    let next = numbers.findIndex((number) => number >= block.rowNumbers[0]!);
    if (next < 0) next = numbers.length;
    const kept = counting(block.rows).filter((row) => {
      if (numbers[next] !== block.rowNumbers[row]) return !own || !hashes.has(own[row]!);
      next++;
      return false;
    });
    return kept.length === block.rows ? block : block.select(kept);
  }

  /** Hashes of rows that stay the same when constant columns are left out. */
  private hashesOf(rows: InMemoryDataset): Float64Array {
    return rowHashes(rows.withoutColumns(this.constants.values));
  }
}

/** Rows that are held out of a stream. */
interface HeldOut {
  /** Their row numbers, ascending. */
  readonly numbers: Int32Array;
  /** The hashes of the held-out rows whose copies are left out as well. */
  readonly hashes: ReadonlySet<number>;
}

const NOTHING_HELD_OUT: HeldOut = { numbers: new Int32Array(0), hashes: new Set() };

/** Whether data are a stream, and not rows in memory. */
export const isStream = (data: unknown): data is RowStream =>
  typeof data === "function" || (typeof data === "object" && data !== null && Symbol.asyncIterator in data);

const sampleSize = (width: number): number => Math.min(SAMPLE.rows, Math.ceil(SAMPLE.numbers / width));

async function* checkedBlocks(stream: RowStream, options: StreamOptions): AsyncGenerator<InMemoryDataset> {
  const iterable = typeof stream === "function" ? stream() : stream;
  if (typeof stream !== "function" && stream[Symbol.asyncIterator]() === (stream as unknown)) {
    throw new PushforwardError("ARGUMENT", "this stream of rows can be read only once", {
      expected: "rows that can be read again in each epoch",
      received: "an async generator",
      hint: "Give the function that makes it: fit(flow, () => rows()).",
    });
  }
  let before = 0;
  let first: InMemoryDataset | undefined;
  for await (const given of iterable) {
    const { features, columns, contextColumns } = first ?? options;
    const block =
      given instanceof InMemoryDataset
        ? numbered(given, before)
        : dataset(given, { features, columns, contextColumns }, before);
    if (block.rows === 0) continue;
    first ??= block;
    for (const count of ["features", "contextFeatures"] as const) {
      if (block[count] === first[count]) continue;
      const what = count === "features" ? "features" : "context features";
      throw new PushforwardError("SHAPE", `the block from row ${before} on has another number of ${what}`, {
        expected: `${first[count]}, as the first block`,
        received: `${block[count]}`,
      });
    }
    before += block.rows;
    yield block;
  }
}

/** Rows of a block that counts its own from 0, with their numbers in the stream. */
const numbered = (block: InMemoryDataset, before: number): InMemoryDataset =>
  before > 0 && block.rowNumbers[0] === 0 ? block.with({ rowNumbers: counting(block.rows, before) }) : block;
