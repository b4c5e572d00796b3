import {
  type ColumnSummary,
  checkForFitting,
  columnList,
  columnSummary,
  farValues,
  type Labels,
  labelsIn,
  type Matrix,
  openTable,
  readMatrix,
  type Table,
  withLabels,
} from "../data/index.ts";
import { PushforwardError } from "../errors.ts";
import { constantsOf, inMemory, StreamedRows, withoutColumns } from "../train/rowStream.ts";
import { counting, type TrainingRows } from "../train/rows.ts";
import type { Settings } from "./fitSettings.ts";
import { count, counted } from "./format.ts";
import type { Messages } from "./messages.ts";
import { identifier, inSql } from "./model.ts";
import { apart } from "./sideBySide.ts";
import { tableStream } from "./tableStream.ts";

/** Rows to fit a flow to. */
export interface TrainingData {
  readonly columns: readonly string[];
  /** Columns of numbers, and after them those of labels. */
  readonly given: readonly string[];
  readonly labels: Labels;
  /** All rows, or a stream of them if they are many. */
  readonly rows: TrainingRows | StreamedRows;
  /** The values of those of `columns` that are constant, by their place. */
  readonly constants: ReadonlyMap<number, number>;
  /** How many rows were left out because a value was missing. */
  readonly missing: number;
  /** Ends all reading of the rows. */
  close(): Promise<void>;
}

/**
 * Tables of more numbers (1.5 million rows of 11 columns) are streamed. These are 128 MB, and training in memory has several
 * copies of them.
 */
const MOST_IN_MEMORY = 2 ** 24;

/**
 * Reads the chosen columns of a table, and warns of what makes a density hard to learn. A table of more than
 * `mostInMemory` numbers is read once for a sample, and later as it is needed.
 *
 * @throws FILE, DATA or ARGUMENT when the table cannot be used as it is.
 */
export async function readTrainingData(
  settings: Settings,
  messages: Messages,
  mostInMemory = MOST_IN_MEMORY,
): Promise<TrainingData> {
  const opened = await openTable(settings.data);
  try {
    const labels = await labelsIn(opened, settings.given);
    const table = withLabels(opened, labels);
    const { columns, given } = await chooseColumns(table, settings, labels);
    const streamed = table.rows * (columns.length + given.length) > mostInMemory;
    const rows = streamed
      ? await StreamedRows.of(tableStream(table, columns, given), columns.length, settings.seed)
      : await readRows(table, columns, given);
    const data = { columns, given, labels, rows, missing: table.rows - rows.rows };
    const constants = check(data, table, messages);
    if (streamed) return { ...data, constants, close: () => opened.close() };
    await opened.close();
    return { ...data, constants, close: async () => {} };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function readRows(
  table: Table,
  columns: readonly string[],
  given: readonly string[],
): Promise<TrainingRows> {
  const matrix = await readMatrix(table, [...columns, ...given]);
  const { rows } = matrix;
  const [values, context] = apart(matrix.values, columns.length, rows);
  return { rows, values, context, weights: new Float64Array(rows).fill(1), index: counting(rows) };
}

/**
 * Refuses rows that cannot be learned, and warns of what is hard to learn; of a stream it sees the sample. Gives the columns
 * that are constant in all rows.
 */
function check(
  { columns, given, labels, rows, missing }: Omit<TrainingData, "constants" | "close">,
  { source, rows: total }: Table,
  messages: Messages,
): TrainingData["constants"] {
  checkForFitting({ rows: rows.rows, missing }, source);
  const constants = constantsOf(rows);
  for (const [column, value] of constants.context) {
    const name = given[column]!;
    throw allConstant(
      [name],
      [labels.get(name)?.[value] ?? value],
      source,
      rows.rows,
      "Leave it out of --given.",
    );
  }
  if (constants.values.size === columns.length) {
    throw allConstant(
      columns,
      [...constants.values.values()],
      source,
      rows.rows,
      "Give a column that varies.",
    );
  }
  const varying = columns.filter((_, i) => !constants.values.has(i));
  const { rows: seen, values } = withoutColumns(inMemory(rows), constants.values);
  const matrix = { columns: varying, rows: seen, values, missing };
  if (missing > 0) {
    const are = missing === 1 ? "has a missing value and is" : "have a missing value and are";
    messages.warn(`${counted(missing, "row")} of ${count(total)} ${are} left out.`);
  }
  for (const warning of [...repetitions(columnSummary(matrix), seen, source), ...farAway(matrix)]) {
    messages.warn(warning);
  }
  const fixed = [...constants.values].map(([i, value]) => `${columns[i]} = ${value}`);
  if (fixed.length > 0) {
    const [what, it, value, other] =
      fixed.length > 1
        ? ["Some columns are", "them", "these values", "others"]
        : ["A column is", "it", "this value", "another one"];
    messages.print(
      `Note: ${what} constant: ${fixed.join(", ")}. The model knows ${it} as such: samples have ${value}, ` +
        `rows with ${other} have probability 0, and log-densities are those of the other columns.`,
    );
  }
  return constants.values;
}

async function chooseColumns(
  table: Table,
  { columns, given }: Settings,
  labels: Labels,
): Promise<{ columns: string[]; given: string[] }> {
  const asked = given.length > 0 ? await table.numericColumns(given, { use: "given" }) : [];
  const conditions = [...asked.filter((name) => !labels.has(name)), ...labels.keys()];
  const others = table.columns.map(({ name }) => name).filter((name) => !conditions.includes(name));
  const chosen = await table.numericColumns(columns ?? (conditions.length > 0 ? others : undefined), {
    given: conditions,
  });
  if (chosen.length === 0) {
    throw new PushforwardError("ARGUMENT", `--given leaves no column of ${table.source} to learn`, {
      mend: "Name fewer columns in --given.",
    });
  }
  const twice = chosen.find((name) => conditions.includes(name));
  if (twice !== undefined) {
    const rest = chosen.filter((name) => name !== twice);
    throw new PushforwardError("ARGUMENT", `The column "${twice}" stands both in --columns and in --given`, {
      mend: `Take it out of one of them${rest.length > 0 ? `: --columns ${columnList(rest)}` : "."}`,
    });
  }
  return { columns: chosen, given: conditions };
}

function allConstant(
  names: readonly string[],
  values: readonly (number | string)[],
  source: string,
  rows: number,
  mend: string,
): PushforwardError {
  const what =
    names.length === 1 ? `The column "${names[0]}" of ${source} is` : `All columns of ${source} are`;
  return new PushforwardError("DATA", `${what} constant`, {
    expected: "at least two different values",
    received: `${values.join(", ")} in all ${count(rows)} rows`,
    mend,
  });
}

/** Names the columns whose density is not bounded: few distinct values, or one that many rows share. */
function repetitions(summaries: readonly ColumnSummary[], rows: number, source: string): string[] {
  const few = summaries.filter(({ distinct }) => distinct <= Math.min(rows / 20, 200));
  const peaked = summaries.filter(
    (s) => !few.includes(s) && s.modeShare >= 0.1 && Math.round(s.modeShare * rows) >= 5,
  );
  const found = [
    ...few.map(({ name, distinct }) => `${name} (${distinct} different values)`),
    ...peaked.map(
      ({ name, modeShare }) => `${name} (${Math.round(100 * modeShare)}% of the rows share one value)`,
    ),
  ];
  if (found.length === 0) return [];
  const { name, minimumGap } = few[0] ?? peaked[0]!;
  const step = minimumGap === 1 ? "" : `${Number(minimumGap.toPrecision(3))} * `;
  const query = `SELECT * REPLACE (${identifier(name)} + ${step}(random() - 0.5) AS ${identifier(name)}) FROM ${inSql({ source })}`;
  const several = found.length > 1;
  return [
    `Values repeat in ${several ? "some columns" : "a column"}: ${found.join(", ")}. A density has no bound there, so ` +
      "log-densities say how sharp the peaks are rather than how good the model is. " +
      `Leave ${several ? "them" : "it"} out with --columns, or spread the values in a query: "${query}"`,
  ];
}

function farAway(matrix: Matrix): string[] {
  return farValues(matrix).map(({ name, value, others }) => {
    const [values, rows] =
      others === 0
        ? [`a value far from all others, ${value}: it gets`, "this row"]
        : [`values far from all others, ${value} and ${count(others)} more: they get`, "these rows"];
    return `${name} has ${values} a very low density. If it is a mistake, leave ${rows} out.`;
  });
}
