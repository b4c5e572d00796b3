import { describe, expect, test } from "vitest";
import { MAX_TABLE_ROWS, parseTable, pointsOf } from "../app/table.ts";

describe("a pasted table", () => {
  test.each([
    ["commas and names", "x, y\n1, 2\n3, 4\n", ["x", "y"]],
    ["semicolons", "1;2\n3;4", ["column 1", "column 2"]],
    ["tabs and quotes", '"a b"\t"c"\n1\t2\r\n3\t4', ["a b", "c"]],
    ["spaces", "1   2\n 3 4", ["column 1", "column 2"]],
    ["a column of text", "name,x,y\nfirst,1,2\nsecond,3,4", ["x", "y"]],
  ])("with %s has its columns of numbers", (_, text, names) => {
    const table = parseTable(text);
    expect(table.names).toEqual(names);
    expect(table.points(0, 1)).toEqual({ values: [1, 2, 3, 4], rows: 2, skipped: 0 });
  });

  test("leaves out rows without the two numbers, and counts them", () => {
    const table = parseTable("x,y,z\n1,2,0\n,4,1\nn/a,6,2\n7,8,");
    expect(table.points(0, 1)).toEqual({ values: [1, 2, 7, 8], rows: 2, skipped: 2 });
    expect(table.points(1, 2)).toEqual({ values: [2, 0, 4, 1, 6, 2], rows: 3, skipped: 1 });
  });

  test.each(["", "a,b\nc,d", "1\n2\n3"])("without two columns of numbers is an error: %j", (text) => {
    expect(() => parseTable(text)).toThrowErrorMatchingInlineSnapshot(
      `[Error: The table needs two columns of numbers, for example the line 1.5, 2.25.]`,
    );
  });

  test("of many rows is thinned out evenly", () => {
    const rows = Array.from({ length: 3 * MAX_TABLE_ROWS }, (_, i) => i);
    const { values, rows: used, skipped } = pointsOf(rows, rows);
    expect(values).toHaveLength(2 * MAX_TABLE_ROWS);
    expect(values.slice(0, 6)).toEqual([0, 0, 3, 3, 6, 6]);
    expect(pointsOf(rows.slice(0, 30_000), rows).values.slice(0, 8)).toEqual([0, 0, 1, 1, 3, 3, 4, 4]);
    expect({ used, skipped }).toEqual({ used: 3 * MAX_TABLE_ROWS, skipped: 0 });
  });
});
