import { rowHashes } from "../columns/index.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { Random } from "../random/index.ts";
import {
  type Columns,
  type Constants,
  constantColumns,
  constantsWithout,
  rowsWithout,
  sameConstants,
} from "./constantColumns.ts";
import type { FitOptions } from "./options.ts";
import {
  checkClasses,
  checkedRows,
  copyRow,
  counting,
  emptyRows,
  selectRows,
  type TrainingRows,
  tooFew,
  totalWeight,
  valuesOf,
  type Widths,
} from "./rows.ts";
import { holdOut, shareOf, splitRows } from "./splitRows.ts";

/** Rows that come one after the other: numbers in row-major order, or an object that carries them. */
export type RowBlock =
  | ArrayLike<number>
  | {
      readonly values: ArrayLike<number>;
      /** [rows, C], for a conditional flow. */
      readonly context?: ArrayLike<number>;
      /** One non-negative weight a row. */
      readonly weights?: ArrayLike<number>;
    };

/** Rows that need not fit into memory. */
export interface RowStream {
  /**
   * Begins anew: gives all rows, block by block, the same in the same order each time. The next block is asked for while
   * one is in use, so each needs an array of its own.
   */
  blocks(): AsyncIterable<RowBlock> | Iterable<RowBlock>;
}

/** The size of the sample: this many rows, but at most as many numbers as fit into 128 MB. */
const SAMPLE = { rows: 200_000, numbers: 2 ** 24 };
/** The share of a full sample that one split may hold out: 50,000 rows give a mean log-density to about 0.01 nats. */
const MAX_HELD_OUT_SHARE = 1 / 4;

/**
 * A stream of rows after a first pass over it: how many there are, and a random sample of them, from which rows for
 * validation are taken and to which scales and mixtures are fitted.
 */
export class StreamedRows implements RowStream {
  /** How many rows there are to learn from; the copies of held-out rows, which are left out too, are not subtracted. */
  readonly rows: number;
  readonly widths: Widths;
  /** The mean weight of the rows. */
  readonly meanWeight: number;
  /** Rows at random, all of them if they are few. */
  readonly sample: TrainingRows;
  /** Columns that are constant in all rows. */
  readonly constants: Constants;
  private readonly stream: RowStream;
  private readonly heldOut: HeldOut;

  private constructor(
    stream: RowStream,
    parts: Pick<StreamedRows, "widths" | "meanWeight" | "sample" | "rows" | "constants">,
    heldOut: HeldOut,
  ) {
    this.stream = stream;
    this.constants = parts.constants;
    this.widths = parts.widths;
    this.meanWeight = parts.meanWeight;
    this.sample = parts.sample;
    this.rows = parts.rows;
    this.heldOut = heldOut;
  }

  /**
   * Passes over a stream and samples it (reservoir sampling, algorithm R of Vitter, 1985).
   *
   * @throws SHAPE or DATA when a block does not fit or has a number that is not finite.
   */
  static async of(stream: RowStream, features: number, seed = 0): Promise<StreamedRows> {
    if (stream instanceof StreamedRows) return stream;
    const random = new Random(seed).split("sample");
    let sample: TrainingRows | undefined;
    let constants: Constants | undefined;
    let rows = 0;
    let weight = 0;
    for await (const block of checkedBlocks(stream, features)) {
      const context = block.context.length / block.rows;
      constants = constants ? sameConstants(constants, block) : constantColumns(block);
      sample ??= emptyRows(sampleSize(features + context), { features, context });
      weight += totalWeight(block, counting(block.rows));
      const uniform = random.uniform(new Float64Array(block.rows), { offset: rows });
      for (let i = 0; i < block.rows; i++, rows++) {
        const slot = rows < sample.rows ? rows : Math.floor(uniform[i] * (rows + 1));
        if (slot < sample.rows) copyRow(block, i, sample, slot);
      }
    }
    if (!sample || !constants || rows < 2) throw tooFew(rows);
    const widths = { features, context: sample.context.length / sample.rows };
    if (rows < sample.rows) sample = selectRows(sample, counting(rows));
    const parts = { widths, sample, rows, constants, meanWeight: weight / rows };
    return new StreamedRows(stream, parts, NOTHING_HELD_OUT);
  }

  /** The same rows without some of their constant columns. */
  without(columns: Columns): StreamedRows {
    if (columns.size === 0) return this;
    const { stream, widths, sample, rows, meanWeight, constants, heldOut } = this;
    const { features } = widths;
    const others: RowStream = {
      async *blocks() {
        for await (const block of checkedBlocks(stream, features)) yield rowsWithout(block, columns);
      },
    };
    const parts = {
      rows,
      meanWeight,
      widths: { ...widths, features: features - columns.size },
      sample: rowsWithout(sample, columns),
      constants: constantsWithout(constants, columns),
    };
    return new StreamedRows(others, parts, heldOut);
  }

  /**
   * Holds out a share of the rows at random, at most as many as fit into memory. Copies of these rows elsewhere in the stream
   * are left out of the training rows, as `holdOut` does in memory.
   */
  split(fraction: number, seed: number): { training: StreamedRows; validation: TrainingRows } {
    const { stream, widths, sample, rows, meanWeight, constants } = this;
    const most = Math.floor(MAX_HELD_OUT_SHARE * sampleSize(widths.features + widths.context));
    const count = Math.min(shareOf(rows, fraction), most, sample.rows - 1);
    const { training, validation, copies } = holdOut(sample, count, seed);
    const numbers = Int32Array.from([...this.heldOut.numbers, ...validation.index]).sort();
    const hashes = new Set([...this.heldOut.hashes, ...(copies ? this.hashesOf(validation) : [])]);
    // Values that the distribution repeats stay on both sides.
    for (const hash of this.hashesOf(training)) hashes.delete(hash);
    const left = rows - validation.rows;
    const weight = rows * meanWeight - totalWeight(validation, counting(validation.rows));
    const parts = { widths, constants, sample: training, rows: left, meanWeight: weight / left };
    return { training: new StreamedRows(stream, parts, { numbers, hashes }), validation };
  }

  /**
   * All rows but those that are held out and their copies.
   *
   * @throws DATA when there are more or fewer than in the first pass.
   */
  async *blocks(): AsyncGenerator<TrainingRows> {
    const { rows, heldOut } = this;
    let seen = 0;
    for await (const block of checkedBlocks(this.stream, this.widths.features)) {
      yield this.notHeldOut(block, seen);
      seen += block.rows;
    }
    const expected = rows + heldOut.numbers.length;
    if (seen === expected) return;
    throw new PushforwardError("DATA", "the stream changed while a flow was fitted to it", {
      expected: `${expected} rows, as in the first pass`,
      received: `${seen}`,
      mend: "Give the same rows in the same order each time `blocks()` is called.",
    });
  }

  /** The rows of a block that are not held out; `before` rows came before the block. */
  private notHeldOut(block: TrainingRows, before: number): TrainingRows {
    const { numbers, hashes } = this.heldOut;
    if (numbers.length === 0) return block;
    const own = hashes.size > 0 ? this.hashesOf(block) : undefined;
    let next = numbers.findIndex((number) => number >= before);
    if (next < 0) next = numbers.length;
    const kept = counting(block.rows).filter((row) => {
      if (numbers[next] !== before + row) return !own || !hashes.has(own[row]);
      next++;
      return false;
    });
    return kept.length === block.rows ? block : selectRows(block, kept);
  }

  /** Hashes of rows that stay the same when constant columns are left out. */
  private hashesOf(rows: TrainingRows): Float64Array {
    return rowHashes(rowsWithout(rows, this.constants.values));
  }
}

/** Rows that are held out of a stream. */
interface HeldOut {
  /** Their numbers, ascending. */
  readonly numbers: Int32Array;
  /** The hashes of the held-out rows whose copies are left out as well. */
  readonly hashes: ReadonlySet<number>;
}

const NOTHING_HELD_OUT: HeldOut = { numbers: new Int32Array(0), hashes: new Set() };

export const isStream = (data: object): data is RowStream => "blocks" in data;

/** Shares rows out at random into training and validation; of a stream no more are held out than stay in memory. */
export const split = <T extends TrainingRows | StreamedRows>(data: T, fraction: number, seed: number) =>
  (data instanceof StreamedRows ? data.split(fraction, seed) : splitRows(data, fraction, seed)) as {
    training: T;
    validation: TrainingRows;
  };

/** The mean weight of rows. */
export const meanWeight = (data: TrainingRows | StreamedRows): number =>
  data instanceof StreamedRows ? data.meanWeight : totalWeight(data, counting(data.rows)) / data.rows;

/** The same rows without some of their columns. */
export const withoutColumns = <T extends TrainingRows | StreamedRows>(data: T, columns: Columns): T =>
  (data instanceof StreamedRows ? data.without(columns) : rowsWithout(data as TrainingRows, columns)) as T;

/**
 * The rows of a stream for a flow.
 *
 * @throws ARGUMENT when context or weights are options; SHAPE when the context does not fit the flow.
 */
export async function streamedRows(
  flow: Flow,
  data: RowStream,
  seed: number,
  options: Pick<FitOptions, "context" | "weights">,
): Promise<StreamedRows> {
  for (const name of ["context", "weights"] as const) {
    if (!options[name]?.length) continue;
    throw new PushforwardError("ARGUMENT", `the option ${name} does not go with a stream of rows`, {
      mend: `Give it with the rows: each block as { values, ${name} }.`,
    });
  }
  const rows = await StreamedRows.of(data, flow.features, seed);
  if (rows.widths.context === flow.context) {
    checkClasses(flow, rows.sample);
    return rows;
  }
  throw new PushforwardError("SHAPE", "the context in the stream does not fit the flow", {
    expected: `${flow.context} numbers a row`,
    received: `${rows.widths.context}`,
  });
}

/** Columns that are constant in all rows. */
export const constantsOf = (data: TrainingRows | StreamedRows): Constants =>
  data instanceof StreamedRows ? data.constants : constantColumns(data);

/** All rows that are in memory: those of a stream's sample. */
export const inMemory = (data: TrainingRows | StreamedRows): TrainingRows =>
  data instanceof StreamedRows ? data.sample : data;

const sampleSize = (width: number): number => Math.min(SAMPLE.rows, Math.ceil(SAMPLE.numbers / width));

async function* checkedBlocks(stream: RowStream, features: number): AsyncGenerator<TrainingRows> {
  let before = 0;
  let conditions: number | undefined;
  for await (const block of stream.blocks()) {
    const values = floats(valuesOf(block));
    if (values.length === 0) continue;
    const { context = [], weights } = block as { context?: ArrayLike<number>; weights?: ArrayLike<number> };
    conditions ??= context.length / (values.length / features);
    const given = { values, context: floats(context), ...(weights && { weights: floats(weights) }) };
    const rows = checkedRows({ features, context: conditions }, given, before);
    before += rows.rows;
    yield rows;
  }
}

const floats = (numbers: ArrayLike<number>): Float64Array =>
  numbers instanceof Float64Array ? numbers : Float64Array.from(numbers);
