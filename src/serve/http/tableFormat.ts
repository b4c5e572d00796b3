import { PushforwardError } from "../../check/index.ts";
import type { TableRow } from "../../tables/columns/index.ts";
import type { Row, ServedColumn } from "../index.ts";

/** A format of rows beside JSON. */
export interface TableFormat {
  readonly mediaType: string;
  /** The content type of answers. */
  readonly contentType: string;
  /** Reads the values of `columns` only. Throws `DATA` for a body that is not valid, and for more than `maxRows` rows. */
  read(body: Uint8Array, columns: readonly ServedColumn[], maxRows: number): Row[];
  write(
    columns: readonly Pick<ServedColumn, "name" | "type">[],
    rows: readonly TableRow[],
  ): Uint8Array<ArrayBuffer>;
}

/** The error for a request of more rows than the server allows. */
export const tooManyRows = (maxRows: number, received: number | string): PushforwardError =>
  new PushforwardError("DATA", "the request has too many rows", {
    expected: `at most ${maxRows}`,
    received: String(received),
    hint: "Split it into several requests.",
  });
