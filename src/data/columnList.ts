import { firstRecord } from "./csvRecords.ts";
import { quotedIdentifier } from "./database.ts";

/**
 * The names in a comma-separated list. A name that itself holds a comma or a quote stands in double quotes, as in a
 * CSV file.
 */
export const parseColumnList = (text: string): string[] => firstRecord(text, ",").map((name) => name.trim());

/** The list that `parseColumnList` reads back, quoted for a shell where need be; beyond `most` names it ends in "...". */
export function columnList(names: readonly string[], most = names.length): string {
  const shown = names.slice(0, most).map((name) => (/[",]/.test(name) ? quotedIdentifier(name) : name));
  return shellQuoted([...shown, ...(names.length > most ? ["..."] : [])].join(","));
}

/** Names for a reader, of many the first 20. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => `"${name}"`);
  return names.length > 20 ? `${shown.join(", ")} and ${names.length - 20} more` : shown.join(", ");
}

/** A text as one word of a POSIX shell. */
export const shellQuoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
