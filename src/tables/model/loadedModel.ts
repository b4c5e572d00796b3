import type { ModelContents } from "../../model/index.ts";
import type { AnomalyReference } from "../anomalies/index.ts";
import type { TableColumn } from "../columns/index.ts";

/** The content of a model file of any kind. */
export interface LoadedModel extends ModelContents {
  /** The columns of a table whose values the features encode, if they are not numbers only. See `TableModel`. */
  readonly table?: readonly TableColumn[];
  /** What `TableModel` needs to score anomalies. Only models of tables have it. */
  readonly anomalies?: AnomalyReference;
}
