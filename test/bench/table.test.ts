import { expect, test } from "vitest";
import { digits, range, table } from "../../bench/speed/table.ts";

test("columns are padded, the first aligned to the left and the others to the right", () => {
  expect(
    table(
      ["case", "ms"],
      [
        ["a", "1.50"],
        ["longer", "12345"],
      ],
    ),
  ).toBe(
    [
      "| case   |    ms |", //
      "| ------ | ----: |",
      "| a      |  1.50 |",
      "| longer | 12345 |",
    ].join("\n"),
  );
});

test("numbers have three significant digits and all digits before the decimal point", () => {
  expect([0.012345, 1, 9.999, 99.96, 123.4, 12345.6].map(digits)).toEqual([
    "0.0123",
    "1.00",
    "10.0",
    "100",
    "123",
    "12346",
  ]);
  expect(range([1, 20])).toBe("1.00 to 20.0");
});
