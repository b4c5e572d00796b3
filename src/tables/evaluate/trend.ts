import { checkOptions, oneOf } from "../../check/index.ts";
import type { TableInput } from "../columns/index.ts";
import { association, type Measure, rankColumn } from "./association.ts";
import { type ComparedRows, type CompareOptions, comparedRows, compareRules } from "./comparedRows.ts";

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
 * columns is constant in one of the tables. The name is that of the column pair trends of SDMetrics, which compares the same pairs by other
 * measures.
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
  return trendFrom(first, correlation)(second);
}

/** The function that compares generated rows with these real rows, whose associations are computed only once. */
export function trendFrom(
  real: ComparedRows,
  correlation: "spearman" | "pearson" = "spearman",
): (generated: ComparedRows) => TrendResult {
  const associations = ({ columns }: ComparedRows) => {
    const ranked = columns.map((column) => rankColumn(column, correlation));
    return ranked.flatMap((a, i) =>
      ranked.slice(i + 1).map((b) => ({
        columns: [a.name, b.name] as const,
        ...association(a, b, correlation),
      })),
    );
  };
  const ofReal = associations(real);
  return (generated) => {
    const ofGenerated = associations(generated);
    const pairs = ofReal.flatMap(({ columns, measure, value }, p): PairTrend[] => {
      const difference = Math.abs(ofGenerated[p].value - value);
      if (Number.isNaN(difference)) return [];
      return [{ columns, measure, real: value, generated: ofGenerated[p].value, difference }];
    });
    pairs.sort((a, b) => b.difference - a.difference);
    const sum = pairs.reduce((total, { difference }) => total + difference, 0);
    return { meanDifference: sum / pairs.length, pairs };
  };
}
