import {
  type Dataset,
  dataset,
  InMemoryDataset,
  type RowStream,
  type RowsInput,
  StreamedDataset,
} from "../dataset/index.ts";
import { tooFew } from "../dataset/inMemoryDataset.ts";
import { isStream } from "../dataset/streamedDataset.ts";
import { PushforwardError } from "../errors.ts";
import type { TrainingRows } from "./objective.ts";
import type { RowOptions } from "./options.ts";

/** Rows to train on: in memory in any form, a dataset, or a stream. */
export type TrainingData = RowsInput | Dataset | RowStream;

/** What the model needs of each row, where that is known. */
export interface ExpectedRows {
  readonly features?: number;
  readonly contextFeatures?: number;
  /** Names by which rows that come as objects or columns are brought into order. */
  readonly columns?: readonly string[] | undefined;
  readonly contextColumns?: readonly string[] | undefined;
}

/** Whether data are a dataset already. */
export const isDataset = (data: unknown): data is Dataset =>
  data instanceof InMemoryDataset || data instanceof StreamedDataset;

/**
 * Data as a dataset. Rows in memory are copied at once, before anything is awaited.
 *
 * @throws ARGUMENT when context or weights are given beside data that have their own; SHAPE when rows do not have the expected
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
        `the option ${name} cannot be given beside ${isStream(data) ? "a stream of rows" : "a dataset"}`,
        { hint: `Give it with the rows: dataset(rows, { ${name} }).` },
      );
    }
  }
  const { features, columns, contextColumns } = expected;
  if (isStream(data)) {
    return StreamedDataset.of(data, { features, columns, contextColumns, seed }).then((rows) =>
      checked(rows, expected),
    );
  }
  if (isDataset(data)) return checked(data, expected);
  const shape = { ...(features !== undefined && { features }), columns, contextColumns };
  return checked(dataset(data, { ...shape, ...options }), expected);
}

/** Rows that are in memory, in the same way. */
export const asInMemory = (data: RowsInput | InMemoryDataset, expected: ExpectedRows): InMemoryDataset =>
  asDataset(data, expected, {}) as InMemoryDataset;

function checked<D extends Dataset>(data: D, expected: ExpectedRows): D {
  for (const [name, what] of [
    ["features", "features"],
    ["contextFeatures", "context features"],
  ] as const) {
    const wanted = expected[name];
    if (wanted === undefined || data[name] === wanted) continue;
    throw new PushforwardError("SHAPE", `the rows have another number of ${what} than the flow`, {
      expected: `${wanted}`,
      received: `${data[name]}`,
      ...(name === "contextFeatures" &&
        wanted > 0 && { hint: "Give the context of each row: fit(flow, rows, { context })." }),
    });
  }
  for (const name of ["columns", "contextColumns"] as const) {
    const [wanted, given] = [expected[name], data[name]];
    if (!wanted || !given || wanted.join() === given.join()) continue;
    throw new PushforwardError("DATA", `the ${name} of the rows are not those of the flow`, {
      expected: wanted.join(", "),
      received: given.join(", "),
    });
  }
  return data;
}

/** What rows must be that go with others. */
export const like = ({ features, contextFeatures, columns, contextColumns }: Dataset): ExpectedRows => ({
  features,
  contextFeatures,
  columns,
  contextColumns,
});

/**
 * The rows to train on and to validate with: those given, or a share of the data.
 *
 * @throws DATA when there are fewer than two rows to learn from, or all rows of a part have weight 0.
 */
export function trainingRows(
  data: Dataset,
  validation: InMemoryDataset | undefined,
  { validationFraction, seed }: { validationFraction: number; seed: number },
): TrainingRows {
  if (data.rows < (validation ? 1 : 2)) throw tooFew(data.rows);
  const rows =
    validation || validationFraction === 0
      ? { training: data, validation }
      : data.split(validationFraction, seed);
  for (const [name, part] of Object.entries(rows) as [string, Dataset | undefined][]) {
    if (!part || part.meanWeight > 0) continue;
    throw new PushforwardError("DATA", `all ${name} rows have weight 0`, {
      expected: "a positive weight in some of them",
      hint: "Give more rows a weight, or validation rows of your own.",
    });
  }
  return rows;
}
