import { listedNames, PushforwardError } from "../../check/index.ts";
import type { RawColumn, TableColumn } from "./tableColumn.ts";

/** Pairs of words for false and true, in lower case. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["false", "true"],
  ["no", "yes"],
  ["n", "y"],
  ["f", "t"],
  ["0", "1"],
];
const MEANINGS: ReadonlyMap<string, boolean> = new Map(
  PAIRS.flatMap(([no, yes]) => [
    [no, false],
    [yes, true],
  ]),
);
const MAX_LABELS_SHOWN = 8;

/** What a word for false or true means, in any case; undefined for other words. */
const meaningOf = (text: string): boolean | undefined => MEANINGS.get(text.trim().toLowerCase());

/** Whether two labels, in any case, are words for false and true. */
const areBoolean = (labels: readonly string[]): boolean => {
  const words = labels.map((label) => label.trim().toLowerCase());
  return words.length === 2 && PAIRS.some((pair) => pair.every((word) => words.includes(word)));
};

/** Throws `ARGUMENT` unless the labels of a column are two words for false and true, such as no and yes. */
export function checkBoolean(name: string, labels: readonly string[]): void {
  if (areBoolean(labels)) return;
  throw new PushforwardError("ARGUMENT", `column "${name}" cannot be boolean`, {
    expected: "two values: yes and no, y and n, true and false, t and f, or 0 and 1",
    received: listedNames(
      labels.map((label) => `"${label}"`),
      MAX_LABELS_SHOWN,
    ),
    hint: `State the kind categorical, or replace the other values. The command line reads values as missing with --na.`,
  });
}

/** The label of a boolean column that means the same as a word for false or true, such as "Yes" for "true"; undefined for other words. */
export function booleanLabel(labels: readonly string[], text: string): string | undefined {
  const meaning = meaningOf(text);
  return meaning === undefined ? undefined : labels.find((label) => meaningOf(label) === meaning);
}

/**
 * The values of a table in a column of a model. In a column that the user declared boolean, true and false become the labels with the same
 * meaning, such as yes and no.
 */
export function withBooleanLabels(column: TableColumn, raw: RawColumn): RawColumn {
  if (column.kind !== "categorical" || !column.isBoolean) return raw;
  // The labels of a column of numbers are 0 and 1, which are also the numbers of false and true.
  if (raw.type === "boolean") return { ...raw, type: column.type };
  if (!raw.labels) return raw;
  const labelOf = (text: string) =>
    !column.labels.includes(text) && /^(true|false)$/i.test(text) ? booleanLabel(column.labels, text)! : text;
  return { ...raw, labels: raw.labels.map(labelOf) };
}
