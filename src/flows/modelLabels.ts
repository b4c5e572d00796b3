import type { LoadedModel } from "./modelFile.ts";

/** What the classes 0, 1, 2... of a column are called in tables, by the name of the column. */
export type ColumnLabels = ReadonlyMap<string, readonly string[]>;

/** The labels of a model's columns: the last columns of `given` hold classes. */
export const modelLabels = ({ given, labels = [] }: Pick<LoadedModel, "given" | "labels">): ColumnLabels =>
  new Map(labels.map((names, i) => [given[given.length - labels.length + i]!, names]));
