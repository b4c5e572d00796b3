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
    expect(parseTable(text)).toEqual({
      names,
      columns: [
        [1, 3],
        [2, 4],
      ],
      skipped: 0,
    });
  });

  test("leaves out rows without the numbers, and counts them", () => {
    expect(parseTable("x,y\n1,2\n,4\nn/a,6\n7,8")).toEqual({
      names: ["x", "y"],
      columns: [
        [1, 7],
        [2, 8],
      ],
      skipped: 2,
    });
  });

  test.each(["", "a,b\nc,d", "1\n2\n3"])("without two columns of numbers is an error: %j", (text) => {
    expect(() => parseTable(text)).toThrowErrorMatchingInlineSnapshot(
      `[Error: The text has no two columns of numbers. Paste lines such as 1.5, 2.25.]`,
    );
  });

  test("of many rows is thinned out evenly", () => {
    const rows = Array.from({ length: 3 * MAX_TABLE_ROWS }, (_, i) => i);
    const points = pointsOf(rows, rows);
    expect(points).toHaveLength(2 * MAX_TABLE_ROWS);
    expect(points.slice(0, 6)).toEqual([0, 0, 3, 3, 6, 6]);
  });
});
