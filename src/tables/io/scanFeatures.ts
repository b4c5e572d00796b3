import { PushforwardError } from "../../check/index.ts";
import { columnOf, InMemoryDataset, range, readAhead, rowMajor } from "../../dataset/index.ts";
import {
  encodeColumn,
  featureNames,
  labelCodes,
  positionsInColumn,
  ROW_STATUS,
  type TableColumn,
  UnlearnedCounts,
  type UnlearnedValues,
} from "../columns/index.ts";
import { quotedIdentifier, quotedNames } from "../options/index.ts";
import { checkFinite } from "./finiteValues.ts";
import { LabelDictionary } from "./labelDictionary.ts";
import { learnedExpression } from "./learnedExpression.ts";
import { checkColumns } from "./modelTable.ts";
import { noRows } from "./noScoredRow.ts";
import type { Table } from "./table.ts";
import { rowsPerBlock } from "./tableRows.ts";
import { valueText } from "./valueText.ts";

/** Consecutive rows of a table as features. */
interface FeatureBlock {
  /** The number of the first row in the table, counted from 1. */
  readonly start: number;
  /** The features of all rows, with NaN for missing values. */
  readonly rows: InMemoryDataset;
  /** [rows], values of `ROW_STATUS`. */
  readonly status: Uint8Array;
}

/** Options of `scanFeatures`. */
export interface ScanFeaturesOptions {
  /** Columns of numbers that become the context of each row. Default none. */
  readonly given?: readonly string[] | undefined;
  /** Whether the features are positions; see `positionsInColumn`. Default false. */
  readonly positions?: boolean | undefined;
  /** The number of rows of a block. Default: as many as have 2^20 numbers, at most 32,768. */
  readonly blockRows?: number | undefined;
}

/** The rows of a table as features of a model. */
export interface FeatureScan {
  /** The values in the blocks so far that the model did not learn, in the order of the columns. */
  readonly unlearned: readonly UnlearnedValues[];
  /** Reads the table from its start. Memory does not grow with the table. */
  blocks(): AsyncGenerator<FeatureBlock>;
}

/**
 * Prepares to stream all rows of a table as features of a model with the columns `columns`, which the table may have in any order.
 *
 * @throws DATA if a column is missing; if a column has a type that the model did not learn (the error shows the first wrong value); if no
 *   column varies in the model; if the table has no rows; and, while rows are read, if a value is infinite. FILE if the file has changed since
 *   the table was opened.
 */
export async function scanFeatures(
  table: Table,
  columns: readonly TableColumn[],
  { given = [], positions = false, blockRows }: ScanFeaturesOptions = {},
): Promise<FeatureScan> {
  const needed = [...columns.map(({ name }) => name), ...given];
  checkColumns(table, needed);
  // The columns of a text file without rows have no types.
  if (table.rows === 0) throw noRows(table);
  // The dictionary is not closed: the scan uses its types until the database is closed, which removes them.
  const dictionary = new LabelDictionary(table.database);
  const expressions: string[] = [];
  for (const column of columns) expressions.push(await learnedExpression(table, column, dictionary));
  expressions.push(...given.map(quotedIdentifier));
  if (columns.flatMap(featureNames).length === 0) {
    throw new PushforwardError("DATA", `${table.source} has no column that varies in the model`, {
      received: quotedNames(columns.length > 0 ? needed : table.columns.map(({ name }) => name)),
      hint: "Give a table with other columns of the model.",
    });
  }
  let unlearned = new UnlearnedCounts();
  return {
    get unlearned() {
      return unlearned.found(columns);
    },
    blocks: () => {
      unlearned = new UnlearnedCounts();
      return readAhead(
        featureBlocks(table, { columns, given, expressions, unlearned, positions, blockRows }),
      );
    },
  };
}

interface Scan {
  readonly columns: readonly TableColumn[];
  readonly given: readonly string[];
  readonly expressions: readonly string[];
  readonly unlearned: UnlearnedCounts;
  readonly positions: boolean;
  readonly blockRows: number | undefined;
}

async function* featureBlocks(
  table: Table,
  { columns, given, expressions, unlearned, positions, blockRows }: Scan,
): AsyncGenerator<FeatureBlock> {
  const features = columns.flatMap(featureNames);
  const width = expressions.length;
  let start = 1;
  try {
    const rowsAtOnce = blockRows ?? rowsPerBlock(Math.max(width, features.length));
    for await (const block of table.database.stream(expressions, table.relation.sql, rowsAtOnce)) {
      const count = block.length / width;
      const status = new Uint8Array(count);
      const valuesOf = (d: number) => columnOf({ columns: expressions, rows: count, values: block }, d);
      const encoded: Float64Array[] = [];
      for (const [d, column] of columns.entries()) {
        const values = valuesOf(d);
        checkFinite(table, column, values, start);
        const learned =
          column.type === "text"
            ? values
            : labelCodes(column, { name: column.name, type: column.type, values });
        const ofColumn = positions ? positionsInColumn(column, learned) : encodeColumn(column, learned);
        const counted = { values, features: ofColumn, arePositions: positions, start };
        for (const found of unlearned.count(column, counted, status)) {
          if (found.kind === "incomplete") continue;
          found.value = await valueText(table, column, values[found.row - start]!, found.row);
        }
        encoded.push(...ofColumn);
      }
      const context = given.map((name, i) => {
        const values = valuesOf(columns.length + i);
        checkFinite(table, { name, type: "number" }, values, start);
        values.forEach((value, n) => {
          if (Number.isNaN(value)) status[n] = ROW_STATUS.incomplete;
        });
        return values;
      });
      yield {
        start,
        status,
        rows: new InMemoryDataset({
          features: features.length,
          columns: features,
          contextColumns: given,
          values: rowMajor(encoded, count),
          context: rowMajor(context, count),
          rowNumbers: range(count, start),
        }),
      };
      start += count;
    }
  } finally {
    await table.checkUnchanged();
  }
}
