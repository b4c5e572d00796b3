import type { Batches } from "./batches.ts";
import type { Columns, Constants } from "./constantColumns.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** Rows to learn from and rows to validate with, which share no row. */
export interface Split<D = Dataset> {
  readonly training: D;
  readonly validation: InMemoryDataset;
}

export interface BatchOptions {
  /** Rows in a batch; the last batch of an epoch may have fewer. */
  readonly batchSize: number;
  /** Decides the order of the rows. */
  readonly seed: number;
  /** Applied to rows before they are put into batches: once to rows in memory, in each epoch to those of a stream. */
  readonly prepare?: (rows: InMemoryDataset) => InMemoryDataset;
}

/**
 * Rows of numbers to learn from or to evaluate on: D features and C context features in each row, a weight, and the number
 * that the row has where it comes from. The rows are in memory (`InMemoryDataset`), or are read from a stream in each epoch
 * (`StreamedDataset`).
 */
export interface Dataset {
  /** The number of rows. */
  readonly rows: number;
  /** D, the number of features. */
  readonly features: number;
  /** C, the number of context features; 0 without a context. */
  readonly contextFeatures: number;
  /** Names of the features, where they have names. */
  readonly columns: readonly string[] | undefined;
  /** Names of the context features, where they have names. */
  readonly contextColumns: readonly string[] | undefined;
  /** The mean weight of the rows. */
  readonly meanWeight: number;
  /** The columns that have the same value in all rows. */
  readonly constants: Constants;
  /** Rows that are in memory: all, or of a stream a random sample. */
  readonly sample: InMemoryDataset;
  /**
   * Holds out a share of the rows at random, chosen by the seed. Equal rows stay on one side, except those of tables of
   * categories and rows with more copies than are held out; held-out rows have their share of large weights. Of a stream
   * at most 50,000 rows are held out.
   */
  split(fraction: number, seed: number): Split<this>;
  /** The batches of each epoch, in an order that depends only on the seed and the epoch. */
  batches(options: BatchOptions): Batches;
  /** The same rows without some of their features. */
  withoutColumns(columns: Columns): this;
}
