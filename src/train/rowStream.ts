import { PushforwardError } from "../errors.ts";
import { Random } from "../random/index.ts";
import {
  checkedRows,
  copyRow,
  counting,
  emptyRows,
  keepOut,
  selectRows,
  shareOf,
  splitRows,
  type TrainingRows,
  tooFew,
  valuesOf,
  type Widths,
} from "./rows.ts";

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

/** So many rows stand for all of them, but no more numbers than 128 MB hold. */
const SAMPLE = { rows: 200_000, numbers: 2 ** 24 };
/** The part of a full sample that may be kept out at a time: 50,000 rows tell a mean log-density to about 0.01 nats. */
const MOST_KEPT_OUT = 1 / 4;

/**
 * A stream of rows after a first pass over it: how many there are, and a random sample of them, from which rows for
 * validation are taken and to which scales and mixtures are fitted.
 */
export class StreamedRows implements RowStream {
  readonly rows: number;
  readonly widths: Widths;
  /** Rows at random, all of them if they are few. */
  readonly sample: TrainingRows;
  private readonly stream: RowStream;
  /** Numbers of the rows that are kept out, ascending. */
  private readonly keptOut: Int32Array;

  private constructor(
    stream: RowStream,
    widths: Widths,
    sample: TrainingRows,
    rows: number,
    keptOut: Int32Array,
  ) {
    this.stream = stream;
    this.widths = widths;
    this.sample = sample;
    this.rows = rows;
    this.keptOut = keptOut;
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
    let rows = 0;
    for await (const block of checkedBlocks(stream, features)) {
      const context = block.context.length / block.rows;
      sample ??= emptyRows(sampleSize(features + context), { features, context });
      const uniform = random.uniform(new Float64Array(block.rows), { offset: rows });
      for (let i = 0; i < block.rows; i++, rows++) {
        const slot = rows < sample.rows ? rows : Math.floor(uniform[i] * (rows + 1));
        if (slot < sample.rows) copyRow(block, i, sample, slot);
      }
    }
    if (!sample || rows < 2) throw tooFew(rows);
    const widths = { features, context: sample.context.length / sample.rows };
    if (rows < sample.rows) sample = selectRows(sample, counting(rows));
    return new StreamedRows(stream, widths, sample, rows, new Int32Array(0));
  }

  /** Takes a share of the rows out of the stream at random, as many of them as stay in memory. */
  split(fraction: number, seed: number): { training: StreamedRows; validation: TrainingRows } {
    const { stream, widths, sample, rows, keptOut } = this;
    const most = Math.floor(MOST_KEPT_OUT * sampleSize(widths.features + widths.context));
    const held = Math.min(shareOf(rows, fraction), most, sample.rows - 1);
    const { training, validation } = keepOut(sample, held, seed);
    const out = Int32Array.from([...keptOut, ...validation.index]).sort();
    return { training: new StreamedRows(stream, widths, training, rows - held, out), validation };
  }

  /**
   * All rows but those that are kept out.
   *
   * @throws DATA when there are more or fewer than in the first pass.
   */
  async *blocks(): AsyncGenerator<TrainingRows> {
    const { rows, keptOut } = this;
    let seen = 0;
    let next = 0;
    for await (const block of checkedBlocks(this.stream, this.widths.features)) {
      const first = next;
      while (next < keptOut.length && keptOut[next] < seen + block.rows) next++;
      yield next === first ? block : without(block, keptOut.subarray(first, next), seen);
      seen += block.rows;
    }
    if (seen === rows + keptOut.length) return;
    throw new PushforwardError("DATA", "the stream changed while a flow was fitted to it", {
      expected: `${rows + keptOut.length} rows, as in the first pass`,
      received: `${seen}`,
      mend: "Give the same rows in the same order each time `blocks()` is called.",
    });
  }
}

export const isStream = (data: object): data is RowStream => "blocks" in data;

/** Shares rows out at random into training and validation; of a stream no more are held out than stay in memory. */
export const split = <T extends TrainingRows | StreamedRows>(data: T, fraction: number, seed: number) =>
  (data instanceof StreamedRows ? data.split(fraction, seed) : splitRows(data, fraction, seed)) as {
    training: T;
    validation: TrainingRows;
  };

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

/** The rows of a block but those of the given numbers, which are ascending; `before` rows came before the block. */
function without(block: TrainingRows, numbers: Int32Array, before: number): TrainingRows {
  const kept = new Int32Array(block.rows - numbers.length);
  for (let row = 0, n = 0, k = 0; row < block.rows; row++) {
    if (n < numbers.length && numbers[n] === before + row) n++;
    else kept[k++] = row;
  }
  return selectRows(block, kept);
}
