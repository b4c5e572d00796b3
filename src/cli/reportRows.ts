import type { Table } from "../data/index.ts";
import { noScoredRow } from "../data/noScoredRow.ts";
import { scanFeatures } from "../data/scanFeatures.ts";
import { concatRows } from "../dataset/concatRows.ts";
import { InMemoryDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { logDensities, type ReportRows, RunningMean } from "../evaluate/index.ts";
import { counted } from "../evaluate/numberText.ts";
import { type LoadedModel, TableModel } from "../flows/index.ts";
import { decodeTable } from "../tables/decodeTable.ts";
import { realColumn } from "../tables/realColumn.ts";
import { ROW_STATUS } from "../tables/unlearned.ts";
import { BOUND_NOTE } from "./boundNote.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import { refuseImages } from "./imageModels.ts";
import { program } from "./program.ts";
import { splitRows } from "./splitRows.ts";

/** Options of `reportRows`. */
interface ReportRowsOptions extends EngineValues {
  readonly seed: number;
}

/** With fewer test rows, the report also uses the validation rows as held-out rows. */
const MIN_TEST_ROWS = 100;
/** The relative tolerance of the mean log-density that confirms the split: another number of threads rounds differently. */
const TOLERANCE = 1e-3;
/** The additional tolerance of lower bounds of log-densities, in nats: their mean over the validation rows is random. */
const NOISE_OF_BOUNDS = 0.2;

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
  { seed, ...engine }: ReportRowsOptions,
): Promise<ReportRows & { about: string[] }> {
  const rows = await readFeatures(model, table);
  const notes = model.flow.isBound ? [BOUND_NOTE] : [];
  const decoded = ({ values }: Pick<InMemoryDataset, "values">) => decodeTable(model.columns, values);
  const parts = record?.split && rows.rows > 2 && splitAgain(rows, record.seed, record.split);
  if (parts && parts.training.rows + parts.validation.rows === record.rows) {
    const { training, validation, test } = parts;
    const scores = await logDensities(model.flow, validation, engineOf(engine));
    const difference = RunningMean.of(scores).mean - record.validationLogDensity;
    const tolerance =
      TOLERANCE * (1 + Math.abs(record.validationLogDensity)) + (model.flow.isBound ? NOISE_OF_BOUNDS : 0);
    if (Math.abs(difference) < tolerance) {
      const usesValidation = !test || test.rows < MIN_TEST_ROWS;
      const heldOut = usesValidation ? [...(test ? [test] : []), validation] : [test];
      const which = !test
        ? "validation rows, which also decided when training ended"
        : usesValidation
          ? `${counted(test.rows, "test row")}, and ${counted(validation.rows, "validation row")}, which also decided when training ended`
          : "test rows, which the training did not use";
      return {
        heldOut: heldOut.flatMap(decoded),
        training: decoded(training.sample),
        about: [
          `The model was trained on this table, and its split is repeated from the seed. The held-out rows are its ${which}.`,
          ...notes,
        ],
      };
    }
  }
  const { training: reference, validation: heldOut } = rows.split(0.5, seed);
  return {
    heldOut: decoded(heldOut),
    reference: decoded(reference),
    about: [
      "The rows are not recognized as the table of the training, so all of them count as new, which misleads if the model learned some of them. One half is compared with generated rows, and the other half replaces the training rows.",
      ...notes,
    ],
  };
}

const splitAgain = (
  rows: InMemoryDataset,
  seed: number,
  { test, validation }: { readonly test: number; readonly validation: number },
) => splitRows(rows, { seed, testFraction: test, validationFraction: validation });

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
