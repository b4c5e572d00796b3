import { nearestName, PushforwardError } from "../check/index.ts";
import {
  booleanLabel,
  millisecondsOf,
  type TableColumn,
  type TableValue,
  textType,
} from "../tables/columns/index.ts";
import { orList } from "../tables/io/index.ts";
import { joinColumnList } from "../tables/options/index.ts";
import { assignedTexts, assignmentsIn } from "./given.ts";

/**
 * The values of `--given` for a model of a table, such as `region=north,age=40`, by the names of the columns. As in a CSV file, an empty
 * value, such as `age=`, is missing: null. Undefined if the text is the name of a table or a query.
 *
 * @throws ARGUMENT for columns that the model does not have, and values that are not of the type of their column.
 */
export function knownValues(
  text: string,
  columns: readonly TableColumn[],
): Record<string, TableValue> | undefined {
  const names = columns.map(({ name }) => name);
  const parts = assignmentsIn(text, names);
  if (!parts) return undefined;
  const texts = assignedTexts(parts, names, (name) => unknownColumn(name, names));
  return Object.fromEntries(
    columns.flatMap((column) => {
      const text = texts.get(column.name);
      return text === undefined ? [] : [[column.name, parsedValue(text, column)]];
    }),
  );
}

/** The error for a column that is not among the columns `names` of a model. `hint` is for a name that is like none of them. */
export function unknownColumn(
  name: string,
  names: readonly string[],
  { received, hint }: { readonly received?: string; readonly hint?: string } = {},
): PushforwardError {
  const nearest = nearestName(name, names);
  return new PushforwardError("ARGUMENT", `The model has no column "${name}"`, {
    expected: `one of ${orList(names)}`,
    received,
    hint: nearest === undefined ? hint : `Did you mean ${joinColumnList([nearest])}?`,
  });
}

function parsedValue(stated: string, column: TableColumn): TableValue {
  // No label is empty, because text without a visible character is missing in every table.
  if (stated.trim() === "") return null;
  const { name, type, gaps } = column;
  const isBoolean = column.kind === "categorical" && column.isBoolean;
  const text = isBoolean ? (booleanLabel(column.labels, stated) ?? stated) : stated;
  const invalid = (expected: string) =>
    new PushforwardError("ARGUMENT", `--given has an invalid value of ${name}`, {
      expected,
      received: text,
      ...(gaps && { hint: `If the value is missing, write ${name}= without a value.` }),
    });
  switch (type) {
    case "text":
      return text;
    case "boolean":
      if (!/^(true|false)$/i.test(text.trim())) throw invalid("true or false");
      return text.trim().toLowerCase() === "true";
    case "number":
    case "integer": {
      const value = Number(text);
      if (!Number.isFinite(value)) throw invalid("a finite number");
      return value;
    }
    default: {
      // `Date.parse` also reads texts that are not in ISO 8601: it takes 11.3.2023 for November 3.
      const form = textType(text);
      const isOfType = type === "time" ? form === "time" : form === "date" || form === "timestamp";
      if (!isOfType || Number.isNaN(millisecondsOf(text))) throw invalid(EXAMPLES[type]);
      return text;
    }
  }
}

const EXAMPLES = {
  date: "a date in ISO 8601, such as 2024-12-31",
  timestamp: "a date with a time in ISO 8601, such as 2024-12-31 14:30:00",
  time: "a time of day in ISO 8601, such as 14:30:00",
} as const;
