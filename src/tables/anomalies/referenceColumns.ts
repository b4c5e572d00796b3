import { lowerBound, upperBound } from "../../numerics/index.ts";

/** The distribution of each feature in reference rows [M, D], whose labels are codes and whose missing values are NaN. */
export class ReferenceColumns {
  private readonly count: number;
  private readonly isLabel: readonly boolean[];
  /** [D], the present values of each feature in ascending order. */
  private readonly columns: readonly Float64Array[];

  constructor(rows: Float64Array, isLabel: readonly boolean[]) {
    const D = isLabel.length;
    this.count = rows.length / D;
    this.isLabel = isLabel;
    this.columns = isLabel.map((_, d) =>
      Float64Array.from({ length: this.count }, (_, n) => rows[n * D + d])
        .filter((value) => !Number.isNaN(value))
        .sort(),
    );
  }

  /**
   * Rows [N, D] with each number replaced by its rank, the fraction of the values of its feature that are smaller plus half of the
   * fraction that are equal. Labels and missing values stay.
   */
  ranks(rows: Float64Array): Float64Array {
    return rows.map((value, i) => {
      const d = i % this.isLabel.length;
      const values = this.columns[d];
      if (this.isLabel[d] || Number.isNaN(value)) return value;
      return (lowerBound(values, value) + upperBound(values, value)) / (2 * Math.max(1, values.length));
    });
  }

  /**
   * -log P(|X_d - x_d| <= r_d) of each value of rows [N, D], [N, D], where P is the fraction of the reference rows. Half a row is added to
   * each interval, so that no P is 0. For a label or a missing value, P is the fraction of the rows with the same.
   */
  surprises(rows: Float64Array, radii: Float64Array): Float64Array {
    const D = this.isLabel.length;
    return rows.map((value, i) => {
      const d = i % D;
      const radius = this.isLabel[d] ? 0 : radii[d];
      const values = this.columns[d];
      const within = Number.isNaN(value)
        ? this.count - values.length
        : upperBound(values, value + radius) - lowerBound(values, value - radius);
      return -Math.log((within + 0.5) / (this.count + 1));
    });
  }
}
