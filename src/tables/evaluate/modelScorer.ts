import { callback, checkOptions, count, counted, nats } from "../../check/index.ts";
import type { InMemoryDataset } from "../../dataset/index.ts";
import { RunningMean } from "../../numerics/index.ts";
import type { LoadedModel } from "../model/index.ts";
import { ContextCheck } from "./contextCheck.ts";
import { type LogDensitiesOptions, logDensities, logDensitiesRules } from "./logDensities.ts";

/** Options of `ModelScorer`. */
export interface ModelScorerOptions extends LogDensitiesOptions {
  /** Replaces the log-density of the flow, for example by a conditional one. There are then no warnings about very low densities. Default none. */
  readonly compute?: ((rows: InMemoryDataset) => Promise<Float64Array>) | undefined;
}

/**
 * Evaluates a model on rows that arrive block by block, such as those of a large table: returns the log-densities of each
 * block, keeps their mean over all blocks, and collects warnings about rows that are unlike the training rows.
 */
export class ModelScorer {
  readonly model: LoadedModel;
  /** The mean log-density of all rows so far, in nats. */
  readonly logDensity = new RunningMean();
  /** The number of rows of probability 0 so far. */
  impossibleRows = 0;
  readonly compute: (rows: InMemoryDataset) => Promise<Float64Array>;
  private readonly contextCheck: ContextCheck;
  private readonly rowText: (row: number) => string;
  private readonly threshold: number;
  private unlikelyRows = 0;
  private firstUnlikely = { row: 0, logDensity: 0 };

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(model: LoadedModel, options: ModelScorerOptions = {}) {
    checkOptions("new ModelScorer", options, { ...logDensitiesRules, compute: callback });
    const { compute, ...logDensitiesOptions } = options;
    this.model = model;
    this.compute = compute ?? ((rows) => logDensities(model.flow, rows, logDensitiesOptions));
    this.rowText = options.rowText ?? ((row) => `row ${row}`);
    this.contextCheck = new ContextCheck(model);
    this.threshold = compute ? Number.NEGATIVE_INFINITY : lowDensityThreshold(model);
  }

  /**
   * The log-density of each row, in nats and data units: [N]. Columns must be in the order of the model. Messages call rows by their
   * `rowNumbers`.
   *
   * @throws NUMERIC when a log-density is NaN; SHAPE or DATA for rows that the model does not accept.
   */
  async score(rows: InMemoryDataset): Promise<Float64Array> {
    if (rows.rows === 0) return new Float64Array(0);
    this.contextCheck.add(rows);
    const scores = await this.compute(rows);
    for (const [i, logDensity] of scores.entries()) {
      this.logDensity.add(logDensity, rows.weights[i]);
      if (logDensity === Number.NEGATIVE_INFINITY) this.impossibleRows++;
      if (logDensity >= this.threshold) continue;
      if (this.unlikelyRows++ === 0) this.firstUnlikely = { row: rows.rowNumbers[i]!, logDensity };
    }
    return scores;
  }

  /** Counts rows of probability 0, whose log-density is -Infinity. */
  addImpossible(rows: InMemoryDataset): void {
    this.impossibleRows += rows.rows;
    for (let i = 0; i < rows.rows; i++) this.logDensity.add(Number.NEGATIVE_INFINITY, rows.weights[i]);
  }

  /** A sentence for each kind of row that is unlike the training rows: an unusual context, or a very low density. */
  warnings(): string[] {
    const warnings = this.contextCheck.warnings(this.rowText);
    if (this.unlikelyRows === 0) return warnings;
    const { row, logDensity } = this.firstUnlikely;
    const text = this.rowText(row);
    const what =
      this.unlikelyRows === 1
        ? `${text.replace("row", "Row")} has a very low density (${nats(logDensity)} nats): its values are`
        : `${count(this.unlikelyRows)} of ${counted(this.logDensity.count, "row")} have a very low density (the first is ${text}, ${nats(logDensity)} nats): their values are`;
    return [...warnings, `${what} far from all training rows.`];
  }
}

/**
 * The log-density in nats below which a row is far from everything that a model was trained on: 100 nats below the mean of its
 * held-out rows, which a Gaussian reaches at 14 standard deviations, and 2 nats more for each column, because log-densities
 * vary more with many columns. -Infinity if the model does not say how it was trained.
 */
export const lowDensityThreshold = ({
  training,
  columns,
}: Pick<LoadedModel, "training" | "columns">): number =>
  training ? training.validationLogDensity - 100 - 2 * columns.length : Number.NEGATIVE_INFINITY;
