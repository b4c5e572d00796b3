import { describe, expect, it } from "vitest";
import { cellsOf, rowsOfSection, withRow } from "../../bench/tables/resultRows.ts";

const PAGE = `# Results

## First

| table | score |
| ----- | ----: |
| iris  |     1 |
| wine  |     2 |

Text.

| table | other |
| ----- | ----: |
| iris  |     7 |

## Second

| table | score |
| ----- | ----: |
| iris  |     3 |
`;

describe("rows of results", () => {
  it("reads the cells of a row, which may be empty", () => {
    expect(cellsOf("| red wine | 3 x 5 |  |")).toEqual(["red wine", "3 x 5", ""]);
  });

  it("reads the first table of a section, up to the end of the page", () => {
    expect(rowsOfSection(PAGE, "First")).toEqual([
      ["iris", "1"],
      ["wine", "2"],
    ]);
    expect(rowsOfSection(PAGE.trimEnd(), "Second")).toEqual([["iris", "3"]]);
  });

  it("replaces only the row of this name in the first table of this section", () => {
    const expected = PAGE.replace("| iris  |     3 |", "| iris | 4.5 |");
    expect(withRow(PAGE, "Second", ["iris", "4.5"])).toBe(expected);
    expect(rowsOfSection(withRow(PAGE, "First", ["wine", "8"]), "First")).toEqual([
      ["iris", "1"],
      ["wine", "8"],
    ]);
  });

  it.each([
    ["an unknown section", "Third", ["iris", "1"], "section Third"],
    ["an unknown row", "Second", ["wine", "1"], "no row wine"],
    ["another number of cells", "Second", ["iris", "1", "2"], "rows of 2 cells"],
  ])("refuses %s", (_, heading, cells, message) => {
    expect(() => withRow(PAGE, heading, cells)).toThrow(message);
  });
});
