import { checkOptions, oneOf } from "../options.ts";
import type { TableInput } from "../tables/tableRows.ts";
import { association, type Measure } from "./association.ts";
import { type CompareOptions, comparedRows, compareRules } from "./comparedRows.ts";

/** Options of `trend`. */
export interface TrendOptions extends CompareOptions {
  /** The correlation of numbers: of their ranks (Spearman), or of their values (Pearson). Default `"spearman"`. */
  readonly correlation?: "spearman" | "pearson" | undefined;
}

/** The dependence of two columns in both tables. */
export interface PairTrend {
  readonly columns: readonly [first: string, second: string];
  readonly measure: Measure;
  readonly real: number;
  readonly generated: number;
  /** |generated - real|. */
  readonly difference: number;
}

/** The result of `trend`. */
export interface TrendResult {
  /** The mean of the differences of all pairs; NaN without a pair. */
  readonly meanDifference: number;
  /** All pairs of columns, those with the largest differences first. */
  readonly pairs: readonly PairTrend[];
}

/**
 * Compares the dependence of each pair of columns in real and in generated rows: the correlation of two columns of numbers, Cramér's V of two
 * columns of labels, and the correlation ratio of a column of numbers and one of labels (see `association`). A pair is left out if one of its
 * columns is constant in one of the tables.
 *
 * @throws DATA if a table lacks a column.
 */
export function trend<Real extends object, Generated extends object>(
  real: TableInput<Real>,
  generated: TableInput<Generated>,
  options: TrendOptions = {},
): TrendResult {
  checkOptions("trend", options, { ...compareRules, correlation: oneOf("spearman", "pearson") });
  const { correlation = "spearman", ...compare } = options;
  const [first, second] = comparedRows({ real, generated }, compare);
  const pairs: PairTrend[] = [];
  first.columns.forEach((a, i) => {
    for (let j = i + 1; j < first.columns.length; j++) {
      const b = first.columns[j];
      const ofReal = association(a, b, correlation);
      const ofGenerated = association(second.columns[i], second.columns[j], correlation);
      const difference = Math.abs(ofGenerated.value - ofReal.value);
      if (Number.isNaN(difference)) continue;
      pairs.push({
        columns: [a.name, b.name],
        measure: ofReal.measure,
        real: ofReal.value,
        generated: ofGenerated.value,
        difference,
      });
    }
  });
  pairs.sort((a, b) => b.difference - a.difference);
  const sum = pairs.reduce((total, { difference }) => total + difference, 0);
  return { meanDifference: sum / pairs.length, pairs };
}
