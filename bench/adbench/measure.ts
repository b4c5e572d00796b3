import { fitTable, Random, type TableModel } from "../../src/index.ts";
import {
  AnomalyStatistics,
  STATISTICS,
  type Statistic,
} from "../../src/tables/anomalies/anomalyStatistics.ts";
import { countRows, type Rows, selectRows } from "../papers/rows.ts";
import { auroc } from "../papers/statistics.ts";
import { readTask, type Setting } from "./tables.ts";

/** Areas under the ROC curve in percent: of the score of `TableModel.anomalies`, of the statistics that it combines, and others. */
export interface Aurocs extends Readonly<Record<Statistic, number>> {
  readonly score: number;
  /** Minus the log-density. */
  readonly density: number;
  /** The score of a model that was fitted again, without the tenth of the training rows with the highest scores; only unsupervised. */
  readonly trimmed?: number;
}

/** At most this many training rows of a table are used. */
const MAX_TRAINING_ROWS = 10_000;
const TRIMMED_FRACTION = 0.1;

/** What a training run may use. */
interface FitLimits {
  readonly minutes: number;
  readonly threads: number;
}

/** Fits the default model to a table, and measures how well its scores separate anomalies from other rows. */
export async function measure(
  data: string,
  name: string,
  setting: Setting,
  limits: FitLimits,
): Promise<Aurocs> {
  const { train, test, labels } = readTask(data, name, setting);
  const order = new Random(0).split("rows").permutation(countRows(train));
  const rows = selectRows(train, order.slice(0, MAX_TRAINING_ROWS).sort());
  const areaOf = (scores: ArrayLike<number>) => Number((100 * auroc(scores, labels)).toFixed(2));
  const model = await fit(rows, limits);
  const areas = {
    score: areaOf(await scoresOf(model, test)),
    ...(await areasOfStatistics(model, test, areaOf)),
    density: areaOf((await model.score(asTable(test))).map((logDensity) => -logDensity)),
  };
  const ofTraining = setting === "unsupervised" ? await scoresOf(model, rows) : undefined;
  await model.release();
  if (!ofTraining) return areas;
  const ascending = Array.from(ofTraining.keys()).sort((a, b) => ofTraining[a] - ofTraining[b]);
  const kept = ascending
    .slice(0, Math.round((1 - TRIMMED_FRACTION) * ascending.length))
    .sort((a, b) => a - b);
  const refitted = await fit(selectRows(rows, kept), limits);
  const trimmed = areaOf(await scoresOf(refitted, test));
  await refitted.release();
  return { ...areas, trimmed };
}

async function fit(rows: Rows, { minutes, threads }: FitLimits): Promise<TableModel> {
  return (await fitTable(asTable(rows), { maxMinutes: minutes, threads, testFraction: 0 })).model;
}

async function scoresOf(model: TableModel, rows: Rows): Promise<Float64Array> {
  const { values, status } = model.positionsOf(asTable(rows));
  return model.anomalyScores(values, status);
}

/** The areas of the statistics that the score combines. */
async function areasOfStatistics(
  model: TableModel,
  rows: Rows,
  areaOf: (scores: ArrayLike<number>) => number,
): Promise<Record<Statistic, number>> {
  const { columns, flow } = model;
  const reference = model.anomalyReference();
  const statistics = new AnomalyStatistics(columns, flow, reference);
  const { values } = model.positionsOf(asTable(rows));
  const ofRows = await statistics.compute(values, reference.meanSurprises, {});
  await statistics.release();
  return Object.fromEntries(STATISTICS.map((name) => [name, areaOf(ofRows[name]!)])) as Record<
    Statistic,
    number
  >;
}

const asTable = ({ features, values }: Rows): Record<string, Float64Array> =>
  Object.fromEntries(
    Array.from({ length: features }, (_, d) => [
      `x${d}`,
      Float64Array.from({ length: values.length / features }, (_, n) => values[n * features + d]),
    ]),
  );
