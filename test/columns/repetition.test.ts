import { expect, it } from "vitest";
import { valuesRepeat } from "../../src/tables/notes/index.ts";

it("at most 200 values with five rows each repeat, and so does one value in a tenth of the rows", () => {
  const repeat = (distinct: number, rows: number, mode: number) =>
    valuesRepeat({ distinct, modeShare: mode / rows }, rows);
  expect(repeat(200, 1000, 6)).toBe(true);
  expect(repeat(201, 1005, 6)).toBe(false);
  expect(repeat(20, 99, 7)).toBe(false);
  expect(repeat(20, 100, 7)).toBe(true);
  expect(repeat(900, 1000, 100)).toBe(true);
  expect(repeat(900, 1000, 99)).toBe(false);
  expect(repeat(16, 20, 5)).toBe(true);
  expect(repeat(17, 20, 4)).toBe(false);
});
