import { PushforwardError } from "../../check/index.ts";
import { featureNames, type TableColumn } from "./tableColumn.ts";

/**
 * The names of the features of columns.
 *
 * @throws DATA if two are equal: the day of the week of a column `date` is the feature `date.weekday`, which may be the name of a column too.
 */
export function distinctFeatureNames(columns: readonly TableColumn[]): string[] {
  const columnOf = new Map<string, string>();
  for (const column of columns) {
    for (const feature of featureNames(column)) {
      const other = columnOf.get(feature);
      if (other !== undefined) {
        throw new PushforwardError(
          "DATA",
          `the columns "${other}" and "${column.name}" need the same feature name`,
          {
            received: feature,
            hint: "Rename one of them, or leave it out.",
          },
        );
      }
      columnOf.set(feature, column.name);
    }
  }
  return [...columnOf.keys()];
}
