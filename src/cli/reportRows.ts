import type { Table } from "../data/index.ts";
import { noScoredRow } from "../data/noScoredRow.ts";
import { scanFeatures } from "../data/scanFeatures.ts";
import { concatRows } from "../dataset/concatRows.ts";
import { fingerprint } from "../dataset/fingerprint.ts";
import { InMemoryDataset } from "../dataset/index.ts";
import type { SplitWithTest } from "../dataset/splitWithTest.ts";
import { PushforwardError } from "../errors.ts";
import type { ReportRows } from "../evaluate/index.ts";
import { counted } from "../evaluate/numberText.ts";
import { MIN_REPORT_ROWS } from "../evaluate/report.ts";
import { type LoadedModel, TableModel } from "../flows/index.ts";
import { decodeTable } from "../tables/decodeTable.ts";
import { realColumn } from "../tables/realColumn.ts";
import { ROW_STATUS } from "../tables/unlearned.ts";
import { BOUND_NOTE } from "./boundNote.ts";
import { refuseImages } from "./imageModels.ts";
import { program } from "./program.ts";
import { splitRows } from "./splitRows.ts";

/** With fewer test rows, the report also uses the validation rows as held-out rows. */
const MIN_TEST_ROWS = 100;

/** Returns the model of a table; columns without a kind are numbers. Throws `ARGUMENT` for conditional and image models. */
export function tableModelOf(loaded: LoadedModel, path: string): TableModel {
  refuseImages(loaded, path, "report");
  if (loaded.given.length > 0) {
    throw new PushforwardError(
      "ARGUMENT",
      `The model ${path} is conditional, and a report needs rows without a context`,
      {
        received: `columns given ${loaded.given.join(", ")}`,
        hint: `To compare log-densities: ${program()} evaluate ${path} DATA`,
      },
    );
  }
  if (loaded.table) return TableModel.from(loaded);
  return new TableModel({ columns: loaded.columns.map(realColumn), flow: loaded.flow });
}

/** The rows of a table that a report compares a model with, and sentences that say which rows these are. */
export async function reportRows(
  model: TableModel,
  record: LoadedModel["training"],
  table: Table,
  { seed }: { readonly seed: number },
): Promise<ReportRows & { about: string[] }> {
  const rows = await readFeatures(model, table);
  const notes = model.flow.isBound ? [BOUND_NOTE] : [];
  const decoded = ({ values }: Pick<InMemoryDataset, "values">) => decodeTable(model.columns, values);
  if (record?.split && record.fingerprint === fingerprint(null, [rows.values])) {
    const { training, validation, test } = splitRows(rows, {
      seed: record.seed,
      testFraction: record.split.test,
      validationFraction: record.split.validation,
    });
    const heldOut = heldOutRows({ validation, test }, record.learnedValidationRows);
    const which = !test
      ? "validation rows, which also decided when training ended"
      : heldOut.includes(validation)
        ? `${counted(test.rows, "test row")}, and ${counted(validation.rows, "validation row")}, which also decided when training ended`
        : "test rows, which the training did not use";
    const learned = [training.sample, ...(record.learnedValidationRows ? [validation] : [])];
    return {
      heldOut: heldOut.flatMap(decoded),
      training: learned.flatMap(decoded),
      about: [
        `The model was trained on this table, and its split is repeated from the seed. The held-out rows are its ${which}.`,
        ...notes,
      ],
    };
  }
  if (rows.rows < 2 * MIN_REPORT_ROWS) {
    throw new PushforwardError("DATA", "there are too few rows for a report", {
      expected: `${2 * MIN_REPORT_ROWS} rows or more, because one half serves as reference rows`,
      received: `${rows.rows}`,
      hint: "Give the table of the training, or a table with more rows.",
    });
  }
  const { training: reference, validation: heldOut } = rows.split(0.5, seed);
  return {
    heldOut: decoded(heldOut),
    reference: decoded(reference),
    about: [
      "The rows are not recognized as the table of the training, so all of them count as new, which misleads if the model learned some of them. One half is compared with generated rows, and the other half serves as reference rows, in place of the training rows.",
      ...notes,
    ],
  };
}

/** The rows that a report compares: the test rows and, if these are few, the validation rows, unless the model has learned them. */
export function heldOutRows(
  { validation, test }: Pick<SplitWithTest, "validation" | "test">,
  hasLearnedValidation = false,
): InMemoryDataset[] {
  if (!test) return [validation];
  return hasLearnedValidation || test.rows >= MIN_TEST_ROWS ? [test] : [test, validation];
}

/** The features of the rows of a table that have all values that the model needs. */
async function readFeatures({ columns, flow }: TableModel, table: Table): Promise<InMemoryDataset> {
  const scan = await scanFeatures(table, columns);
  const kept: Float64Array[] = [];
  for await (const { rows, status } of scan.blocks()) {
    const valid = Int32Array.from(status.keys()).filter((n) => status[n] === ROW_STATUS.valid);
    kept.push(rows.select(valid).values);
  }
  if (kept.every((values) => values.length === 0)) throw await noScoredRow(table, scan);
  return new InMemoryDataset({ features: flow.features, values: concatRows(kept) });
}
