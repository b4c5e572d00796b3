import type { ContinuousColumn } from "./tableColumn.ts";

/** A column of real numbers on a linear scale, without missing values: its feature is the number. */
export const realColumn = (name: string): ContinuousColumn => ({
  kind: "continuous",
  name,
  type: "number",
  gaps: false,
  center: 0,
  scale: { type: "linear" },
});
