import {
  type ColumnSummary,
  checkForFitting,
  columnList,
  columnSummary,
  farValues,
  type Matrix,
  openTable,
  readMatrix,
  type Table,
} from "../data/index.ts";
import { PushforwardError } from "../errors.ts";
import type { TrainingRows } from "../train/rows.ts";
import type { Settings } from "./fitSettings.ts";
import { count, counted } from "./format.ts";
import type { Messages } from "./messages.ts";
import { identifier, inSql } from "./model.ts";
import { apart } from "./sideBySide.ts";

/** Rows to fit a flow to. */
export interface TrainingData {
  readonly columns: readonly string[];
  readonly given: readonly string[];
  readonly rows: TrainingRows;
  /** How many rows were left out because a value was missing. */
  readonly missing: number;
}

/**
 * Reads the chosen columns of a table, and warns of what makes a density hard to learn.
 *
 * @throws FILE, DATA or ARGUMENT when the table cannot be used as it is.
 */
export async function readTrainingData(settings: Settings, messages: Messages): Promise<TrainingData> {
  const { source, matrix, columns, given } = await readChosen(settings);
  const { rows, missing } = matrix;
  const [x, c] = apart(matrix.values, columns.length, rows);
  const values = { ...matrix, columns, values: x };
  const context = { ...matrix, columns: given, values: c };
  checkForFitting(values, source);
  refuseConstant(context, source);
  if (missing > 0) {
    const are = missing === 1 ? "has a missing value and is" : "have a missing value and are";
    messages.warn(`${counted(missing, "row")} of ${count(rows + missing)} ${are} left out.`);
  }
  for (const warning of [...repetitions(columnSummary(values), rows, source), ...farAway(values)]) {
    messages.warn(warning);
  }
  return {
    columns,
    given,
    missing,
    rows: {
      rows,
      values: values.values,
      context: context.values,
      weights: new Float64Array(rows).fill(1),
      index: Int32Array.from({ length: rows }, (_, row) => row),
    },
  };
}

async function readChosen(settings: Settings) {
  const table = await openTable(settings.data);
  try {
    const { columns, given } = await chooseColumns(table, settings);
    const matrix = await readMatrix(table, [...columns, ...given]);
    return { source: table.source, matrix, columns, given };
  } finally {
    await table.close();
  }
}

async function chooseColumns(
  table: Table,
  { columns, given }: Settings,
): Promise<{ columns: string[]; given: string[] }> {
  const conditions = given.length > 0 ? await table.numericColumns(given) : [];
  const others = table.columns.map(({ name }) => name).filter((name) => !conditions.includes(name));
  const chosen = await table.numericColumns(columns ?? (conditions.length > 0 ? others : undefined));
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

function refuseConstant(context: Matrix, source: string): void {
  const constant = columnSummary(context).find(({ distinct }) => distinct === 1);
  if (!constant) return;
  throw new PushforwardError("DATA", `The column "${constant.name}" of ${source} is constant`, {
    expected: "at least two different values",
    received: `${constant.min} in all ${context.rows} rows`,
    mend: "Leave it out of --given.",
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
