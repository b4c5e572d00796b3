import { callback, integerFrom, type OptionRules, required, seedValue } from "../check/index.ts";
import type { Batches } from "./batches.ts";
import type { Columns, Constants } from "./constantColumns.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** A dataset split into training rows and validation rows. */
export interface Split<D = Dataset> {
  readonly training: D;
  readonly validation: InMemoryDataset;
}

/** Options of `batches`. */
export interface BatchOptions {
  /** Number of rows in a batch. The last batch of an epoch may have fewer. */
  readonly batchSize: number;
  /** Seed of the random order of the rows. */
  readonly seed: number;
  /**
   * Transforms rows before they are put into batches. It is called once for rows in memory, and again in every epoch for a stream.
   * Default none.
   */
  readonly prepare?: ((rows: InMemoryDataset) => InMemoryDataset) | undefined;
}

/** The rules of `BatchOptions`. */
export const batchRules: OptionRules<BatchOptions> = {
  batchSize: required(integerFrom(1)),
  seed: required(seedValue),
  prepare: callback,
};

/**
 * Rows of numbers for training or evaluation. Each row has D features, C context features, a weight, and its row number in the
 * source. The rows are in memory (`InMemoryDataset`), or are read from a stream in each epoch (`StreamedDataset`).
 */
export interface Dataset {
  /** The number of rows. */
  readonly rows: number;
  /** D, the number of features. */
  readonly features: number;
  /** C, the number of context features; 0 without a context. */
  readonly contextFeatures: number;
  /** Names of the features, if they have names. */
  readonly columns: readonly string[] | undefined;
  /** Names of the context features, if they have names. */
  readonly contextColumns: readonly string[] | undefined;
  /** The mean weight of the rows. Losses are divided by it, so that the learning rate does not depend on the scale of the weights. */
  readonly meanWeight: number;
  /** The columns that have the same value in all rows. */
  readonly constants: Constants;
  /** Rows in memory: all rows, or a random sample of a stream. */
  readonly sample: InMemoryDataset;
  /**
   * Holds out a random fraction of the rows, determined by the seed. Equal rows are on the same side, with two
   * exceptions: rows that are equal by chance, as in a table of categories or of ages and sexes, and a row with more copies than there
   * are held-out rows. If the rows have weights, they are divided into strata of similar weight, and one row of each stratum is held out.
   * At most 50,000 rows of a stream are held out. Throws `ARGUMENT` for a fraction that is not between 0 and 1.
   */
  split(fraction: number, seed: number): Split<this>;
  /**
   * The batches of each epoch, in an order that depends only on the seed and the epoch. Throws `ARGUMENT` if the options are not valid.
   */
  batches(options: BatchOptions): Batches;
  /** This dataset without the features of these columns. Context features stay. */
  withoutColumns(columns: Columns): this;
}
