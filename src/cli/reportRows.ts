import { counted, PushforwardError } from "../check/index.ts";
import { concatRows, fingerprint, InMemoryDataset, range, type SplitWithTest } from "../dataset/index.ts";
import { decodeTable, ROW_STATUS, realColumn } from "../tables/columns/index.ts";
import { MIN_REPORT_ROWS, type ReportRows } from "../tables/evaluate/index.ts";
import { noScoredRow, rowsForModel, scanFeatures, type Table } from "../tables/io/index.ts";
import { type LoadedModel, TableModel } from "../tables/model/index.ts";
import { BOUND_NOTE } from "./boundNote.ts";
import { refuseImages } from "./imageModels.ts";
import { program } from "./program.ts";
import { splitRows } from "./splitRows.ts";
import { unlearnedError, unlearnedText } from "./unlearnedText.ts";

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

/**
 * The rows of a table that a report compares a model with, and sentences that say which rows these are. The held-out rows of a table that is
 * not that of the training include those that have no log-density or are impossible, which the report counts.
 */
export async function reportRows(
  model: TableModel,
  record: LoadedModel["training"],
  table: Table,
  { seed }: { readonly seed: number },
): Promise<ReportRows & { about: string[] }> {
  const { all, isValid, valid } = await readFeatures(model, table);
  const notes = model.flow.isBound ? [BOUND_NOTE] : [];
  const decoded = ({ values }: Pick<InMemoryDataset, "values">) => decodeTable(model.columns, values);
  if (record?.split && record.fingerprint === fingerprint(null, [valid.values])) {
    const { training, validation, test } = splitRows(valid, {
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
  if (valid.rows < 2 * MIN_REPORT_ROWS) {
    throw new PushforwardError("DATA", "there are too few rows for a report", {
      expected: `${2 * MIN_REPORT_ROWS} rows or more with a finite log-density, because one half serves as reference rows`,
      received: `${valid.rows}`,
      hint: "Give the table of the training, or a table with more rows.",
    });
  }
  const { training: reference, validation: heldOut } = all.split(0.5, seed);
  const originals = await rowsForModel(table, model.columns);
  const originalsOf = (rowNumbers: Int32Array) => Array.from(rowNumbers, (row) => originals[row - 1]!);
  return {
    heldOut: originalsOf(heldOut.rowNumbers),
    reference: originalsOf(reference.rowNumbers.filter(isValid)),
    about: [
      "The rows are not recognized as the table of the training, so all of them count as unseen rows, which misleads if the model was trained on some of them. One half is compared with generated rows, and the other half serves as reference rows, in place of the training rows.",
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

/** The rows of a table as features. Valid rows have a finite log-density. */
interface ReadFeatures {
  readonly all: InMemoryDataset;
  readonly valid: InMemoryDataset;
  /** Whether the row with this number, counted from 1, is valid. */
  isValid(row: number): boolean;
}

async function readFeatures({ columns, flow }: TableModel, table: Table): Promise<ReadFeatures> {
  const scan = await scanFeatures(table, columns);
  const blocks: Float64Array[] = [];
  const status = new Uint8Array(table.rows);
  for await (const { start, rows, status: ofBlock } of scan.blocks()) {
    // The file has grown since it was opened: the scan throws an error at its end.
    if (start - 1 + rows.rows > table.rows) continue;
    blocks.push(rows.values);
    status.set(ofBlock, start - 1);
  }
  const isValid = (row: number) => status[row - 1] === ROW_STATUS.valid;
  const all = new InMemoryDataset({
    features: flow.features,
    values: concatRows(blocks),
    rowNumbers: range(status.length, 1),
  });
  const valid = all.select(range(status.length).filter((n) => isValid(n + 1)));
  if (valid.rows > 0) return { all, valid, isValid };
  const impossible = scan.unlearned.find(({ kind }) => kind === "impossible");
  if (!impossible) throw await noScoredRow(table, scan);
  const consequence = `No row of ${table.source} can be compared with the model.`;
  throw unlearnedError(
    unlearnedText(impossible, table, columns, consequence),
    "Check that the columns have the units of the training table, or give a table with other rows.",
  );
}
