import type { InMemoryDataset } from "../../dataset/index.ts";

/** A feature of a Gaussian: a real number, the number of a cell of a lattice, or a number of the context, which has no density. */
export type GaussianFeature =
  | (Gaps & { readonly type: "continuous"; readonly atoms?: readonly number[] })
  | (Gaps & { readonly type: "lattice"; readonly cells: number })
  | { readonly type: "context" };

/** See `ColumnHeadOptions`. */
interface Gaps {
  readonly gaps?: boolean;
  readonly sharesGap?: boolean;
}

/** The code of a value that is neither an atom nor missing, and so has a normal distribution. */
export const NORMAL = -1;

/** Rows of features [N, D] in data units. */
type Rows = Pick<InMemoryDataset, "rows" | "values">;

/** Rows of features minus their means, in units of their standard deviations in the training rows. */
export interface StandardizedRows {
  readonly rows: number;
  /** [N, D]; 0 for atoms and missing values. */
  readonly values: Float64Array;
  /** [N, D] the index of an atom, the number of atoms for a missing value, and `NORMAL` for all others. */
  readonly codes: Int32Array;
}

/** Features with their means and standard deviations in the training rows, which are the zero and the unit of Gaussians. */
export class FeatureScaling {
  readonly features: readonly GaussianFeature[];
  readonly centers: Float64Array;
  readonly scales: Float64Array;

  constructor(features: readonly GaussianFeature[], rows: Rows) {
    const D = features.length;
    this.features = features;
    this.centers = new Float64Array(D);
    this.scales = new Float64Array(D).fill(1);
    const { codes } = this.standardized(rows);
    for (let d = 0; d < D; d++) {
      const normal: number[] = [];
      for (let n = 0, i = d; n < rows.rows; n++, i += D) if (codes[i] === NORMAL) normal.push(rows.values[i]);
      if (normal.length === 0) continue;
      const center = normal.reduce((sum, value) => sum + value / normal.length, 0);
      const largest = normal.reduce((most, value) => Math.max(most, Math.abs(value - center)), 0);
      // Relative to the largest deviation, because the square of a large number may overflow.
      const squares = normal.reduce((sum, value) => sum + ((value - center) / largest) ** 2, 0);
      this.centers[d] = center;
      this.scales[d] = largest * Math.sqrt(squares / normal.length) || 1;
    }
  }

  /** Standardizes values [N, D], and finds their codes. */
  standardized({ rows, values }: Rows): StandardizedRows {
    const D = this.features.length;
    const standardized = new Float64Array(rows * D);
    const codes = new Int32Array(rows * D).fill(NORMAL);
    for (const [d, feature] of this.features.entries()) {
      const atoms = feature.type === "continuous" ? (feature.atoms ?? []) : [];
      const codeOf = new Map(atoms.map((atom, code) => [atom, code]));
      for (let n = 0, i = d; n < rows; n++, i += D) {
        const value = values[i];
        codes[i] = Number.isNaN(value) ? atoms.length : (codeOf.get(value) ?? NORMAL);
        if (codes[i] === NORMAL) standardized[i] = (value - this.centers[d]) / this.scales[d];
      }
    }
    return { rows, values: standardized, codes };
  }
}
