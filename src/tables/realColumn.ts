import type { TableColumn } from "./tableColumn.ts";

/** A column of real numbers on a linear scale, without missing values: its feature is the number. */
export const realColumn = (name: string): TableColumn => ({
  kind: "continuous",
  name,
  type: "number",
  gaps: false,
  center: 0,
  scale: { type: "linear" },
});
