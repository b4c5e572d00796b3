import { AnomalyScorer } from "../../src/flows/anomalies/anomalyScorer.ts";
import { fitTable, Random, type TableModel } from "../../src/index.ts";
import { countRows, type Rows, selectRows } from "../papers/rows.ts";
import { auroc } from "../papers/statistics.ts";
import { readTask, type Setting } from "./tables.ts";

/** Areas under the ROC curve in percent. */
export interface Aurocs {
  /** The score of `TableModel.anomalies`. */
  readonly score: number;
  /** The two parts of the score. */
  readonly surprise: number;
  readonly distance: number;
  /** Minus the log-density. */
  readonly density: number;
  /** The score of a model that was fitted again, without the tenth of the training rows with the highest scores; only unsupervised. */
  readonly trimmed?: number;
}

/** At most this many training rows of a table are used. */
const MAX_TRAINING_ROWS = 10_000;
const TRIMMED_FRACTION = 0.1;

/** Fits the default model to a table, in at most `minutes`, and measures how well its scores separate anomalies from other rows. */
export async function measure(
  data: string,
  name: string,
  setting: Setting,
  minutes: number,
): Promise<Aurocs> {
  const { train, test, labels } = readTask(data, name, setting);
  const order = new Random(0).split("rows").permutation(countRows(train));
  const rows = selectRows(train, order.slice(0, MAX_TRAINING_ROWS).sort());
  const areaOf = (scores: ArrayLike<number>) => Number((100 * auroc(scores, labels)).toFixed(2));
  const model = await fit(rows, minutes);
  const scores = await scoresOf(model, test);
  const areas = {
    score: areaOf(scores.score),
    surprise: areaOf(scores.surprise),
    distance: areaOf(scores.distance),
    density: areaOf((await model.score(asTable(test))).map((logDensity) => -logDensity)),
  };
  if (setting === "one-class") return areas;
  const ofTraining = (await scoresOf(model, rows)).score;
  const ascending = Array.from(ofTraining.keys()).sort((a, b) => ofTraining[a] - ofTraining[b]);
  const kept = ascending
    .slice(0, Math.round((1 - TRIMMED_FRACTION) * ascending.length))
    .sort((a, b) => a - b);
  const refitted = await fit(selectRows(rows, kept), minutes);
  return { ...areas, trimmed: areaOf((await scoresOf(refitted, test)).score) };
}

async function fit(rows: Rows, maxMinutes: number): Promise<TableModel> {
  return (await fitTable(asTable(rows), { maxMinutes, testFraction: 0 })).model;
}

/** The anomaly scores of rows, and the scores from only one of their two parts. */
async function scoresOf(model: TableModel, rows: Rows) {
  const { columns, flow, reference } = model;
  const table = asTable(rows);
  const { values, status } = model.positionsOf(table);
  const score = await model.anomalyScores(values, status);
  const only = async (part: "surprise" | "distance") => {
    const other = part === "surprise" ? "distance" : "surprise";
    const scorer = new AnomalyScorer(columns, flow, {
      ...reference!,
      [other]: { median: Number.MAX_VALUE, range: 1 },
    });
    const scores = await scorer.score(values);
    await scorer.release();
    return scores;
  };
  return { score, surprise: await only("surprise"), distance: await only("distance") };
}

const asTable = ({ features, values }: Rows): Record<string, Float64Array> =>
  Object.fromEntries(
    Array.from({ length: features }, (_, d) => [
      `x${d}`,
      Float64Array.from({ length: values.length / features }, (_, n) => values[n * features + d]),
    ]),
  );
