import { nearestName, PushforwardError } from "../../check/index.ts";
import { describeColumn } from "./describeColumn.ts";
import type { EncodedTable } from "./encodeTable.ts";
import type { TableColumn } from "./tableColumn.ts";

/** Throws `DATA` if a given value is missing, impossible, or a label that the model of `columns` did not learn. */
export function checkLearned(columns: readonly TableColumn[], { unlearned }: EncodedTable): void {
  const first = unlearned.find(({ kind }) => kind !== "incomplete") ?? unlearned[0];
  if (!first) return;
  const { column: name, kind, value = "no value" } = first;
  const column = columns.find((each) => each.name === name)!;
  if (kind === "incomplete") {
    throw new PushforwardError("DATA", `the given value of column "${name}" is missing`, {
      expected: "a value, because no value of this column was missing in training",
      hint: "Give a value. If it is not known, leave this column out.",
    });
  }
  const labels = column.kind === "categorical" ? column.labels : [];
  const nearest = nearestName(value, labels);
  const { kind: kindName, details } = describeColumn(column);
  throw new PushforwardError(
    "DATA",
    kind === "unseen"
      ? `column "${name}" has no label ${value}`
      : `the given value of column "${name}" is not possible`,
    {
      expected: labels.length > 0 && labels.length <= 12 ? labels.join(", ") : `${kindName}: ${details}`,
      received: value,
      hint:
        nearest === undefined
          ? "Give another value, or leave this column out."
          : `Did you mean "${nearest}"?`,
    },
  );
}
