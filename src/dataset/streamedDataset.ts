import {
  anyValue,
  checkOptions,
  integerFrom,
  type OptionRules,
  PushforwardError,
  seedValue,
} from "../check/index.ts";
import { Random } from "../random/index.ts";
import type { Batches } from "./batches.ts";
import {
  type Columns,
  type Constants,
  constantColumns,
  removeConstants,
  sameConstants,
} from "./constantColumns.ts";
import { type BatchOptions, batchRules, type Dataset, type Split } from "./dataset.ts";
import { rowHashes } from "./equalRows.ts";
import { dataset, InMemoryDataset, storedRows, tooFewRows, totalWeight } from "./inMemoryDataset.ts";
import { range } from "./range.ts";
import type { RowsInput } from "./rowsInput.ts";
import { allocateRows, batchesOfStream } from "./shuffleBuffer.ts";
import { heldOutCount, holdOut } from "./split.ts";

/** A block of consecutive rows. With a context or weights it is a `dataset(...)`. Each block must be a separate array. */
export type RowBlock = RowsInput | InMemoryDataset;

/**
 * A stream of rows in blocks, which need not fit into memory. Training reads the stream once before it begins and once in each
 * epoch, so each iteration must return the same rows in the same order. Give a function that returns a new iterator, such
 * as an async generator function. A generator object is an error, since it can be read only once.
 */
export type RowStream = AsyncIterable<RowBlock> | (() => AsyncIterable<RowBlock> | Iterable<RowBlock>);

/** Options of a dataset that is streamed. */
export interface StreamOptions {
  /** D, the number of features. Required if blocks are flat arrays. Default: that of the first block. */
  readonly features?: number | undefined;
  /** Names of the features. Default: the names in the first block. */
  readonly columns?: readonly string[] | undefined;
  /** Names of the context features. Default: the names in the first block. */
  readonly contextColumns?: readonly string[] | undefined;
  /** Seed of the sample. Default 0. */
  readonly seed?: number | undefined;
}

const streamRules: OptionRules<StreamOptions> = {
  features: integerFrom(1),
  columns: anyValue,
  contextColumns: anyValue,
  seed: seedValue,
};

/** The largest size of the sample: 200,000 rows, and 128 MB of numbers. */
const MAX_SAMPLE = { rows: 200_000, numbers: 2 ** 24 };
/** The largest fraction of a full sample that a split holds out. With 50,000 rows, a mean log-density has an error of about 0.01 nats. */
const MAX_HELD_OUT_SHARE = 1 / 4;

/** The results of the first pass over a stream. */
export type StreamSummary = Pick<
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

/** Starts a new iteration over all rows. */
type Blocks = () => AsyncIterable<InMemoryDataset>;

/**
 * A stream of rows after a first pass, which counted the rows and drew a random sample. Validation rows are taken from the
 * sample, and scales and mixtures are fitted to it. See `Dataset`.
 */
export class StreamedDataset implements Dataset {
  /** The number of rows that are not held out. It includes copies of held-out rows, although `blocks` skips them. */
  readonly rows: number;
  readonly features: number;
  readonly contextFeatures: number;
  readonly columns: readonly string[] | undefined;
  readonly contextColumns: readonly string[] | undefined;
  readonly meanWeight: number;
  /** A random sample of the rows, or all rows if there are few. */
  readonly sample: InMemoryDataset;
  readonly constants: Constants;
  private readonly allBlocks: Blocks;
  private readonly heldOut: HeldOut;

  private constructor(allBlocks: Blocks, summary: StreamSummary, heldOut: HeldOut) {
    this.allBlocks = allBlocks;
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
   * Makes the first pass over a stream, with reservoir sampling (algorithm R of Vitter, 1985).
   *
   * @throws what `dataset` throws, for a block that cannot be read; SHAPE when blocks differ in their columns or context;
   *   ARGUMENT for an iterator that can be read only once; DATA when there are fewer than two rows.
   */
  static async of(stream: RowStream, options: StreamOptions = {}): Promise<StreamedDataset> {
    checkOptions("a stream of rows", options, streamRules);
    const random = new Random(options.seed ?? 0).split("sample");
    const allBlocks = () => checkedBlocks(stream, options);
    let sample: InMemoryDataset | undefined;
    let constants: Constants | undefined;
    let names: Pick<Dataset, "columns" | "contextColumns"> | undefined;
    let rows = 0;
    let weight = 0;
    for await (const block of allBlocks()) {
      const { features, contextFeatures } = block;
      constants = constants ? sameConstants(constants, block) : constantColumns(block);
      names ??= { columns: block.columns, contextColumns: block.contextColumns };
      sample ??= allocateRows(sampleSize(features + contextFeatures), block);
      weight += totalWeight(block);
      const uniform = random.uniform(new Float64Array(block.rows), { offset: rows });
      for (let i = 0; i < block.rows; i++, rows++) {
        const index = rows < sample.rows ? rows : Math.floor(uniform[i]! * (rows + 1));
        if (index < sample.rows) sample.copyRow(block, i, index);
      }
    }
    if (!sample || !constants || rows < 2) throw tooFewRows(rows);
    const { features, contextFeatures } = sample;
    if (rows < sample.rows) sample = sample.select(range(rows));
    const summary = { features, contextFeatures, sample, rows, constants, meanWeight: weight / rows };
    return new StreamedDataset(allBlocks, { ...summary, ...names! }, NOTHING_HELD_OUT);
  }

  /** A stream that only rank 0 reads. This process has the results of the first pass, and receives the batches. */
  static remote(summary: StreamSummary): StreamedDataset {
    return new StreamedDataset(refuseToRead, summary, NOTHING_HELD_OUT);
  }

  withoutColumns(columns: Columns): this {
    if (columns.size === 0) return this;
    const { allBlocks, sample, constants, heldOut } = this;
    const reduced = sample.withoutColumns(columns);
    const summary = {
      ...this,
      features: reduced.features,
      columns: reduced.columns,
      sample: reduced,
      constants: removeConstants(constants, columns),
    };
    async function* blocks() {
      for await (const block of allBlocks()) yield block.withoutColumns(columns);
    }
    return new StreamedDataset(blocks, summary, heldOut) as this;
  }

  /** Splits the sample. The training rows also exclude copies of held-out rows elsewhere in the stream, as `holdOut` does in memory. */
  split(fraction: number, seed: number): Split<this> {
    const { allBlocks, features, contextFeatures, sample, rows, meanWeight } = this;
    const maxHeldOut = Math.floor(MAX_HELD_OUT_SHARE * sampleSize(features + contextFeatures));
    const count = Math.min(heldOutCount(rows, fraction), maxHeldOut, sample.rows - 1);
    const { training, validation, mayHaveCopies } = holdOut(sample, count, seed);
    const rowNumbers = Int32Array.from([...this.heldOut.rowNumbers, ...validation.rowNumbers]).sort();
    const hashes = new Set([...this.heldOut.hashes, ...(mayHaveCopies ? this.hashesOf(validation) : [])]);
    // Rows with copies on both sides are values that the distribution repeats, which `holdOut` does not keep together.
    for (const hash of this.hashesOf(training)) hashes.delete(hash);
    const trainingRows = rows - validation.rows;
    const weight = rows * meanWeight - totalWeight(validation);
    const summary = { ...this, sample: training, rows: trainingRows, meanWeight: weight / trainingRows };
    return {
      training: new StreamedDataset(allBlocks, summary, { rowNumbers: rowNumbers, hashes }) as this,
      validation,
    };
  }

  batches(options: BatchOptions): Batches {
    checkOptions("batches", options, batchRules);
    return batchesOfStream(this, options);
  }

  /**
   * Iterates over all rows, except held-out rows and their copies.
   *
   * @throws DATA when the number of rows differs from that of the first pass.
   */
  async *blocks(): AsyncGenerator<InMemoryDataset> {
    const { rows, heldOut } = this;
    let rowsRead = 0;
    for await (const block of this.allBlocks()) {
      yield this.withoutHeldOut(block);
      rowsRead += block.rows;
    }
    const expected = rows + heldOut.rowNumbers.length;
    if (rowsRead === expected) return;
    throw new PushforwardError("DATA", "the stream changed during training", {
      expected: `${expected} rows, as in the first pass`,
      received: `${rowsRead}`,
      hint: "Give the same rows in the same order each time that the stream is iterated.",
    });
  }

  /** The rows of a block that are not held out. */
  private withoutHeldOut(block: InMemoryDataset): InMemoryDataset {
    const { rowNumbers, hashes } = this.heldOut;
    if (rowNumbers.length === 0) return block;
    const blockHashes = hashes.size > 0 ? this.hashesOf(block) : undefined;
    let nextHeldOut = rowNumbers.findIndex((number) => number >= block.rowNumbers[0]!);
    if (nextHeldOut < 0) nextHeldOut = rowNumbers.length;
    const kept = range(block.rows).filter((row) => {
      if (rowNumbers[nextHeldOut] !== block.rowNumbers[row])
        return !blockHashes || !hashes.has(blockHashes[row]!);
      nextHeldOut++;
      return false;
    });
    return kept.length === block.rows ? block : block.select(kept);
  }

  /** Hashes of rows without their constant columns, so that removing these columns does not change the hashes. */
  private hashesOf(rows: InMemoryDataset): Float64Array {
    return rowHashes(storedRows(rows.withoutColumns(this.constants.values)));
  }
}

/** The held-out rows of a stream. */
interface HeldOut {
  /** The row numbers, ascending. */
  readonly rowNumbers: Int32Array;
  /** Hashes of the held-out rows whose copies are skipped as well. */
  readonly hashes: ReadonlySet<number>;
}

const refuseToRead: Blocks = () => {
  throw new PushforwardError("ARGUMENT", "only rank 0 can read these rows", {
    hint: "Train with the communicator that the table was read with: fit(flow, table.rows, { communicator }).",
  });
};

const NOTHING_HELD_OUT: HeldOut = { rowNumbers: new Int32Array(0), hashes: new Set() };

/** Whether data are a stream, and not rows in memory. */
export const isStream = (data: unknown): data is RowStream =>
  typeof data === "function" || (typeof data === "object" && data !== null && Symbol.asyncIterator in data);

const sampleSize = (width: number): number =>
  Math.min(MAX_SAMPLE.rows, Math.ceil(MAX_SAMPLE.numbers / width));

async function* checkedBlocks(stream: RowStream, options: StreamOptions): AsyncGenerator<InMemoryDataset> {
  const iterable = typeof stream === "function" ? stream() : stream;
  if (typeof stream !== "function" && stream[Symbol.asyncIterator]() === (stream as unknown)) {
    throw new PushforwardError("ARGUMENT", "the stream of rows can be read only once", {
      expected: "rows that can be read again in each epoch",
      received: "an async generator",
      hint: "Give a function that returns a new generator: fit(flow, () => rows()).",
    });
  }
  let nextRow = 0;
  let first: InMemoryDataset | undefined;
  for await (const input of iterable) {
    const { features, columns, contextColumns } = first ?? options;
    const block =
      input instanceof InMemoryDataset
        ? withAscendingNumbers(input, nextRow)
        : dataset(input, { features, columns, contextColumns }, nextRow);
    if (block.rows === 0) continue;
    first ??= block;
    for (const count of ["features", "contextFeatures"] as const) {
      if (block[count] === first[count]) continue;
      const what = count === "features" ? "features" : "context features";
      throw new PushforwardError(
        "SHAPE",
        `the block from row ${nextRow} on has a different number of ${what}`,
        {
          expected: `${first[count]}, as in the first block`,
          received: `${block[count]}`,
        },
      );
    }
    for (const names of ["columns", "contextColumns"] as const) {
      if (!first[names] || !block[names] || first[names].join() === block[names].join()) continue;
      throw new PushforwardError("DATA", `the ${names} of the block from row ${nextRow} on are different`, {
        expected: `${first[names].join(", ")}, as in the first block`,
        received: block[names].join(", "),
      });
    }
    // A buffer of bytes cannot hold other numbers.
    if (storedAs(block) !== storedAs(first)) {
      throw new PushforwardError("DATA", `the block from row ${nextRow} on has numbers of another type`, {
        expected: `${storedAs(first)}, as in the first block`,
        received: storedAs(block),
      });
    }
    nextRow = block.rowNumbers[block.rows - 1]! + 1;
    yield block;
  }
}

const storedAs = ({ storedValues }: InMemoryDataset): string =>
  storedValues instanceof Uint8Array ? "Uint8Array" : "Float64Array";

/**
 * Row numbers identify the held-out rows of a stream, so they must ascend over all blocks. A table leaves out numbers of rows that it skips;
 * other numbers, which do not ascend from `nextRow` on, are replaced by consecutive ones.
 */
function withAscendingNumbers(block: InMemoryDataset, nextRow: number): InMemoryDataset {
  const { rows, rowNumbers } = block;
  const isAscending = rowNumbers.every((number, i) => number >= (i === 0 ? nextRow : rowNumbers[i - 1]! + 1));
  return isAscending ? block : block.with({ rowNumbers: range(rows, nextRow) });
}
