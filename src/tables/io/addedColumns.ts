import { PushforwardError } from "../../check/index.ts";
import { quotedIdentifier } from "../options/index.ts";
import type { Table } from "./table.ts";

/** The columns that `writeScored` and `writeAnomalies` add to a table. */
export const LOG_DENSITY = "log_density";
export const ANOMALY_COLUMNS = ["anomaly_score", "p_value", "reason"] as const;

/**
 * The names of the columns that the output of a table gets in addition to those of the table: `names`, but with the suffix `_2` (or `_3`...)
 * where a column of the model, one of `learned`, has this name.
 *
 * @throws DATA if another column of the table has one of the names, because it is probably the output of an earlier command.
 */
export function addedNames(table: Table, names: readonly string[], learned: readonly string[]): string[] {
  const find = (name: string) => table.columns.find((column) => column.name.toLowerCase() === name);
  return names.map((name) => {
    const existing = find(name);
    if (!existing) return name;
    if (!learned.includes(existing.name)) {
      throw new PushforwardError("DATA", `${table.source} already has a column "${existing.name}"`, {
        hint: `Rename it, or leave it out with a query: "SELECT * EXCLUDE (${quotedIdentifier(existing.name)}) FROM ..."`,
      });
    }
    let n = 2;
    while (find(`${name}_${n}`)) n++;
    return `${name}_${n}`;
  });
}

/** A remark on a column that has the name of one that scoring adds; undefined for other names. */
export const addedNameRemark = (name: string): string | undefined =>
  [LOG_DENSITY, ...ANOMALY_COLUMNS.slice(0, 2)].includes(name.toLowerCase())
    ? "named as a column that score or anomalies adds: if it is such a column, leave it out with --exclude"
    : undefined;
