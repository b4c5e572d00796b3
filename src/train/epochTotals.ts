import type { LossValues } from "./batchLoss.ts";

/** What the steps of an epoch add up to. */
export class EpochTotals {
  steps = 0;
  /** Of the last step. */
  stepSize = 0;
  private rows = 0;
  private readonly sums = new Map<string, number>();

  add(values: LossValues, rows: number): void {
    for (const [name, value] of Object.entries(values))
      this.sums.set(name, (this.sums.get(name) ?? 0) + value * rows);
    this.rows += rows;
    this.steps++;
  }

  /** The mean over all rows of the steps. */
  mean(name: string): number {
    return (this.sums.get(name) ?? Number.NaN) / this.rows;
  }

  /** The means of all quantities beside the loss. */
  metrics(): Record<string, number> {
    const names = [...this.sums.keys()].filter((name) => name !== "loss");
    return Object.fromEntries(names.map((name) => [name, this.mean(name)]));
  }
}
