import type { ColumnFindings, ColumnNote } from "./columnNotes.ts";

/** A note names this many findings, and says how many more there are. */
const MAX_NAMED = 5;

/** A list of texts: at most `max` of them, and how many more there are. */
function firstFew(texts: readonly string[], max = MAX_NAMED, separator = ", "): string {
  const shown = texts.slice(0, max).join(separator);
  return texts.length > max ? `${shown} and ${texts.length - max} more` : shown;
}

const NO_BOUND =
  "A density has no bound there: log-densities tell how narrow its peaks are, not how good the model is.";

interface Text<F> {
  /** One finding in a few words. */
  finding(finding: F, rows: number): string;
  message(list: string, count: number): string;
  hint: string;
}

const TEXTS: { readonly [K in keyof ColumnFindings]: Text<ColumnFindings[K]> } = {
  equalRows: {
    finding: ({ copies }, total) =>
      `${thousands(copies)} of ${thousands(total)} (${percent(copies / total)})`,
    message: (list) =>
      `Some rows equal others: ${list}. They stay on one side of every split, so held-out rows are new ones, but the model learns them as more likely than the others.`,
    hint: "Remove them if they are copies by mistake.",
  },
  missingCodes: {
    finding: ({ column, codes }) =>
      `${column} (${codes.map(({ value, rows }) => `${value} in ${thousands(rows)} rows`).join(", ")})`,
    message: (list) =>
      `Some values look like codes for missing values, and would be learned as numbers: ${list}.`,
    hint: "Leave these rows out if they are codes.",
  },
  farValues: {
    finding: ({ column, value, rows }) =>
      `${column} (${value}${rows > 1 ? ` and ${thousands(rows - 1)} more` : ""})`,
    message: (list) =>
      `Some values are far from all others of their column: ${list}. They get a very low density.`,
    hint: "Leave these rows out if the values are mistakes.",
  },
  fewValues: {
    finding: ({ column, distinct }) => `${column} (${distinct})`,
    message: (list, count) =>
      `${count === 1 ? "A column has" : "Some columns have"} few different values: ${list}. ${NO_BOUND}`,
    hint: "Leave such a column out or, if it is a category, learn the others given it (as context).",
  },
  grid: {
    finding: ({ column, distinct, step }) => `${column} (${distinct} values, step ${step})`,
    message: (list) => `Values repeat on a grid: ${list}. ${NO_BOUND}`,
    hint: "Spread the values by uniform noise as wide as the step.",
  },
  atoms: {
    finding: ({ column, atoms, rows }, total) =>
      `${column} (${percent(rows / total)} of the rows are ${firstFew(atoms.map(String), 3, " or ")})`,
    message: (list) => `Many rows share a value: ${list}. ${NO_BOUND}`,
    hint: "Learn the other rows by themselves, or leave the column out.",
  },
  dependence: {
    finding: dependenceText,
    message: (list, count) =>
      `${count === 1 ? "A column follows" : "Some columns follow"} from others: ${list}. ${NO_BOUND}`,
    hint: "Leave out what follows from the other columns.",
  },
  repeatedDifference: {
    finding: ({ column, other, distinct, modeShare }) =>
      `${column} - ${other} (${distinct <= 200 ? `${distinct} different values` : `the same in ${percent(modeShare)} of the rows`})`,
    message: (list) => `Differences of columns repeat: ${list}. ${NO_BOUND}`,
    hint: "Leave one column of each pair out.",
  },
};

export function messageAndHint(
  { kind, findings }: Pick<ColumnNote, "kind" | "findings">,
  rows: number,
): Pick<ColumnNote, "message" | "hint"> {
  const { finding, message, hint } = TEXTS[kind] as Text<unknown>;
  const list = firstFew((findings as readonly unknown[]).map((one) => finding(one, rows)));
  return { message: message(list, findings.length), hint };
}

const thousands = (n: number): string => n.toLocaleString("en-US");

const percent = (share: number): string => (share > 0.99 ? "more than 99%" : `${Math.round(100 * share)}%`);

/** "s = a + b", "f = 1.8 c + 32 to the digits given". */
function dependenceText({
  column,
  terms,
  intercept,
  precision,
  residual,
}: ColumnFindings["dependence"]): string {
  const shown = terms.slice(0, MAX_NAMED).map(({ column: name, coefficient }, i) => {
    const size = Number(Math.abs(coefficient).toPrecision(4));
    const sign = coefficient < 0 ? "- " : i > 0 ? "+ " : "";
    return `${i === 0 ? sign.trim() : sign}${size === 1 ? "" : `${size} `}${name}`;
  });
  const more = terms.length > MAX_NAMED ? [`+ ${terms.length - MAX_NAMED} more columns`] : [];
  const rounded = Number(intercept.toPrecision(4));
  const constant = rounded === 0 ? [] : [`${rounded < 0 ? "-" : "+"} ${Math.abs(rounded)}`];
  const how = {
    exact: "",
    rounded: " to the digits given",
    near: ` up to ${Number(residual.toPrecision(1))} of its standard deviation`,
  };
  return `${column} = ${[...shown, ...more, ...constant].join(" ")}${how[precision]}`;
}
