import { parseColumnList } from "../data/columnList.ts";
import type { TableOptions } from "../data/index.ts";
import type { Io } from "./io.ts";

/** How a command opens a table. */
export const tableOptions = ({ na }: { na?: string | undefined }, { interrupted }: Io): TableOptions => ({
  na: na === undefined ? [] : parseColumnList(na),
  signal: interrupted,
});
