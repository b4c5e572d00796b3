const SEPARATORS = [";", "\t", ","];

/**
 * The fields of each line of a text, separated by semicolons, tabs or commas, or else by spaces: the separator is the first of these that
 * the first line has. Fields in quotes may contain separators, line breaks and doubled quotes (RFC 4180). Empty lines are left out.
 */
export function recordsOf(source: string): string[][] {
  const text = source.replace(/\r\n?/g, "\n");
  const [firstLine = ""] = text.trimStart().split("\n", 1);
  const separator = SEPARATORS.find((each) => firstLine.includes(each));
  if (!separator) return linesOf(text).map((line) => line.trim().split(/\s+/));
  if (!text.includes('"'))
    return linesOf(text).map((line) => line.split(separator).map((field) => field.trim()));
  const records: string[][] = [];
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
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");
