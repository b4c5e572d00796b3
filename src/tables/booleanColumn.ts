import { PushforwardError } from "../errors.ts";

/** Pairs of words for false and true, in lower case. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["false", "true"],
  ["no", "yes"],
  ["n", "y"],
  ["f", "t"],
  ["0", "1"],
];
const MAX_LABELS_SHOWN = 8;

/** Whether two labels, in any case, are words for false and true. */
const areBoolean = (labels: readonly string[]): boolean => {
  const words = labels.map((label) => label.trim().toLowerCase());
  return words.length === 2 && PAIRS.some((pair) => pair.every((word) => words.includes(word)));
};

/** Throws `ARGUMENT` unless the labels of a column are two words for false and true, such as no and yes. */
export function checkBoolean(name: string, labels: readonly string[]): void {
  if (areBoolean(labels)) return;
  const shown = labels.slice(0, MAX_LABELS_SHOWN).map((label) => `"${label}"`);
  throw new PushforwardError("ARGUMENT", `column "${name}" cannot be boolean`, {
    expected: "two values: yes and no, y and n, true and false, t and f, or 0 and 1",
    received: `${shown.join(", ")}${labels.length > MAX_LABELS_SHOWN ? ` and ${labels.length - MAX_LABELS_SHOWN} more` : ""}`,
    hint: `Use ${name}=categorical, or replace values in a query. Other values can be read as missing: --na.`,
  });
}
