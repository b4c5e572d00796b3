import { listedNames, shellQuoted } from "../../check/index.ts";
import { fieldNames, firstRecords } from "./csvRecords.ts";

/** A column name as an identifier of SQL, always in quotes. */
export const quotedIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Parses a list of names, which are separated by commas or line breaks. As in CSV, a name with a separator, a quote or blanks around it is in
 * double quotes.
 */
export const parseColumnList = (text: string): string[] =>
  firstRecords(text, ",", Number.POSITIVE_INFINITY).flatMap(fieldNames);

/** The inverse of `parseColumnList`. */
export const joinColumnList = (names: readonly string[]): string =>
  names.map((name) => (/[",\r\n]|^\s|\s$/.test(name) ? quotedIdentifier(name) : name)).join(",");

/** `joinColumnList`, quoted for a shell if necessary. A list of more than `maxNames` names ends with "...". */
export const columnList = (names: readonly string[], maxNames = names.length): string =>
  shellQuoted(joinColumnList([...names.slice(0, maxNames), ...(names.length > maxNames ? ["..."] : [])]));

/** The names in quotes as a list for messages: at most 20, and how many more there are. */
export const quotedNames = (names: readonly string[]): string =>
  listedNames(names.map((name) => `"${name}"`));
