import {
  anyValue,
  checkOptions,
  integerFrom,
  isPlainObject,
  listOfTexts,
  nearestName,
  PushforwardError,
  required,
  seedValue,
  trueOrFalse,
} from "../../check/index.ts";
import { selectRows } from "../../dataset/index.ts";
import { ActiveCalls, checkCount, checkFlow, type Flow, type RunOptions } from "../../flows/index.ts";
import type { TrainingRecord } from "../../model/index.ts";
import { Random } from "../../random/index.ts";
import { runRules } from "../../runtime/index.ts";
import {
  type AnomalyReason,
  type AnomalyReference,
  AnomalyScorer,
  explainRows,
  type RowsToExplain,
  selectAnomalies,
  selectionRules,
  withRareValues,
} from "../anomalies/index.ts";
import {
  checkLearned,
  checkNames,
  decodeTable,
  type EncodedTable,
  encodeTable,
  featureNames,
  nearestCells,
  possibleFeatures,
  type TableColumn,
  type TableInput,
  type TableRow,
  type TableValue,
} from "../columns/index.ts";
import {
  ConditionalRows,
  hasExactConditionals,
  notMissing,
  type PartialRows,
  withExactConditionals,
} from "../densities/index.ts";
import type { ExportTableOptions } from "./exportTable.ts";
import type { LoadedModel } from "./loadedModel.ts";
import { withoutMissing, withStatus } from "./rowStatus.ts";
import {
  checkConditional,
  type DrawOptions,
  type TableAnomalies,
  type TableAnomaliesOptions,
  type TableImputeOptions,
  type TableSampleOptions,
  type TableScoreOptions,
} from "./tableModelOptions.ts";

/**
 * A model of the rows of a table with columns of any kind: a flow over features, and the columns whose values the features encode.
 *
 * Its log-density is the logarithm of a product: the density of the continuous values, in the units of the columns, times the
 * probability of all other values and of the missing ones. `Row` is the type of the rows that it returns.
 */
export class TableModel<Row = TableRow> implements AsyncDisposable {
  readonly columns: readonly TableColumn[];
  readonly flow: Flow;
  /** The reference with which `anomalies` compares rows. `fitTable` and the command line compute it. */
  readonly reference: AnomalyReference | undefined;
  /** How the model was trained, from which `report` and `score` recognize the rows of the training. */
  readonly training: TrainingRecord | undefined;
  /** Created at the first call that needs it, since not every model has conditional distributions. */
  private conditional: ConditionalRows | undefined;
  private scorer: AnomalyScorer | undefined;
  private readonly calls = new ActiveCalls();

  /** Throws `ARGUMENT` if the options are not valid, and `SHAPE` if the features of the columns are not those of the flow. */
  constructor(options: {
    columns: readonly TableColumn[];
    flow: Flow;
    anomalies?: AnomalyReference | undefined;
    training?: TrainingRecord | undefined;
  }) {
    checkOptions("new TableModel", options, {
      columns: required({ expected: "a list of columns", accepts: Array.isArray }),
      flow: required(anyValue),
      anomalies: anyValue,
      training: anyValue,
    });
    const { columns, flow, anomalies, training } = options;
    checkFlow("new TableModel", flow);
    const features = columns.flatMap(featureNames).length;
    if (features !== flow.features) {
      throw new PushforwardError("SHAPE", "the columns of a table model do not match its flow", {
        expected: `${flow.features} features`,
        received: `${features}`,
      });
    }
    this.columns = columns;
    this.flow = flow;
    this.reference = anomalies;
    this.training = training;
  }

  /** The model of a file that was written for a table. Throws `ARGUMENT` for other models. */
  static from({
    table,
    flow,
    anomalies,
    training,
  }: Pick<LoadedModel, "table" | "flow" | "anomalies" | "training">): TableModel {
    if (table) return new TableModel({ columns: table, flow, anomalies, training });
    throw new PushforwardError("ARGUMENT", "the model is not a model of a table", {
      hint: "Use its flow, which takes rows of numbers.",
    });
  }

  /** The model in the form that `encodeModel` and `saveModel` take, with the record of its training. */
  get contents(): Pick<LoadedModel, "flow" | "table" | "columns" | "anomalies" | "training"> {
    const { flow, columns, reference, training } = this;
    return {
      flow,
      table: columns,
      columns: columns.flatMap(featureNames),
      ...(reference && { anomalies: reference }),
      ...(training && { training }),
    };
  }

  /**
   * log p of each row in nats, NaN if a value is missing in a column without gaps. Labels that training did not see have a small
   * probability, or 0 in a model of `fitTable({ recipe })`; a value outside the bounds or the lattice of its column, or other than its
   * constant, has probability 0.
   *
   * @throws DATA for rows without a column of the model, values of another type, infinite numbers, and names in `of` and `given` that the
   *   model does not have; SHAPE for columns of different lengths; ARGUMENT for options that are not valid, such as `given`
   *   without `of`, and for `of` with a model without exact conditional distributions (`hasConditionals`).
   */
  async score<Given extends object>(
    rows: TableInput<Given>,
    options: TableScoreOptions<Row> = {},
  ): Promise<Float64Array> {
    checkOptions("score", options, { ...runRules, of: listOfTexts, given: listOfTexts });
    const { of, given = [], ...run } = options;
    checkConditional(of, given);
    const { values, status } = encodeTable(this.columns, rows, of ? [...of, ...given] : this.names());
    const scores = of
      ? await this.conditionalScore(values, of, given, run)
      : await this.flow.logProb(withoutMissing(values, status), undefined, run);
    return withStatus(scores, status, Number.NEGATIVE_INFINITY);
  }

  /**
   * n rows of the model. With `given` they are drawn from the exact conditional distribution of the other columns.
   *
   * @throws ARGUMENT if n is not an integer from 0, if an option is not valid, and for a model without exact conditional distributions
   *   (`hasConditionals`) with `given`, or with `gaps: false` if it has columns with missing values; DATA for given values and columns
   *   that the model did not learn.
   */
  async sample(n: number, options: TableSampleOptions<Row> = {}): Promise<Row[]> {
    return decodeTable(this.columns, await this.sampleFeatures(n, options)) as Row[];
  }

  /** The features [n, D] of the rows that `sample` draws. Throws `DATA` for given values that the model did not learn. */
  sampleFeatures(n: number, options: TableSampleOptions<Row> = {}): Promise<Float64Array> {
    return this.calls.run(async () => {
      checkOptions("sample", options, {
        ...runRules,
        seed: seedValue,
        start: integerFrom(0),
        given: { expected: "an object with values by column", accepts: isPlainObject },
        gaps: trueOrFalse,
      });
      const { seed = 0, start = 0, gaps = true, given: knownValues = {}, ...run } = options;
      const given: Readonly<Record<string, TableValue>> = knownValues;
      const names = Object.keys(given).filter((name) => given[name] !== undefined);
      const draws = { seed, start, gaps, ...run };
      if (names.length === 0) {
        // Throws for a model without conditional distributions before any row is drawn.
        if (!gaps && this.hasGaps) this.conditionalRows();
        const values = await this.flow.sample(n, { seed, start, ...run });
        return this.withoutGaps({ values, known: new Uint8Array(values.length) }, draws);
      }
      checkCount("the number of samples", n);
      const D = this.flow.features;
      const encoded = encodeTable(this.columns, [given], names);
      checkLearned(this.columns, encoded);
      const values = Float64Array.from({ length: n * D }, (_, i) => encoded.values[i % D]);
      const features = this.featureIndices(names);
      const known = Uint8Array.from(values, (_, i) => (features.includes(i % D) ? 1 : 0));
      return this.drawUnknown({ values, known }, draws);
    });
  }

  /**
   * The rows with a value in place of each missing one, drawn from the distribution of the missing values given the present ones and
   * given that they are present (missing at random). Present values stay as they are. Columns that a row does not have are drawn too.
   * Values of probability 0, such as one outside the bounds of a column, have no influence on the others.
   *
   * @throws DATA for values whose type differs from that of the column, for infinite numbers, and for a column with a name like that of a
   *   column which the rows do not have; SHAPE for columns of different lengths; ARGUMENT for options that are not valid, and for a model
   *   without exact conditional distributions (`hasConditionals`).
   */
  async impute<Given extends object>(
    rows: TableInput<Given>,
    options: TableImputeOptions = {},
  ): Promise<Row[]> {
    checkOptions("impute", options, { ...runRules, seed: seedValue });
    const { seed = 0, ...run } = options;
    const names = this.presentColumns(rows);
    const encoded = encodeTable(this.columns, rows, names);
    const completed = await this.imputeFeatures(encoded.values, { seed, ...run });
    const drawn = decodeTable(this.columns, completed);
    return drawn.map((row, n) => ({ ...row, ...encoded.present(n) })) as Row[];
  }

  /**
   * The most unusual of the rows, with p-values and with the columns that make them unusual (see `AnomalyScorer` and `explainRows`).
   *
   * The p-values are split-conformal: p = (1 + number of calibration rows that are at least as unusual) / (calibration rows + 1). The
   * calibration rows are those that `fitTable` held out as test rows. If new rows are exchangeable with the rows of the training table,
   * the p-values are valid, whatever the model has learned: p <= a with a probability of at most a. They are not valid for rows that the
   * model was trained on. A model without exact conditional distributions (`hasConditionals`) gives no reasons.
   *
   * @throws ARGUMENT if the model has no calibration rows, because it was fitted without test rows; DATA for rows without a column of the
   *   model, or with values of another type.
   */
  anomalies<Given extends object>(
    rows: TableInput<Given>,
    options: TableAnomaliesOptions = {},
  ): Promise<TableAnomalies> {
    return this.calls.run(async () => {
      checkOptions("anomalies", options, { ...runRules, ...selectionRules });
      const { count, falseDiscoveryRate, ...run } = options;
      const { values, status, present } = this.positionsOf(rows);
      const scores = await this.anomalyScores(values, status, run);
      const { selected, ...selection } = selectAnomalies(scores, this.anomalyReference().calibration, {
        ...(count !== undefined && { count }),
        ...(falseDiscoveryRate !== undefined && { falseDiscoveryRate }),
      });
      const positions = selectRows(values, selected, this.flow.features);
      const reasons = await this.anomalyReasons({ positions, present: (n) => present(selected[n]) }, run);
      const anomalies = selected.map((row, n) => ({
        row,
        score: scores[row],
        pValue: selection.pValues[row],
        reasons: reasons[n],
      }));
      return { ...selection, anomalies };
    });
  }

  /**
   * The rows as `anomalyScores` takes them.
   *
   * @internal
   */
  positionsOf(rows: TableInput): EncodedTable {
    return encodeTable(this.columns, rows, this.names(), { positions: true });
  }

  /**
   * The anomaly scores [N] of rows of positions [N, D] (`positionsInColumn`) with the status [N].
   *
   * @internal
   */
  async anomalyScores(
    positions: Float64Array,
    status: Uint8Array,
    run: RunOptions = {},
  ): Promise<Float64Array> {
    const scores = await this.anomalyScorer().score(withoutMissing(positions, status), run);
    return withStatus(scores, status, Number.POSITIVE_INFINITY);
  }

  /**
   * The reasons why rows of positions are unusual. `present(n)` returns the values of row n. A value beyond the cells of a
   * lattice has the gain of the nearest cell, plus its distance if the model has a reference with the scales of columns. A model without
   * exact conditional distributions has no reasons.
   *
   * @internal
   */
  async anomalyReasons(
    { positions, present }: { positions: Float64Array; present: RowsToExplain["present"] },
    run: RunOptions = {},
  ): Promise<AnomalyReason[][]> {
    const { columns } = this;
    if (!this.hasConditionals) return Array.from({ length: positions.length / this.flow.features }, () => []);
    const features = nearestCells(columns, positions);
    const scorer = this.reference && this.anomalyScorer();
    const beyondCells = scorer?.statistics.beyondCells(positions) ?? new Float64Array(positions.length);
    const rows = { features, beyondCells, present };
    const reasons = await explainRows(columns, this.conditionalRows(), rows, run);
    return scorer ? withRareValues(columns, scorer, positions, reasons, run) : reasons;
  }

  private anomalyScorer(): AnomalyScorer {
    this.scorer ??= new AnomalyScorer(this.columns, this.flow, this.anomalyReference());
    return this.scorer;
  }

  /**
   * The reference for anomalies. Throws `ARGUMENT` if the model has none.
   *
   * @internal
   */
  anomalyReference(): AnomalyReference {
    if (this.reference) return this.reference;
    throw new PushforwardError("ARGUMENT", "the model has no reference rows for anomalies", {
      hint: "Its training was interrupted, or pushforward fit wrote it with --given: fit the table again without it.",
    });
  }

  /**
   * Features [N, D] with a draw in place of each NaN, which is not a missing value. Row n depends on the seed and on `start` + n.
   *
   * @internal
   */
  async imputeFeatures(
    values: Float64Array,
    { seed = 0, start = 0, ...run }: DrawOptions = {},
  ): Promise<Float64Array> {
    const rows = notMissing(possibleFeatures(this.columns, values));
    return this.conditionalRows().complete(
      rows,
      { random: new Random(seed), start, drawsOnlyPresent: true },
      run,
    );
  }

  /**
   * Features [N, D] with draws in place of the unknown features, from their distribution given the known ones. A NaN of a known
   * feature means that its value is missing. If `gaps` is false, drawn missing values are replaced as by `imputeFeatures`. Row n depends on
   * the seed and on `start` + n.
   *
   * @internal
   */
  drawUnknown(rows: PartialRows, options: DrawOptions & { gaps?: boolean } = {}): Promise<Float64Array> {
    return this.calls.run(async () => {
      const { seed = 0, start = 0, gaps, ...run } = options;
      const draws = { random: new Random(seed), start, drawsOnlyPresent: false };
      const values = await this.conditionalRows().complete(rows, draws, run);
      return this.withoutGaps({ values, known: rows.known }, options);
    });
  }

  /** Drawn features [N, D] with values in place of missing ones, unless `gaps` is true. Features that were known stay as they are. */
  private async withoutGaps(
    { values, known }: PartialRows,
    { seed = 0, start = 0, gaps = true, ...run }: DrawOptions & { gaps?: boolean },
  ): Promise<Float64Array> {
    if (gaps || !this.hasGaps) return values;
    const rows = { values, known: notMissing(values).known.map((flag, i) => flag | known[i]) };
    // The random numbers that made values missing would not be independent of those values.
    const random = new Random(seed).split("values in place of missing ones");
    return this.conditionalRows().complete(rows, { random, start, drawsOnlyPresent: true }, run);
  }

  /**
   * log p(of | given) of rows of features [N, D], as `score` returns it. Features of other columns may be NaN.
   *
   * @internal
   */
  async conditionalScore(
    values: Float64Array,
    of: readonly string[],
    given: readonly string[],
    run: RunOptions = {},
  ): Promise<Float64Array> {
    const features = { of: this.featureIndices(of), given: this.featureIndices(given) };
    return this.conditionalRows().logProb(values, features, run);
  }

  /** Whether values of some column can be missing. */
  private get hasGaps(): boolean {
    return this.columns.some((column) => column.gaps);
  }

  /** Whether `given`, `of` and `impute` can be used: a member has exact conditional distributions. */
  get hasConditionals(): boolean {
    return hasExactConditionals(this.flow);
  }

  /** The sum of the weights of the members that `given`, `of` and `impute` use: those with exact conditional distributions. */
  get conditionalShare(): number {
    return withExactConditionals(this.flow).share;
  }

  /**
   * Exports the density, or the sampler, as an ONNX file, which any ONNX runtime computes without pushforward. It has one input, or
   * output, for each column: a tensor [N] of text for columns of text, and of float64 for all others. Its name is that of the column, unless
   * this is empty or taken. Booleans are 0 and 1, dates milliseconds since 1970-01-01 UTC; NaN and "" are missing values. Throws `ARGUMENT`
   * for options that are not valid, and if the precision is float32 and a part of the flow needs float64.
   */
  async exportOnnx(options?: ExportTableOptions): Promise<Uint8Array<ArrayBuffer>> {
    const { exportTable } = await import("./exportTable.ts");
    return exportTable(this, options).bytes;
  }

  /**
   * Waits for earlier calls, and then frees what the methods keep for their next call. The next call creates it again. `await using` calls
   * this too.
   */
  async release(): Promise<void> {
    await this.calls.ended();
    await this.flow.release();
    await this.conditional?.release();
    await this.scorer?.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  private conditionalRows(): ConditionalRows {
    this.conditional ??= new ConditionalRows(withExactConditionals(this.flow).distribution);
    return this.conditional;
  }

  /**
   * The columns of the model that the rows have. Throws `DATA` for a name that is probably a misspelled one: all values of the right
   * column would be drawn.
   */
  private presentColumns(rows: TableInput): string[] {
    const given = columnsOf(rows);
    const present = this.names().filter((name) => given.has(name));
    const missing = this.names().filter((name) => !given.has(name));
    const misspelled = [...given].find(
      (name) => !present.includes(name) && (present.length === 0 || nearestName(name, missing)),
    );
    if (misspelled !== undefined) checkNames(this.columns, [misspelled]);
    return present;
  }

  private names(): string[] {
    return this.columns.map(({ name }) => name);
  }

  /** The indices of the features of these columns, in the order of the columns of the model. */
  private featureIndices(names: readonly string[]): number[] {
    const owners = this.columns.flatMap((column) => featureNames(column).map(() => column.name));
    return owners.flatMap((name, feature) => (names.includes(name) ? [feature] : []));
  }
}

function columnsOf(rows: TableInput): ReadonlySet<string> {
  const names = new Set<string>();
  for (const part of Array.isArray(rows) ? rows : [rows])
    for (const name of Object.keys(part)) names.add(name);
  return names;
}
