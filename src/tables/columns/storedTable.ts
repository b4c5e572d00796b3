import * as z from "zod/mini";
import { featureNames, type TableColumn, tableColumnSchema } from "./tableColumn.ts";

/** The columns of a table in a model file. */
export const tableSchema: z.ZodMiniType<TableColumn[]> = z.array(tableColumnSchema);

/** The names of the features that encode the columns, in their order. */
export const tableFeatures = (table: readonly TableColumn[]): string[] => table.flatMap(featureNames);
