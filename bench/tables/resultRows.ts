/** The cells of a row of a table in Markdown. */
export const cellsOf = (row: string): string[] =>
  row
    .trim()
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());

/** The rows of the first table in a section of a page, without its header. Throws if there is no such section or no table. */
export function rowsOfSection(page: string, heading: string): string[][] {
  const lines = page.split("\n");
  const { first, end } = tableOf(lines, heading);
  return lines.slice(first, end).map(cellsOf);
}

/** The page in which a row of the first table of a section is replaced by these cells. The first cell is the name of the row. */
export function withRow(page: string, heading: string, cells: readonly string[]): string {
  const lines = page.split("\n");
  const { first, end } = tableOf(lines, heading);
  const index = lines.findIndex((line, i) => i >= first && i < end && cellsOf(line)[0] === cells[0]);
  if (index < 0) throw new Error(`the section ${heading} has no row ${cells[0]}`);
  const columns = cellsOf(lines[index]!).length;
  if (cells.length !== columns) {
    throw new Error(`the section ${heading} has rows of ${columns} cells, received ${cells.join(" | ")}`);
  }
  return lines.with(index, `| ${cells.join(" | ")} |`).join("\n");
}

/** The lines of the rows of the first table after a heading. */
function tableOf(lines: readonly string[], heading: string): { first: number; end: number } {
  const start = lines.indexOf(`## ${heading}`);
  const header = lines.findIndex((line, i) => i > start && line.startsWith("|"));
  if (start < 0 || header < 0) throw new Error(`no table in a section ${heading}`);
  const first = header + 2;
  const length = lines.slice(first).findIndex((line) => !line.startsWith("|"));
  return { first, end: length < 0 ? lines.length : first + length };
}
