import { mkdirSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { loadTable, splitByDistinctRows } from "../../bench/tables.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

test("of ten distinct rows the first is a test row and the second a validation row, and copies are in the same part", () => {
  const distinct = Array.from({ length: 20 }, (_, i) => [i, -i]);
  // Copies of rows 0 (test), 1 (validation) and 5 (training); one copy of row 0 is in the middle.
  const rows = [...distinct.slice(0, 8), [0, 0], ...distinct.slice(8), [1, -1], [5, -5], [0, 0]];
  const { train, validation, test } = splitByDistinctRows(rows);
  expect(test.map(([x]) => x)).toEqual([0, 0, 10, 0]);
  expect(validation.map(([x]) => x)).toEqual([1, 11, 1]);
  expect(train.map(([x]) => x)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19, 5]);
});

const files = temporaryDirectory();
const directory = files.path("");
beforeAll(() => {
  mkdirSync(files.path("uci"));
  // A hundred rows, every third of which equals an earlier one except for the class, which is dropped.
  const rows = Array.from({ length: 100 }, (_, i) => (i % 3 === 2 ? i - 2 : i)).map(
    (k, i) => `${k % 2},${k ** 2},${i}`,
  );
  files.write("uci/banknote.csv", ["a,b,class", ...rows].join("\n"));
});

const rowsOf = (values: Float64Array) =>
  Array.from({ length: values.length / 2 }, (_, i) => values.subarray(2 * i, 2 * i + 2).join());

test("no row of a loaded table is in two parts, even if rows differ only in dropped columns", () => {
  const { train, validation, test } = loadTable("banknote", directory);
  const parts = [train, validation, test].map(rowsOf);
  expect(parts.flat()).toHaveLength(100);
  const distinct = parts.map((rows) => new Set(rows));
  expect(distinct.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(parts.flat()).size);
  expect(new Set(parts.flat()).size).toBe(67);
});

test("columns of few distinct values are dequantized after the split, so that each part has as many rows as without noise", () => {
  const plain = loadTable("banknote", directory);
  const noisy = loadTable("banknote_dq", directory);
  expect(noisy.dequantized).toEqual(["a"]);
  for (const part of ["train", "validation", "test"] as const)
    expect(noisy[part]).toHaveLength(plain[part].length);
  const values = noisy.train.filter((_, i) => i % 2 === 0);
  expect(new Set(values).size).toBe(values.length);
  expect(noisy.digest).not.toBe(plain.digest);
});
