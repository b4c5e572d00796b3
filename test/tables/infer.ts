import { parse } from "../../src/check/parse.ts";
import type { ColumnOptions } from "../../src/tables/columns/columnOptions.ts";
import { describeColumn } from "../../src/tables/columns/describeColumn.ts";
import { inferColumn } from "../../src/tables/columns/inferColumn.ts";
import { type RawColumn, type TableColumn, tableColumnSchema } from "../../src/tables/columns/tableColumn.ts";

/** The inferred column, which is valid in a model file. */
export function infer(raw: RawColumn, options?: ColumnOptions): TableColumn {
  const inferred = inferColumn(raw, options);
  if ("excluded" in inferred) throw new Error(`${raw.name}: ${inferred.excluded}`);
  return parse(tableColumnSchema, inferred.column, "a column");
}

/** The kind of a column, or why it is left out. */
export function kind(raw: RawColumn, options?: ColumnOptions): string {
  const inferred = inferColumn(raw, options);
  return "excluded" in inferred ? inferred.excluded : describeColumn(inferred.column).kind;
}
