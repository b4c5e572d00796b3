const SEPARATORS = [";", "\t", ","];

/**
 * The fields of each line of a text, separated by semicolons, tabs or commas, or else by spaces. The separator is the first of these with which
 * the first line has fields with the names of all `columns`, or else the first that the first line has outside of quotes. Fields in
 * quotes may contain separators, line breaks and doubled quotes (RFC 4180). Empty lines are left out, unless the table has a single
 * column: there they are empty fields.
 */
export function recordsOf(source: string, columns: readonly string[] = []): string[][] {
  const text = source.replace(/\r\n?/g, "\n");
  const separator = separatorOf(text, columns);
  if (!separator) return linesOf(text).map((line) => line.trim().split(/\s+/));
  const records = [...separated(text, separator)];
  const first = records.findIndex((record) => !isEmpty(record));
  if (records[first]?.length === 1) return records.slice(first);
  return records.filter((record) => !isEmpty(record));
}

function separatorOf(text: string, columns: readonly string[]): string | undefined {
  if (columns.length > 0) {
    const ofColumns = SEPARATORS.find((separator) => {
      const names = firstRecord(text, separator);
      return columns.every((name) => names.includes(name));
    });
    if (ofColumns) return ofColumns;
  }
  const [firstLine = ""] = text.trimStart().split("\n", 1);
  const unquoted = firstLine.replace(/(^|[;\t,]) *"(?:[^"]|"")*"/g, "$1");
  return SEPARATORS.find((each) => unquoted.includes(each));
}

function firstRecord(text: string, separator: string): string[] {
  for (const record of separated(text, separator)) if (!isEmpty(record)) return record;
  return [];
}

/** The records of all lines. An empty line has one field, which is empty. */
function* separated(text: string, separator: string): Generator<string[]> {
  if (!text.includes('"')) {
    for (const line of text.replace(/\n$/, "").split("\n"))
      yield line.trim() === "" ? [""] : line.split(separator).map((field) => field.trim());
    return;
  }
  // Each match is a field and what ends it: a separator, a line break, or the end of the text.
  const field = new RegExp(
    ` *(?:"((?:[^"]|"")*)"[^${separator}\\n]*|([^${separator}\\n]*))(${separator}|\\n|$)`,
    "y",
  );
  let record: string[] = [];
  while (field.lastIndex < text.length) {
    const [, quoted, plain = "", end] = field.exec(text)!;
    record.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
    if (end === separator && field.lastIndex < text.length) continue;
    yield record;
    record = [];
  }
}

const isEmpty = (record: readonly string[]): boolean => record.length === 1 && record[0] === "";

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");
