import { existsSync } from "node:fs";
import { parseColumnList, shellQuoted } from "../data/columnList.ts";
import { type Labels, openTable, type Table, type TableOptions } from "../data/index.ts";
import { listOf, meant } from "../data/labels.ts";
import { PushforwardError } from "../errors.ts";
import type { Model } from "../flows/index.ts";
import { nearestName } from "../nearestName.ts";
import { labelsOf, tableFor } from "./model.ts";
import { program } from "./program.ts";

/** What samples are conditional on: nothing, the same values for all rows, or the rows of a table. */
export interface Given {
  readonly values?: Float64Array;
  readonly table?: { readonly source: Table; readonly columns: readonly string[] };
  close(): Promise<void>;
}

/**
 * Reads `--given`.
 *
 * @throws ARGUMENT when it does not fit the model, or is missing; FILE or DATA for a table that does not.
 */
export async function givenFrom(
  text: string | undefined,
  model: Model,
  path: string,
  options?: TableOptions,
): Promise<Given> {
  const names = model.given;
  const labels = labelsOf(model);
  const nothingToClose = async () => {};
  if (names.length === 0) {
    if (text === undefined) return { close: nothingToClose };
    throw new PushforwardError("ARGUMENT", `The model ${path} is not conditional`, {
      hint: `Leave --given out, or fit a conditional model: ${program()} fit DATA --given COLUMN`,
    });
  }
  if (text === undefined) {
    throw new PushforwardError("ARGUMENT", `The model ${path} is conditional on ${names.join(", ")}`, {
      hint: `Give values, --given ${example(names, labels)}, or a table with these columns.`,
    });
  }
  // A quote may stand before the whole assignment, as in a CSV file, or before the value.
  const parts = parseColumnList(text.replace(/(^|,)([^",]*=)"((?:[^"]|"")*)"\s*(?=,|$)/g, '$1"$2$3"'));
  const named = parts.some((part) => names.some((name) => part.startsWith(`${name}=`)));
  const assigns = parts.every((part) => /.=/.test(part)) && !/^\s*(select|from|with)\s/i.test(text);
  if (!existsSync(text) && (named || assigns)) {
    return { values: valuesOf(parts, names, labels), close: nothingToClose };
  }
  const source = await openTable(text, options);
  try {
    const readable = await tableFor(source, names, labels);
    return { table: { source: readable, columns: names }, close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Flows compute in float32: larger numbers would be infinite. */
export const MAX_FLOAT32 = 3.4e38;

function valuesOf(parts: readonly string[], names: readonly string[], labels: Labels): Float64Array {
  const values = new Float64Array(names.length).fill(Number.NaN);
  for (const part of parts) {
    // A name may hold "=" itself.
    const d = names.findIndex((name) => part.startsWith(`${name}=`));
    const name = names[d] ?? part.slice(0, part.lastIndexOf("="));
    const text = part.slice(name.length + 1);
    if (d < 0) {
      const nearest = nearestName(name, names);
      throw new PushforwardError("ARGUMENT", `The model is not conditional on "${name}"`, {
        expected: `values of ${names.join(", ")}`,
        hint: nearest ? `Did you mean ${nearest}=${text}?` : `Write --given ${example(names, labels)}`,
      });
    }
    if (!Number.isNaN(values[d])) {
      throw new PushforwardError("ARGUMENT", `--given has two values of ${name}`, {
        hint: "Give one of them; for several, give a table with a row for each.",
      });
    }
    const known = labels.get(name);
    values[d] = numberFor(text, known);
    if (!Number.isFinite(Math.fround(values[d]!))) {
      throw new PushforwardError("ARGUMENT", `--given ${name} does not fit`, {
        expected: known
          ? listOf(known)
          : Number.isFinite(values[d]!)
            ? `a number up to ${MAX_FLOAT32}`
            : "a finite number",
        received: text || "nothing",
        hint: `${known ? meant(text, known) : ""}Write for example --given ${example([name], labels)}`,
      });
    }
  }
  const lacking = names.filter((_, d) => Number.isNaN(values[d]!));
  if (lacking.length === 0) return values;
  throw new PushforwardError("ARGUMENT", `--given lacks ${lacking.join(", ")}`, {
    expected: `values of ${names.join(", ")}`,
    hint: `Write --given ${written(
      names,
      names.map((name, d) => (Number.isNaN(values[d]!) ? (labels.has(name) ? 0 : 1) : values[d]!)),
      labels,
    )}`,
  });
}

/** The number that a text stands for, NaN if for none. */
function numberFor(text: string, labels: readonly string[] | undefined): number {
  if (!labels) return text.trim() === "" ? Number.NaN : Number(text);
  const place = labels.includes(text) ? labels.indexOf(text) : labels.indexOf(text.trim());
  return place < 0 ? Number.NaN : place;
}

/** The argument that gives these values to these columns. */
export const written = (names: readonly string[], values: readonly number[], labels: Labels): string =>
  shellQuoted(
    names
      .map((name, d) => `${name}=${labels.get(name)?.[values[d]!] ?? values[d]}`)
      .map((part) => (/[",]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part))
      .join(","),
  );

const example = (names: readonly string[], labels: Labels): string =>
  written(
    names,
    names.map((name) => (labels.has(name) ? 0 : 1)),
    labels,
  );
