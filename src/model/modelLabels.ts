import type { ModelContents } from "./modelFile.ts";

/** The names of the classes 0, 1, 2... of each column of class labels, by the name of the column. */
export type ColumnLabels = ReadonlyMap<string, readonly string[]>;

/** The labels of a model's columns. `labels` belong to the last columns of `given`, which hold classes. */
export const modelLabels = ({ given, labels = [] }: Pick<ModelContents, "given" | "labels">): ColumnLabels =>
  new Map(labels.map((names, i) => [given[given.length - labels.length + i]!, names]));
