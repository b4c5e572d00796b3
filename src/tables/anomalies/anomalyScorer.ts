import type { InMemoryDataset } from "../../dataset/index.ts";
import type { Flow, RunOptions } from "../../flows/index.ts";
import { ANOMALY_PREFIX } from "../../model/index.ts";
import { mean } from "../../numerics/index.ts";
import type { TableColumn } from "../columns/index.ts";
import { AnomalyStatistics, type ReferenceRows, STATISTICS, type Statistic } from "./anomalyStatistics.ts";
import { featureScales } from "./neighbors.ts";
import { invalidNumbers } from "./storedReference.ts";
import { Surprise } from "./surprise.ts";

/** An exponential approximation of the upper tail of a statistic of ordinary rows. */
interface Tail {
  /** The value that a tenth of the rows exceed. */
  readonly threshold: number;
  /** By how much they exceed it on average. */
  readonly meanExcess: number;
}

/** What a model of a table stores about its training, validation and test rows, to score anomalies. */
export interface AnomalyReference extends ReferenceRows {
  /** [orders * factors], the mean of each number of `Surprise` in validation rows, in nats. */
  readonly meanSurprises: Float64Array;
  /** The tail of each statistic in validation rows. Without training rows only that of the surprise has a meaning. */
  readonly tails: Readonly<Record<Statistic, Tail>>;
  /** The scores of rows that had no part in the training, in ascending order. Empty if there were none. */
  readonly calibration: Float64Array;
}

/** The maximum number of training rows to compare with. More rows take longer, and hardly improve the ranking. */
const MAX_COMPARED_ROWS = 4000;
/** The maximum number of calibration scores. The smallest p-value is about 1 / this, and more scores would enlarge the model file. */
const MAX_CALIBRATION_ROWS = 10_000;
/** The fraction of validation rows in the tail of a statistic. */
const TAIL_FRACTION = 0.1;

/**
 * The smallest mean excess of a statistic. For one that is -log of a probability, the share of rows above t + s is at least about e^-s times
 * the share above t, so the mean excess is at least about 1 nat; the mean of a few validation rows can be smaller by chance. Distances have
 * no such bound.
 */
const MIN_MEAN_EXCESS: Readonly<Record<Statistic, number>> = {
  surprise: 1,
  marginalSurprise: 1,
  distance: 0,
  rankDistance: 0,
};

/** The rows from which `AnomalyScorer.fit` learns. */
interface AnomalyRows {
  readonly training: InMemoryDataset;
  readonly validation: InMemoryDataset;
  /** Rows that had no part in the training, whose scores calibrate p-values. */
  readonly test?: InMemoryDataset | undefined;
}

/** Options of `AnomalyScorer.fit`. */
interface AnomalyFitOptions extends RunOptions {
  /** Whether the model may contain training rows: up to 4,000 with which anomaly scores compare rows. Default true. */
  readonly keepRows?: boolean | undefined;
  /**
   * A flow that was not trained on the validation rows. It is needed if `flow` was trained on them after its validation. Default: `flow`.
   */
  readonly flowBeforeValidationRows?: Flow | undefined;
}

/**
 * The anomaly score of rows of a table. The upper tail of each statistic s in validation rows is approximately exponential,
 *
 *     p(s) = 0.1 exp(-(s - t) / e),
 *
 * where a tenth of the rows exceed t, by e on average. The score is -log of the harmonic mean of the numbers p of all statistics, which
 * combines p-values of dependent tests (Wilson 2019): a single small p determines it.
 *
 * A row with a value beyond the cells of a lattice, such as an integer above all training values, has a finite score; with a value outside
 * of the bounds of its column, the score is Infinity.
 */
export class AnomalyScorer {
  readonly reference: AnomalyReference;
  readonly statistics: AnomalyStatistics;

  /** Throws `MODEL` if the reference was not fitted to a flow of this structure. */
  constructor(columns: readonly TableColumn[], flow: Flow, reference: AnomalyReference) {
    this.reference = reference;
    this.statistics = new AnomalyStatistics(columns, flow, reference);
    const { surprisesPerRow } = this.statistics;
    const { length } = reference.meanSurprises;
    if (length !== surprisesPerRow)
      throw invalidNumbers(`the array ${ANOMALY_PREFIX}meanSurprises`, `[${surprisesPerRow}]`, `[${length}]`);
  }

  /** Fits the tails to the validation rows, and scores the test rows. */
  static async fit(
    columns: readonly TableColumn[],
    flow: Flow,
    { training, validation, test }: AnomalyRows,
    { keepRows = true, flowBeforeValidationRows, ...run }: AnomalyFitOptions = {},
  ): Promise<AnomalyReference> {
    const reference = {
      rows: keepRows ? training.spaced(MAX_COMPARED_ROWS).values.slice() : new Float64Array(0),
      featureScales: featureScales(training),
    };
    const statistics = new AnomalyStatistics(columns, flow, reference);
    const surpriseBefore =
      flowBeforeValidationRows && new Surprise(flowBeforeValidationRows, statistics.radii);
    try {
      const surprises = await statistics.surprises(validation.values, run, surpriseBefore);
      const meanSurprises = statistics.meanSurprises(surprises);
      const ofValidation = statistics.fromSurprises(validation.values, surprises, meanSurprises);
      const tails = Object.fromEntries(
        STATISTICS.map((name) => [
          name,
          tailOf(ofValidation[name] ?? new Float64Array(0), MIN_MEAN_EXCESS[name]),
        ]),
      ) as Record<Statistic, Tail>;
      const scores = test
        ? combined(
            await statistics.compute(test.spaced(MAX_CALIBRATION_ROWS).values, meanSurprises, run),
            tails,
          )
        : new Float64Array(0);
      return { ...reference, meanSurprises, tails, calibration: scores.sort() };
    } finally {
      await Promise.all([statistics.release(), surpriseBefore?.release()]);
    }
  }

  /** The scores of rows of positions [N, D] (`positionsInColumn`), [N]. No value may be missing in a column without gaps. */
  async score(positions: Float64Array, run: RunOptions = {}): Promise<Float64Array> {
    const { meanSurprises, tails } = this.reference;
    return combined(await this.statistics.compute(positions, meanSurprises, run), tails);
  }

  /** The statistic with the smallest p(s) of each row of positions [N, D], which determines its score. */
  async leadingStatistics(positions: Float64Array, run: RunOptions = {}): Promise<Statistic[]> {
    const { meanSurprises, tails } = this.reference;
    const excesses = excessesOf(await this.statistics.compute(positions, meanSurprises, run), tails);
    const names = STATISTICS.filter((name) => excesses[name]);
    return Array.from(excesses.surprise!, (_, n) =>
      names.reduce((a, b) => (excesses[b]![n] > excesses[a]![n] ? b : a)),
    );
  }

  release(): Promise<void> {
    return this.statistics.release();
  }
}

/** (s - t) / e of each statistic s. */
const excessesOf = (
  statistics: Partial<Record<Statistic, Float64Array>>,
  tails: AnomalyReference["tails"],
): Partial<Record<Statistic, Float64Array>> =>
  Object.fromEntries(
    STATISTICS.flatMap((name) => {
      const { threshold, meanExcess } = tails[name];
      const values = statistics[name];
      return values ? [[name, values.map((value) => (value - threshold) / meanExcess)]] : [];
    }),
  );

/** -log of the harmonic mean of p(s) of all statistics. */
function combined(
  statistics: Partial<Record<Statistic, Float64Array>>,
  tails: AnomalyReference["tails"],
): Float64Array {
  const excesses = Object.values(excessesOf(statistics, tails));
  return excesses[0].map((_, n) => {
    const rowExcesses = excesses.map((excess) => excess[n]);
    const largest = Math.max(...rowExcesses);
    if (!Number.isFinite(largest)) return largest;
    const sum = rowExcesses.reduce((total, excess) => total + Math.exp(excess - largest), 0);
    return largest + Math.log(sum / excesses.length) - Math.log(TAIL_FRACTION);
  });
}

/**
 * The tail of a statistic. If no value exceeds the threshold, as in tables of few different rows, the standard deviation is the mean
 * excess.
 */
function tailOf(statistic: Float64Array, minMeanExcess: number): Tail {
  const ascending = statistic.filter(Number.isFinite).sort();
  const count = ascending.length;
  if (count === 0) return { threshold: 0, meanExcess: 1 };
  const threshold = ascending[Math.floor((1 - TAIL_FRACTION) * (count - 1))];
  const excess = mean(ascending.filter((value) => value > threshold).map((value) => value - threshold));
  const center = mean(ascending);
  const deviation = Math.sqrt(mean(ascending.map((value) => (value - center) ** 2)));
  return { threshold, meanExcess: Math.max(minMeanExcess, excess || deviation || 1) };
}
