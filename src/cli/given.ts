import { existsSync } from "node:fs";
import { nearestName, PushforwardError } from "../check/index.ts";
import { type ColumnLabels, modelLabels } from "../model/index.ts";
import {
  didYouMean,
  isQuery,
  MAX_FLOAT32,
  openTable,
  orList,
  type Table,
  type TableOptions,
  tableForModel,
} from "../tables/io/index.ts";
import type { LoadedModel } from "../tables/model/index.ts";
import { columnList, parseColumnList } from "../tables/options/index.ts";
import { program } from "./program.ts";

/**
 * Reads `--given` of `sample`: values for all rows, or a table of them, which the caller must close. Undefined for a model that is
 * not conditional.
 *
 * @throws ARGUMENT if it is missing, or has values of other columns than the model's; FILE or DATA for a table that cannot be read or has
 *   other columns.
 */
export async function readGiven(
  text: string | undefined,
  model: LoadedModel,
  path: string,
  options: TableOptions,
): Promise<Float64Array | Table | undefined> {
  const names = model.given;
  if (names.length === 0) {
    if (text === undefined) return undefined;
    throw new PushforwardError("ARGUMENT", `The model ${path} is not conditional`, {
      hint: `Leave --given out, or fit a conditional model: ${program()} fit DATA --given COLUMN`,
    });
  }
  if (text === undefined) {
    throw new PushforwardError("ARGUMENT", `The model ${path} is conditional on ${names.join(", ")}`, {
      hint: `Give values, ${exampleOf(names, modelLabels(model))}, or a table with these columns.`,
    });
  }
  const assignments = assignmentsIn(text, names);
  if (assignments) return contextOf(assignments, names, modelLabels(model));
  const table = await openTable(text, options);
  try {
    return await tableForModel(table, model, names);
  } catch (error) {
    await table.close();
    throw error;
  }
}

/**
 * Splits a list of assignments to columns, such as `year=2020,kind=house`; undefined for the name of a file or a query. A part that begins
 * with the name of a column and `=` is never a name of a file, so that the meaning does not depend on the current directory.
 */
export function assignmentsIn(text: string, names: readonly string[]): string[] | undefined {
  // As in a CSV file, quotes must be around the whole part: kind="a, b" and "kind"="a, b" become "kind=a, b".
  const quotedValue = /(^|,)\s*(?:"((?:[^"]|"")*)"|([^",]*))="((?:[^"]|"")*)"\s*(?=,|$)/g;
  const parts = parseColumnList(text.replace(quotedValue, '$1"$2$3=$4"'));
  const hasName = parts.some((part) => names.some((name) => part.startsWith(`${name}=`)));
  if (hasName) return parts;
  return !existsSync(text) && !isQuery(text) && parts.every((part) => part.includes("=")) ? parts : undefined;
}

/**
 * The texts that the parts of a list assign to columns, by the names of the columns. `unknown` returns the error for a name that is not in
 * `names`.
 *
 * @throws ARGUMENT for a column with two values.
 */
export function assignedTexts(
  parts: readonly string[],
  names: readonly string[],
  unknown: (name: string, text: string) => PushforwardError,
): Map<string, string> {
  const texts = new Map<string, string>();
  for (const part of parts) {
    if (!part.includes("=")) {
      throw new PushforwardError("ARGUMENT", "--given has a value without the name of a column", {
        expected: "COLUMN=VALUE, and commas only between them",
        received: part,
        hint: "Write numbers with a decimal point, and quote a value that contains a comma or a line break: --given 'name=\"a, b\"'",
      });
    }
    // The name of a column may itself contain "=".
    const name = names.find((each) => part.startsWith(`${each}=`)) ?? part.slice(0, part.lastIndexOf("="));
    const text = part.slice(name.length + 1);
    if (!names.includes(name)) throw unknown(name, text);
    if (texts.has(name)) {
      throw new PushforwardError("ARGUMENT", `--given has two values of ${name}`, {
        hint: "Give one of them, or a table with a row for each.",
      });
    }
    texts.set(name, text);
  }
  return texts;
}

/** The numbers [C] that the parts of a list assign to the given columns. */
function contextOf(parts: readonly string[], names: readonly string[], labels: ColumnLabels): Float64Array {
  const texts = assignedTexts(parts, names, (name, text) => {
    const nearest = nearestName(name, names);
    return new PushforwardError("ARGUMENT", `The model is not conditional on "${name}"`, {
      expected: `values of ${names.join(", ")}`,
      hint: nearest ? `Did you mean ${nearest}=${text}?` : `Write ${exampleOf(names, labels)}`,
    });
  });
  const values = Float64Array.from(names, (name) => {
    const text = texts.get(name);
    return text === undefined ? Number.NaN : numberFor(text, name, labels);
  });
  const missing = names.filter((_, d) => Number.isNaN(values[d]!));
  if (missing.length === 0) return values;
  throw new PushforwardError("ARGUMENT", `--given has no value of ${missing.join(", ")}`, {
    expected: `values of ${names.join(", ")}`,
    hint: `Write ${exampleOf(names, labels, values)}`,
  });
}

/** The number that a text represents; for a label, its index. */
function numberFor(text: string, name: string, labels: ColumnLabels): number {
  const classes = labels.get(name);
  const value = classes ? indexOf(text, classes) : text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(Math.fround(value))) return value;
  const number = Number.isFinite(value) ? `a number up to ${MAX_FLOAT32}` : "a finite number";
  throw new PushforwardError("ARGUMENT", `--given has an invalid value of ${name}`, {
    expected: classes ? orList(classes) : number,
    received: text || "nothing",
    hint: `${classes ? didYouMean(text, classes) : ""}For example: ${exampleOf([name], labels)}`,
  });
}

function indexOf(text: string, classes: readonly string[]): number {
  const index = classes.includes(text) ? classes.indexOf(text) : classes.indexOf(text.trim());
  return index < 0 ? Number.NaN : index;
}

/** An example of the option `--given` with these values of columns, and a valid value in place of NaN. */
export function exampleOf(
  names: readonly string[],
  labels: ColumnLabels,
  values: ArrayLike<number> = [],
): string {
  const parts = names.map((name, d) => {
    const value = Number.isNaN(values[d] ?? Number.NaN) ? (labels.has(name) ? 0 : 1) : values[d]!;
    return `${name}=${labels.get(name)?.[value] ?? value}`;
  });
  return `--given ${columnList(parts)}`;
}
