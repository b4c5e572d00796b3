import { isMissing, knownValues, type Subset } from "../../distributions/index.ts";
import { concat, constant, type Tensor } from "../../graph/index.ts";
import { type ColumnHead, sharesGap } from "./heads/columnHead.ts";

/**
 * Columns whose values are missing exactly where those of an earlier column are (`sharesGap`), such as the hour of a date and its week.
 * Given that the earlier value is missing, the value of such a column is missing with probability 1, and otherwise it is present. So the
 * heads of these columns are distributions of present values, and this class adds the missing ones.
 *
 * An earlier column must be known or drawn before those that share its missing values. Conditional parameters [N, S] have, after those of
 * the distribution, a number for each column that shares them: 1 where the earlier value is known to be missing, else 0.
 */
export class SharedGaps {
  /** [D], the column that decides where the values of a column are missing: the column itself, unless it shares those of an earlier one. */
  private readonly sources: readonly number[];
  /** The columns that share the missing values of an earlier one. */
  private readonly columns: readonly number[];

  constructor(heads: readonly ColumnHead[]) {
    const sources: number[] = [];
    heads.forEach((head, d) => {
      sources.push(sharesGap(head) ? sources[d - 1] : d);
    });
    this.sources = sources;
    this.columns = sources.flatMap((source, d) => (source === d ? [] : [d]));
  }

  /** The number of columns that share missing values, which is also that of their conditional parameters. */
  get size(): number {
    return this.columns.length;
  }

  /**
   * Log-probabilities [S, ..., N] of some columns of the rows x [D, N], from those of present values. The result is 0 where a value and
   * that of the earlier column are both missing, and -Infinity where only one of them is.
   */
  logProb(logProb: Tensor, x: Tensor, columns: readonly number[]): Tensor {
    if (!columns.some((column) => this.columns.includes(column))) return logProb;
    const [, N] = x.shape;
    const axes = [columns.length, ...new Array<1>(logProb.rank - 2).fill(1)];
    const missing = isMissing(x);
    const ofColumns = missing.gather(0, columns).reshape([...axes, N]);
    const sources = columns.map((column) => this.sources[column]);
    const ofSources = missing.gather(0, sources).reshape([...axes, N]);
    const flags = columns.map((column) => (this.columns.includes(column) ? 1 : 0));
    const isShared = constant(flags, [...axes, 1]).greater(0);
    return isShared.and(ofColumns.or(ofSources)).where(logOfGap(ofColumns, ofSources), logProb);
  }

  /**
   * Rows [N, S] of some columns, by default all, in which values of columns that share missing values are missing where the earlier value
   * is. The columns include these earlier ones.
   */
  applyTo(x: Tensor, columns: readonly number[] = this.sources.map((_, d) => d)): Tensor {
    if (this.size === 0) return x;
    const sources = columns.map((column) => columns.indexOf(this.sources[column]));
    return isMissing(x.gather(1, sources)).where(Number.NaN, x);
  }

  /** A value of column d; missing where the earlier value is, if they are missing together. Earlier values have the same shape. */
  drawn(d: number, value: Tensor, earlier: readonly Tensor[]): Tensor {
    const source = this.sources[d];
    return source === d ? value : isMissing(earlier[source]).where(Number.NaN, value);
  }

  /** Conditional parameters with those of this class, [N, S], from those of the distribution for the known columns of x [N, D]. */
  withParameters(parameters: Tensor, x: Tensor, subset: Subset): Tensor {
    if (this.size === 0) return parameters;
    const sources = this.columns.map((column) => this.sources[column]);
    return concat([parameters, isMissing(knownValues(x, subset).gather(1, sources)).toFloat()], 1);
  }

  /** The conditional parameters of the distribution. */
  withoutParameters(parameters: Tensor): Tensor {
    if (this.size === 0) return parameters;
    const size = (parameters.shape[1] as number) - this.size;
    return parameters.slice(1, 0, size);
  }

  /** As `SubsetDistribution.logProbOf`, from the log-probabilities [N] of present values. */
  logProbOf(d: number, logProb: Tensor, values: Tensor, parameters: Tensor): Tensor {
    const isGap = this.isGap(d, parameters);
    if (!isGap) return logProb;
    const missing = isMissing(values);
    return missing.or(isGap).where(logOfGap(missing, isGap), logProb);
  }

  /** As `SubsetDistribution.logPresentOf`, from the log-probabilities without shared missing values. */
  logPresentOf(d: number, logPresent: Tensor, parameters: Tensor): Tensor {
    return this.isGap(d, parameters)?.where(Number.NEGATIVE_INFINITY, logPresent) ?? logPresent;
  }

  /** As `SubsetDistribution.sampleOf`, from draws [N] of present values. */
  sampleOf(d: number, drawn: Tensor, parameters: Tensor): Tensor {
    return this.isGap(d, parameters)?.where(Number.NaN, drawn) ?? drawn;
  }

  /** As `SubsetDistribution.sampleEach`, from draws [N, D] of present values. */
  sampleEach(drawn: Tensor, parameters: Tensor): Tensor {
    if (this.size === 0) return drawn;
    const [, S] = parameters.shape as [unknown, number];
    const gaps = parameters.slice(1, S - this.size, S).pad(1, 0, 1);
    const indices = this.sources.map((_, d) =>
      this.columns.includes(d) ? this.columns.indexOf(d) : this.size,
    );
    return gaps.gather(1, indices).greater(0).where(Number.NaN, drawn);
  }

  /**
   * Positions [D] of an ordering in which a column comes before those that share its missing values. They are the given positions, except
   * that a column and those that share them exchange positions among each other, so that they have the order of their indices.
   */
  reorder(positions: ArrayLike<number>): number[] {
    const reordered = Array.from(positions);
    for (const source of new Set(this.columns.map((column) => this.sources[column]))) {
      const columns = this.sources.flatMap((other, d) => (other === source ? [d] : []));
      const sorted = columns.map((column) => positions[column]).sort((a, b) => a - b);
      for (const [i, column] of columns.entries()) reordered[column] = sorted[i];
    }
    return reordered;
  }

  /** Whether the earlier value is known to be missing, [N]. Undefined if column d shares none. */
  private isGap(d: number, parameters: Tensor): Tensor | undefined {
    const i = this.columns.indexOf(d);
    if (i < 0) return undefined;
    const [N, S] = parameters.shape;
    const start = (S as number) - this.size + i;
    return parameters
      .slice(1, start, start + 1)
      .reshape([N])
      .greater(0);
  }
}

/** The log-probability where a value, or that of the earlier column, is missing. */
const logOfGap = (ofColumn: Tensor, ofSource: Tensor): Tensor =>
  ofColumn.and(ofSource).where(0, Number.NEGATIVE_INFINITY);
