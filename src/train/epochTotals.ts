import type { LossValues } from "./batchLoss.ts";

/** Sums the losses and metrics of the batches of an epoch, weighted by their numbers of rows, to report means over rows. */
export class EpochTotals {
  /** The number of batches so far. */
  steps = 0;
  /** The learning rate of the last batch, set by the training loop. */
  learningRate = 0;
  private rows = 0;
  private readonly sums = new Map<string, number>();

  /** Adds the means over the rows of a batch. */
  add(values: LossValues, rows: number): void {
    for (const [name, value] of Object.entries(values))
      this.sums.set(name, (this.sums.get(name) ?? 0) + value * rows);
    this.rows += rows;
    this.steps++;
  }

  /** The mean of a quantity over all rows of the epoch. */
  mean(name: string): number {
    return (this.sums.get(name) ?? Number.NaN) / this.rows;
  }

  /** The means of all quantities except the loss. */
  metrics(): Record<string, number> {
    const names = [...this.sums.keys()].filter((name) => name !== "loss");
    return Object.fromEntries(names.map((name) => [name, this.mean(name)]));
  }
}
