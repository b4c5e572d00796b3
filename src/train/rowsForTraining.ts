import { PushforwardError } from "../check/index.ts";
import {
  checkColumns,
  type Dataset,
  dataset,
  type ExpectedColumns,
  type InMemoryDataset,
  isDataset,
  isStream,
  type RowStream,
  type RowsInput,
  StreamedDataset,
  tooFewRows,
} from "../dataset/index.ts";
import type { CommonSettings, RowOptions } from "./options.ts";
import type { TrainingRows } from "./problem.ts";

/** Rows to train on: rows in memory in any form, a dataset, or a stream. */
export type TrainingData<Row extends object = Readonly<Record<string, number>>> =
  | RowsInput<Row>
  | Dataset
  | RowStream;

/** The expected numbers of columns and their names. Rows given as objects or columns are arranged in the order of the names. */
interface ExpectedRows extends ExpectedColumns {
  /** Whether this is expected of validation rows, because the training rows have it. Default false: the flow expects it. */
  readonly isValidation?: boolean;
}

/**
 * Converts data to a dataset. Rows in memory are copied synchronously, so the caller may change them afterwards. Only a stream
 * returns a promise.
 *
 * @throws ARGUMENT when context or weights are given with a dataset or a stream; SHAPE when rows do not have the expected
 *   numbers of features; DATA when there are fewer than two rows; what `dataset` and `StreamedDataset.of` throw.
 */
export function asDataset(
  data: TrainingData,
  expected: ExpectedRows,
  { seed, ...options }: { seed?: number | undefined } & Pick<RowOptions, "context" | "weights">,
): Dataset | Promise<Dataset> {
  if (isDataset(data) || isStream(data)) {
    for (const name of ["context", "weights"] as const) {
      if (options[name] === undefined) continue;
      throw new PushforwardError(
        "ARGUMENT",
        `the option ${name} cannot be combined with ${isStream(data) ? "a stream of rows" : "a dataset"}`,
        { hint: `Make it a part of the rows: dataset(rows, { ${name} }).` },
      );
    }
  }
  const { features, columns, contextColumns } = expected;
  if (isStream(data)) {
    return StreamedDataset.of(data, { features, columns, contextColumns, seed }).then((rows) =>
      checkRows(rows, expected),
    );
  }
  if (isDataset(data)) return checkRows(data, expected);
  const shape = { ...(features !== undefined && { features }), columns, contextColumns };
  return checkRows(dataset(data, { ...shape, ...options }), expected);
}

/** Like `asDataset`, for rows in memory. */
const asInMemory = (data: RowsInput | InMemoryDataset, expected: ExpectedRows): InMemoryDataset =>
  asDataset(data, expected, {}) as InMemoryDataset;

function checkRows<D extends Dataset>(data: D, { isValidation, ...expected }: ExpectedRows): D {
  checkColumns(
    data,
    expected,
    isValidation
      ? {
          rows: "validation rows",
          owner: "the training rows",
          contextHint: "Give validation rows with their context: dataset(rows, { context }).",
        }
      : {
          rows: "rows",
          owner: "the flow",
          contextHint: "Give the context of each row: fit(flow, rows, { context }).",
        },
  );
  return data;
}

/** The columns of a dataset, which its validation rows must have too. */
const sameColumnsAs = ({ features, contextFeatures, columns, contextColumns }: Dataset): ExpectedRows => ({
  features,
  contextFeatures,
  columns,
  contextColumns,
  isValidation: true,
});

/** What `readTrainingRows` returns: all rows, the given validation rows if there are any, and the split. */
interface ReadTrainingRows {
  readonly allRows: Dataset;
  readonly validation: InMemoryDataset | undefined;
  readonly rows: TrainingRows;
}

/**
 * Converts the data and the given validation rows of a training function, and splits them.
 *
 * @throws ARGUMENT when both validation rows and a fraction are given; the errors of `asDataset` and `splitForTraining`.
 */
export async function readTrainingRows(
  data: TrainingData,
  expected: ExpectedRows,
  options: RowOptions & Pick<CommonSettings, "validationFraction">,
  settings: { readonly validationFraction: number; readonly seed: number },
): Promise<ReadTrainingRows> {
  const { context, weights } = options;
  if (options.validation !== undefined && options.validationFraction !== undefined) {
    throw new PushforwardError(
      "ARGUMENT",
      "the options validation and validationFraction cannot be combined",
      { hint: "No rows are held out if validation rows are given. Leave one of the options out." },
    );
  }
  const read = () => asDataset(data, expected, { seed: settings.seed, context, weights });
  // A stream is read after the validation rows are checked: if they are not valid, nothing waits for its first pass.
  const inMemory = isStream(data) ? undefined : (read() as Dataset);
  const validation =
    options.validation && asInMemory(options.validation, inMemory ? sameColumnsAs(inMemory) : expected);
  const allRows = inMemory ?? (await read());
  if (validation) checkRows(validation, sameColumnsAs(allRows));
  return { allRows, validation, rows: splitForTraining(allRows, validation, settings) };
}

/**
 * Returns the training rows and the validation rows. Without given validation rows, a fraction of the data is held out.
 *
 * @throws DATA when there are too few rows, no validation rows, or all training rows or all validation rows have weight 0.
 */
function splitForTraining(
  data: Dataset,
  validation: InMemoryDataset | undefined,
  { validationFraction, seed }: { validationFraction: number; seed: number },
): TrainingRows {
  if (data.rows < (validation ? 1 : 2)) throw tooFewRows(data.rows);
  const rows =
    validation || validationFraction === 0
      ? { training: data, validation }
      : data.split(validationFraction, seed);
  for (const [name, part] of Object.entries(rows) as [string, Dataset | undefined][]) {
    if (!part || part.meanWeight > 0) continue;
    if (part.rows === 0) {
      throw new PushforwardError("DATA", `there are no ${name} rows`, {
        hint: "Leave out the option validation: a part of the data is then held out.",
      });
    }
    throw new PushforwardError("DATA", `all ${name} rows have weight 0`, {
      expected: "a positive weight in some of them",
      hint: "Give more rows a positive weight, or give validation rows.",
    });
  }
  return rows;
}
