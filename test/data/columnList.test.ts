import { expect, it } from "vitest";
import { joinColumnList, parseColumnList } from "../../src/tables/options/columnList.ts";

it("has names between commas or line breaks, quoted where they contain any", () => {
  expect(parseColumnList("a, b ,c")).toEqual(["a", "b", "c"]);
  // As of --columns "$(cat names.txt)".
  expect(parseColumnList("a\nb\r\nc,d\n")).toEqual(["a", "b", "c", "d"]);
  const names = ["a, b", " lead", 'in "quotes"', "two\nlines", "plain"];
  expect(parseColumnList(joinColumnList(names))).toEqual(names);
});
