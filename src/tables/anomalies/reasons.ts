import { selectRows } from "../../dataset/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import { mean, nearestRank } from "../../numerics/index.ts";
import {
  decodeRows,
  featureNames,
  featuresOf,
  type TableColumn,
  type TableRow,
  tableValue,
} from "../columns/index.ts";
import { type ConditionalRows, groupBy } from "../densities/index.ts";

/** Rows to explain. */
export interface RowsToExplain {
  /** [N, D] */
  readonly features: Float64Array;
  /** Nats that are added to the gain of each feature, [N, D]; see `AnomalyStatistics.beyondCells`. */
  readonly beyondCells: Float64Array;
  /** The values of row n by the names of their columns. A missing value is null or absent. */
  present(n: number): Readonly<TableRow>;
}

/** The distribution of a column that `AnomalyReason` states. */
export interface ExpectedValue {
  /** For numbers, dates and times: the median. */
  readonly median?: TableRow[string];
  /** For numbers, dates and times: the central interval of 90%, from the 5% to the 95% quantile. */
  readonly interval?: readonly [low: TableRow[string], high: TableRow[string]];
  /** For labels and booleans: up to three most probable values with their probabilities, the most probable one first. */
  readonly labels?: readonly { readonly value: TableRow[string]; readonly probability: number }[];
  /** The probability that the value is missing. */
  readonly missing: number;
}

/** How unusual the value of a column is. */
export interface AnomalyReason {
  readonly column: string;
  /** The value of the row; null if it is missing. */
  readonly value: TableRow[string];
  /**
   * Whether `gain` and `expected` are those given the other columns of the row. False for a value that is rare in the whole table, if the
   * conditional surprise does not determine the score of the row.
   */
  readonly conditional: boolean;
  /**
   * Conditional: the mean increase of the log-density of the row, in nats, when the value is replaced by a draw from its distribution given
   * the other columns; Infinity for a value that the model considers impossible. Otherwise: how much larger -log P(|X - x| <= r) of the
   * value is than its mean among the training rows (`AnomalyStatistics`), in nats.
   */
  readonly gain: number;
  /** The distribution given the other columns, or that of the training rows. */
  readonly expected: ExpectedValue;
}

/** Draws for each row and column: the 5% quantile of 200 draws has a standard error of about 1.5% of probability. */
const DRAWS = 200;
/** Bounds the memory of the draws. */
const ROWS_AT_ONCE = 64;
const INTERVAL = [0.05, 0.95] as const;
const MAX_LABELS_SHOWN = 3;

/**
 * Explains each row of features [N, D] by all its columns, the most unusual one first. For column i the gain is
 *
 *     E log p(x'_i | x_rest) - log p(x_i | x_rest),  x'_i ~ p(x_i | x_rest),
 *
 * estimated by draws: how much more probable the row is with an ordinary value there. It does not depend on the units of the column. A
 * column that only seems unusual because of a wrong value elsewhere gains less, since the wrong value stays in the row.
 *
 * A value that is impossible whatever the other columns are has an infinite gain, and counts as unknown for the other columns.
 */
export async function explainRows(
  columns: readonly TableColumn[],
  conditional: ConditionalRows,
  { features, beyondCells, present }: RowsToExplain,
  run: RunOptions = {},
): Promise<AnomalyReason[][]> {
  const D = columns.flatMap(featureNames).length;
  const reasons: AnomalyReason[][] = [];
  for (let row = 0; row * D < features.length; row += ROWS_AT_ONCE) {
    const part = (numbers: Float64Array) => numbers.subarray(row * D, (row + ROWS_AT_ONCE) * D);
    const rows = {
      features: part(features),
      beyondCells: part(beyondCells),
      present: (n: number) => present(row + n),
    };
    reasons.push(...(await explain(columns, conditional, rows, run)));
  }
  return reasons;
}

async function explain(
  columns: readonly TableColumn[],
  conditional: ConditionalRows,
  { features, beyondCells, present }: RowsToExplain,
  run: RunOptions,
): Promise<AnomalyReason[][]> {
  const featuresByColumn = featuresOf(columns);
  const D = featuresByColumn.flat().length;
  const reasons: AnomalyReason[][] = [];
  for (const { rows, possible } of await groupByPossible(featuresByColumn, conditional, features, run)) {
    const values = selectRows(features, rows, D);
    for (const [c, column] of columns.entries()) {
      const target = featuresByColumn[c];
      const given = possible.filter((feature) => !target.includes(feature));
      const isPossible = target.every((feature) => possible.includes(feature));
      const add = (n: number, reason: Pick<AnomalyReason, "gain" | "expected">) => {
        const value = present(rows[n])[column.name] ?? null;
        reasons[rows[n]] ??= [];
        reasons[rows[n]].push({ column: column.name, value, conditional: true, ...reason });
      };
      if (column.kind === "constant") {
        for (const n of rows.keys()) {
          const constant = tableValue(column, 0);
          if (String(present(rows[n])[column.name] ?? null) === String(constant)) continue;
          const labels = constant === null ? [] : [{ value: constant, probability: 1 }];
          add(n, {
            gain: Number.POSITIVE_INFINITY,
            expected: { labels, missing: constant === null ? 1 : 0 },
          });
        }
        continue;
      }
      const { drawn, logProbDrawn, logProb } = await conditional.sampleAndLogProb(
        values,
        { of: target, given, draws: DRAWS },
        run,
      );
      const [drawnValues] = decodeRows([column], drawn);
      for (const n of rows.keys()) {
        const [from, to] = [n * DRAWS, (n + 1) * DRAWS];
        const beyond = target.reduce((sum, feature) => sum + beyondCells[rows[n] * D + feature], 0);
        add(n, {
          gain: isPossible
            ? mean(logProbDrawn.subarray(from, to)) - logProb[n] + beyond
            : Number.POSITIVE_INFINITY,
          expected: expectedValue(column, drawnValues.subarray(from, to)),
        });
      }
    }
  }
  return reasons.map(sortedByGain);
}

/** The reasons with the largest gains first. */
export const sortedByGain = (reasons: AnomalyReason[]): AnomalyReason[] =>
  // The difference of two infinite gains is NaN.
  reasons.toSorted((a, b) => (a.gain === b.gain ? 0 : b.gain - a.gain));

/** Groups the rows by their possible features: those whose value has a positive marginal probability. */
async function groupByPossible(
  featuresByColumn: readonly (readonly number[])[],
  conditional: ConditionalRows,
  features: Float64Array,
  run: RunOptions,
): Promise<{ rows: number[]; possible: number[] }[]> {
  const D = featuresByColumn.flat().length;
  const possible = Array.from({ length: features.length / D }, (): number[] => []);
  for (const target of featuresByColumn) {
    if (target.length === 0) continue;
    const marginal = await conditional.sampleAndLogProb(features, { of: target, given: [], draws: 0 }, run);
    for (const [n, rowFeatures] of possible.entries())
      if (Number.isFinite(marginal.logProb[n])) rowFeatures.push(...target);
  }
  const groups = groupBy([...possible.keys()], (n) => possible[n].join());
  return groups.map((rows) => ({ rows, possible: possible[rows[0]] }));
}

/** The distribution of values of a column. */
export function expectedValue(column: TableColumn, draws: Float64Array): ExpectedValue {
  const present = draws.filter((value) => !Number.isNaN(value)).sort();
  const missing = 1 - present.length / draws.length;
  if (present.length === 0) return { missing };
  if (column.kind === "categorical") return { labels: mostFrequent(column, present, draws.length), missing };
  const quantile = (p: number) => tableValue(column, nearestRank(present, p));
  return { median: quantile(0.5), interval: [quantile(INTERVAL[0]), quantile(INTERVAL[1])], missing };
}

function mostFrequent(
  column: TableColumn,
  codes: Float64Array,
  draws: number,
): NonNullable<ExpectedValue["labels"]> {
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_LABELS_SHOWN)
    .map(([code, count]) => ({ value: tableValue(column, code), probability: count / draws }));
}
