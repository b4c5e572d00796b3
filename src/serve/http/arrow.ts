import {
  bool,
  columnFromArray,
  type DataType,
  float64,
  tableFromColumns,
  tableToIPC,
  utf8,
} from "@uwdata/flechette";
import type { TableRow, ValueType } from "../../tables/columns/index.ts";
import { readArrow } from "./readArrow.ts";
import type { TableFormat } from "./tableFormat.ts";

const MEDIA_TYPE = "application/vnd.apache.arrow.stream";

/** The streaming format of Arrow IPC. Answers have dates and times as text in ISO 8601, as in JSON. */
export const arrow: TableFormat = {
  mediaType: MEDIA_TYPE,
  contentType: MEDIA_TYPE,
  read: readArrow,
  write: writeArrow,
};

function writeArrow(
  columns: Parameters<TableFormat["write"]>[0],
  rows: readonly TableRow[],
): Uint8Array<ArrayBuffer> {
  const written = columns.map(({ name, type }): [string, ReturnType<typeof columnFromArray>] => [
    name,
    columnFromArray(
      rows.map((row) => row[name] ?? null),
      typeOf(type),
    ),
  ]);
  return tableToIPC(tableFromColumns(written), { format: "stream" })!.slice();
}

function typeOf(type: ValueType): DataType {
  if (type === "number" || type === "integer") return float64();
  return type === "boolean" ? bool() : utf8();
}
