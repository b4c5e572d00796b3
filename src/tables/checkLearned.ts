import { PushforwardError } from "../errors.ts";
import { nearestName } from "../nearestName.ts";
import { describeColumn } from "./describeColumn.ts";
import type { EncodedTable } from "./encodeTable.ts";
import type { TableColumn } from "./tableColumn.ts";
import type { UnlearnedValues } from "./unlearned.ts";

/** Throws `DATA` if a given value is missing, impossible, or a label that the model of `columns` did not learn. */
export function checkLearned(columns: readonly TableColumn[], { unlearned }: EncodedTable): void {
  const first = unlearned.find(({ kind }) => kind !== "incomplete") ?? unlearned[0];
  if (!first) return;
  const { column: name, kind, value = "no value" } = first;
  if (kind === "incomplete") {
    throw new PushforwardError("DATA", `the given value of column "${name}" is missing`, {
      expected: "a value, because no value of this column was missing in training",
      hint: "Give a value. If it is not known, leave this column out.",
    });
  }
  throw unlearnedValue(
    columns,
    first,
    kind === "unseen"
      ? `column "${name}" has no label ${value}`
      : `the given value of column "${name}" is not possible`,
  );
}

/** Throws `DATA` if a value of a row has probability 0, so that no distribution given this value is defined. */
export function checkPossible(columns: readonly TableColumn[], { unlearned }: EncodedTable): void {
  const first = unlearned.find(({ kind }) => kind === "impossible");
  if (!first) return;
  throw unlearnedValue(
    columns,
    first,
    `the value of column "${first.column}" in row ${first.row} is not possible`,
  );
}

function unlearnedValue(
  columns: readonly TableColumn[],
  { column: name, value = "no value" }: UnlearnedValues,
  what: string,
): PushforwardError {
  const column = columns.find((each) => each.name === name)!;
  const labels = column.kind === "categorical" ? column.labels : [];
  const nearest = nearestName(value, labels);
  const { kind, details } = describeColumn(column);
  return new PushforwardError("DATA", what, {
    expected: labels.length > 0 && labels.length <= 12 ? labels.join(", ") : `${kind}: ${details}`,
    received: value,
    hint:
      nearest === undefined ? "Give another value, or leave this column out." : `Did you mean "${nearest}"?`,
  });
}
