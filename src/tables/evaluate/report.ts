import {
  anyValue,
  callback,
  checkOptions,
  integerFrom,
  type OptionRules,
  PushforwardError,
  required,
  seedValue,
  text,
} from "../../check/index.ts";
import { InMemoryDataset } from "../../dataset/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import { type CalibrationResult, estimate, type MeanEstimate } from "../../numerics/index.ts";
import { Random } from "../../random/index.ts";
import { runRules } from "../../runtime/index.ts";
import {
  checkNames,
  describeColumn,
  encodeTable,
  ROW_STATUS,
  rowObjects,
  type TableInput,
  type TableRow,
} from "../columns/index.ts";
import type { TableModel } from "../model/index.ts";
import { calibration, conditionalCalibration } from "./calibration.ts";
import { atomsOfFlow, type ComparedDensity, compareDensities } from "./compareDensities.ts";
import { comparedRows } from "./comparedRows.ts";
import { type Controlled, controlTables, withControls } from "./controls.ts";
import { type Finding, findings } from "./findings.ts";
import { tableLogDensities } from "./logDensities.ts";
import { type PrecisionCoverageResult, precisionCoverage } from "./precisionCoverage.ts";
import { type PrivacyResult, privacyFrom } from "./privacy.ts";
import { type RareRow, rareRows } from "./rareRows.ts";
import { tableBaselines } from "./tableBaselines.ts";
import { type TrendResult, trendFrom } from "./trend.ts";
import { type TwoSampleResult, twoSample } from "./twoSample.ts";
import { type UsefulnessResult, usefulnessFrom } from "./usefulness.ts";

/** The rows that a report compares a model with. */
export interface ReportRows {
  /** Held-out rows. */
  readonly heldOut: TableInput;
  /** The rows that the model was trained on. Without them, `privacy` is not computed, and the other statistics use `reference`. */
  readonly training?: TableInput;
  /** Real rows to use if the training rows are not known: in the controls, in `usefulness`, and to fit simpler densities. */
  readonly reference?: TableInput;
  /** Rows from another program, which are tested in place of draws of the model. */
  readonly generated?: TableInput;
}

/** Options of `report`. */
export interface ReportOptions extends RunOptions {
  /**
   * The statistics use at most this many rows of a table, chosen at random; calibration, dependence and usefulness use up to 1,000 training rows
   * and generated rows even if this is smaller. Log-densities are of all held-out rows, and `privacy` compares with all training rows. Default
   * 2000, and at least 10.
   */
  readonly maxRows?: number | undefined;
  /** The column that `usefulness` predicts. Default: see `usefulness`. */
  readonly target?: string | undefined;
  /** Seed of all random numbers. Default 0. */
  readonly seed?: number | undefined;
  /** Called before each part of the computation, with its name, its index from 0, and the number of parts. Default none. */
  readonly onPart?: ((name: string, part: number, parts: number) => void) | undefined;
}

const rowsRules: OptionRules<ReportRows> = {
  heldOut: required(anyValue),
  training: anyValue,
  reference: anyValue,
  generated: anyValue,
};

/** A report of fewer rows could not show any difference. The cross-validation of the two-sample test needs as many. */
export const MIN_REPORT_ROWS = 10;

const reportRules: OptionRules<ReportOptions> = {
  ...runRules,
  maxRows: integerFrom(MIN_REPORT_ROWS),
  target: text,
  seed: seedValue,
  onPart: callback,
};

/** All numbers of a report on the model of a table. */
export interface ReportNumbers {
  /** What the numbers say, in words: first what failed, then what is uncertain, then what passed. */
  readonly findings: readonly Finding[];
  readonly columns: readonly { readonly name: string; readonly kind: string; readonly details: string }[];
  readonly rows: {
    readonly heldOut: number;
    /** The rows that the model was trained on; undefined if they are not known. */
    readonly training: number | undefined;
    /** Held-out rows with a value that the model considers impossible; the other statistics leave them out. */
    readonly impossible: number;
    /**
     * Held-out rows without a log-density, because a value is missing in a column that had no missing values in training; the other statistics leave
     * them out.
     */
    readonly incomplete: number;
    /** The number of real rows that generated rows are compared with. */
    readonly compared: number;
    readonly generated: number;
  };
  /** The mean log-density of the held-out rows that are neither impossible nor incomplete, in nats and data units. */
  readonly logDensity: MeanEstimate;
  readonly baselines: readonly ComparedDensity[];
  /** Calibration of the distribution of each column. */
  readonly calibration: Controlled<CalibrationResult>;
  /** Calibration given all other columns; undefined if the model has no exact conditional distributions. */
  readonly conditionalCalibration: CalibrationResult | undefined;
  readonly twoSample: Controlled<TwoSampleResult>;
  readonly trend: Controlled<TrendResult>;
  readonly precisionCoverage: Controlled<PrecisionCoverageResult>;
  /** Undefined if no column can be predicted from the others. */
  readonly usefulness: Controlled<UsefulnessResult> | undefined;
  /** Undefined if the training rows are not known. */
  readonly privacy: Controlled<PrivacyResult> | undefined;
  readonly rareRows: readonly RareRow[];
}

/** The numbers of a report, and the rows that its figures show. */
export interface ReportResult {
  readonly numbers: ReportNumbers;
  readonly real: readonly TableRow[];
  readonly generated: readonly TableRow[];
}

const DEFAULT_MAX_ROWS = 2000;
/**
 * Calibration, dependence and usefulness use up to this many training and generated rows even if `maxRows` is smaller, because they become more
 * precise.
 */
const MIN_REFERENCE_ROWS = 1000;
/**
 * The two-sample test uses up to this many generated rows for each real row. With 65 real rows, the standard deviation of the AUROC was 0.08
 * for as many generated rows, 0.05 for six times as many, and not smaller for 15 times as many.
 */
const GENERATED_PER_REAL_ROW = 6;
/** Limits the rows of `conditionalCalibration`, whose draws for each row and column take most of the time of a report. */
const MAX_CONDITIONAL_ROWS = 100;
/** Among 19 draws there are 20 ranks, two for each of the 10 bins of a histogram. */
const CONDITIONAL_DRAWS = 19;
const PARTS = 8;

/**
 * Tests whether the rows that a model generates are like held-out rows, how they differ, and what they reveal about the
 * training rows. Every statistic is also computed for two control tables: copied training rows, and training rows with
 * independently shuffled columns.
 *
 * @throws DATA for fewer than 10 held-out or training rows, for tables without the columns of the model, and for a target that is unknown
 *   or cannot be predicted; ARGUMENT without training and reference rows.
 */
export async function report(
  model: TableModel,
  tables: ReportRows,
  options: ReportOptions = {},
): Promise<ReportResult> {
  checkOptions("report", options, reportRules);
  checkOptions("report", tables, rowsRules);
  const rows = copiedRows(tables);
  const { maxRows = DEFAULT_MAX_ROWS, target, seed = 0, onPart, ...run } = options;
  const { columns } = model;
  if (target !== undefined) checkNames(columns, [target]);
  let part = 0;
  const begin = (name: string) => onPart?.(name, part++, PARTS);
  const learned = rows.training ?? rows.reference;
  if (!learned) {
    throw new PushforwardError("ARGUMENT", "a report needs training rows, or reference rows in their place");
  }
  const heldOut = await possibleRows(model, rows.heldOut, run);
  const training = chooseRows(learned, Math.max(maxRows, MIN_REFERENCE_ROWS), seed);
  checkRows("held-out", heldOut.rows, " with a finite log-density");
  checkRows("training", training);

  begin("log-density");
  const baselines = await compareWithSimpler(model, training, heldOut, run);

  const real = chooseRows(heldOut.rows, maxRows, seed);
  begin("generated rows");
  const generated = rows.generated
    ? chooseRows(rows.generated, Math.max(maxRows, MIN_REFERENCE_ROWS), seed)
    : await model.sample(Math.max(real.length, training.length), { seed, ...run });
  const all: Controlled<TableInput> = { generated, ...controlTables(training, { seed }) };
  const compared = withControls(all, (table) => rowObjects(table).slice(0, real.length));
  const compare = { columns };
  begin("calibration");
  const calibrated = withControls(all, (table) => calibration(real, table, { ...compare, seed }));
  const conditional =
    model.hasConditionals && !rows.generated
      ? await conditionalCalibration(model, real.slice(0, MAX_CONDITIONAL_ROWS), {
          draws: CONDITIONAL_DRAWS,
          seed,
          ...run,
        })
      : undefined;
  begin("two-sample test");
  const tested = withControls(all, (table) =>
    twoSample(real, rowObjects(table).slice(0, GENERATED_PER_REAL_ROW * real.length), { ...compare, seed }),
  );
  begin("dependence");
  // This part uses all chosen rows and not only `real.length` of them. With few rows, associations vary by chance, and a model with the right
  // dependence could seem to have lost a part of it.
  const read = (table: TableInput) => comparedRows({ table }, compare)[0];
  const [realRows, rowsOfAll] = [read(real), withControls(all, read)];
  const trends = withControls(rowsOfAll, trendFrom(realRows));
  const covered = withControls(compared, (table) => precisionCoverage(real, table, compare));
  begin("usefulness");
  const learn = () => usefulnessFrom(read(training), realRows, { target, seed });
  // Without a target, a table may have no column that can be predicted.
  const predict = target === undefined ? undefinedOnDataError(learn) : learn();
  const useful = predict && withControls(rowsOfAll, predict);
  begin("privacy");
  const { training: known } = rows;
  const privacyResults =
    known && withControls(withControls(compared, read), privacyFrom(read(known), realRows));
  begin("rare rows");
  const rare = await rareRows(model, heldOut, run);
  const numbers = {
    columns: columns.map((column) => ({ name: column.name, ...describeColumn(column) })),
    rows: {
      heldOut: heldOut.rows.length,
      training: known?.length,
      impossible: heldOut.impossible,
      incomplete: heldOut.incomplete,
      compared: real.length,
      generated: generated.length,
    },
    logDensity: estimate(heldOut.logDensities),
    baselines,
    calibration: calibrated,
    conditionalCalibration: conditional,
    twoSample: tested,
    trend: trends,
    precisionCoverage: covered,
    usefulness: useful,
    privacy: privacyResults,
    rareRows: rare,
  };
  return { numbers: { findings: findings(numbers), ...numbers }, real, generated: generated as TableRow[] };
}

/** Copies the rows, so that the caller may change its own while the report is computed. */
const copiedRows = ({ heldOut, training, reference, generated }: ReportRows) => {
  const copied = (table: TableInput) => rowObjects(table).map((row) => ({ ...row }));
  return {
    heldOut: copied(heldOut),
    training: training && copied(training),
    reference: reference && copied(reference),
    generated: generated && copied(generated),
  };
};

/** Rows with their log-densities. */
export interface ScoredRows {
  readonly rows: readonly TableRow[];
  readonly logDensities: Float64Array;
}

/** The rows with a finite log-density, and how many are impossible (-Infinity) or incomplete (NaN). */
async function possibleRows(
  model: TableModel,
  table: TableInput,
  run: RunOptions,
): Promise<ScoredRows & { impossible: number; incomplete: number }> {
  const all = rowObjects(table) as TableRow[];
  const scores = await tableLogDensities(model, all, { run });
  const incomplete = scores.filter(Number.isNaN).length;
  const possible = Array.from(scores.keys()).filter((n) => Number.isFinite(scores[n]));
  return {
    rows: possible.map((n) => all[n]),
    logDensities: Float64Array.from(possible, (n) => scores[n]),
    impossible: all.length - possible.length - incomplete,
    incomplete,
  };
}

function checkRows(name: string, { length }: readonly unknown[], condition = ""): void {
  if (length >= MIN_REPORT_ROWS) return;
  throw new PushforwardError("DATA", `there are too few ${name} rows for a report`, {
    expected: `${MIN_REPORT_ROWS} rows or more${condition}`,
    received: `${length}`,
    hint: "Give a table with more rows.",
  });
}

async function compareWithSimpler(
  model: TableModel,
  training: TableInput,
  heldOut: ScoredRows,
  run: RunOptions,
): Promise<ComparedDensity[]> {
  const names = model.columns.map(({ name }) => name);
  const features = (table: TableInput): InMemoryDataset => {
    const { values, status } = encodeTable(model.columns, table, names);
    const rows = new InMemoryDataset({ features: model.flow.features, values });
    return rows.select(Int32Array.from(status.keys()).filter((n) => status[n] === ROW_STATUS.valid));
  };
  const atoms = atomsOfFlow(model.flow);
  const baselines = await tableBaselines(model.columns, features(training), { atoms, ...run });
  return compareDensities(heldOut.logDensities, features(heldOut.rows), baselines);
}

/** At most `count` rows, chosen at random since a table may be sorted. */
const chooseRows = <T>(rows: readonly T[], count: number, seed: number): T[] =>
  Array.from(new Random(seed).split("report").permutation(rows.length).subarray(0, count), (n) => rows[n]);

/** The result of `compute`; undefined if it throws `DATA`. */
function undefinedOnDataError<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof PushforwardError && error.code === "DATA") return undefined;
    throw error;
  }
}
