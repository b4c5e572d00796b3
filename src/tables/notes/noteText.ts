import type { ColumnFindings, ColumnNote } from "./columnFindings.ts";

/** A note lists at most this many findings and says how many more there are, because nobody reads a longer list. */
const MAX_LISTED = 5;

function listed(texts: readonly string[], max = MAX_LISTED, separator = ", "): string {
  const shown = texts.slice(0, max).join(separator);
  return texts.length > max ? `${shown} and ${texts.length - max} more` : shown;
}

const UNBOUNDED =
  "The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is.";

/** The texts of one kind of note. */
interface NoteText<F> {
  /** One finding in a few words. */
  finding(finding: F, rows: number): string;
  /** The message with the list of findings. */
  message(list: string, findings: readonly F[]): string;
  hint: string;
}

const TEXTS: { readonly [K in keyof ColumnFindings]: NoteText<ColumnFindings[K]> } = {
  equalRows: {
    finding: ({ copies }, rows) => `${thousands(copies)} of ${thousands(rows)} (${percent(copies / rows)})`,
    message: (list) =>
      `Some rows are equal to others: ${list}. Equal rows stay on one side of every split, so held-out rows are new to the model, but it learns that these rows are more likely than others.`,
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
      `Some values are far from all others of their column: ${list}. Their density is very low.`,
    hint: "Leave these rows out if the values are mistakes.",
  },
  fewValues: {
    finding: ({ column, distinct }) => `${column} (${distinct})`,
    message: (list, { length }) =>
      `${length === 1 ? "A column has" : "Some columns have"} few different values: ${list}. ${UNBOUNDED}`,
    hint: "Leave such a column out or, if it is a category, learn the other columns given it (as context).",
  },
  grid: {
    finding: ({ column, distinct, step }) => `${column} (${distinct} values, step ${step})`,
    message: (list) => `Values repeat on a grid: ${list}. ${UNBOUNDED}`,
    hint: "Add uniform noise as wide as the step to the values.",
  },
  atoms: {
    finding: ({ column, atoms, rows }, total) =>
      `${column} (${percent(rows / total)} of the rows are ${listed(atoms.map(String), 3, " or ")})`,
    message: (list) => `Many rows have the same value: ${list}. ${UNBOUNDED}`,
    hint: "Learn only the other rows, or leave the column out.",
  },
  dependence: {
    finding: dependenceText,
    message: (list, findings) => {
      const follow = findings.length === 1 ? "A column follows" : "Some columns follow";
      const isUnbounded = findings.some(({ inCells }) => !inCells);
      return `${follow} from others: ${list}. ${isUnbounded ? `${UNBOUNDED} ` : ""}Samples satisfy such an equation only approximately.`;
    },
    hint: "Leave out the columns that follow from others, and compute them from the samples.",
  },
  repeatedDifference: {
    finding: ({ column, other, distinct, modeShare }) =>
      `${column} - ${other} (${distinct <= 200 ? `${distinct} different values` : `one value in ${percent(modeShare)} of the rows`})`,
    message: (list) => `Differences of two columns repeat: ${list}. ${UNBOUNDED}`,
    hint: "Leave out one column of each pair.",
  },
};

/** The message and the hint of a note about a table with this number of rows. */
export function messageAndHint(
  { kind, findings }: Pick<ColumnNote, "kind" | "findings">,
  rows: number,
): Pick<ColumnNote, "message" | "hint"> {
  const { finding, message, hint } = TEXTS[kind] as NoteText<unknown>;
  const texts = (findings as readonly unknown[]).map((one) => finding(one, rows));
  return { message: message(listed(texts), findings), hint };
}

const thousands = (n: number): string => n.toLocaleString("en-US");

const percent = (share: number): string => (share > 0.99 ? "more than 99%" : `${Math.round(100 * share)}%`);

/** For example "s = a + b", or "f = 1.8 c + 32 up to rounding". */
function dependenceText({
  column,
  terms,
  intercept,
  precision,
  residual,
}: ColumnFindings["dependence"]): string {
  const shown = terms.slice(0, MAX_LISTED).map(({ column: name, coefficient }, i) => {
    const size = Number(Math.abs(coefficient).toPrecision(4));
    const sign = coefficient < 0 ? "- " : i > 0 ? "+ " : "";
    return `${i === 0 ? sign.trim() : sign}${size === 1 ? "" : `${size} `}${name}`;
  });
  const more = terms.length > MAX_LISTED ? [`+ ${terms.length - MAX_LISTED} more columns`] : [];
  const constant = Number(intercept.toPrecision(4));
  const constantTerm = constant === 0 ? [] : [`${constant < 0 ? "-" : "+"} ${Math.abs(constant)}`];
  const accuracy = {
    exact: "",
    rounded: " up to rounding",
    near: ` up to ${Number(residual.toPrecision(1))} of its standard deviation`,
  }[precision];
  return `${column} = ${[...shown, ...more, ...constantTerm].join(" ")}${accuracy}`;
}
