import { describe, expect, test } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { flatRows, type RowsInput, rowsAs } from "../../src/dataset/rowsInput.ts";

const VALUES = [1, 2, 3, 4, 5, 6];

describe("flatRows reads", () => {
  const forms: [string, RowsInput, readonly string[] | undefined][] = [
    ["a flat array", VALUES, undefined],
    ["a typed array", Float32Array.from(VALUES), undefined],
    [
      "an array of rows",
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      undefined,
    ],
    ["typed rows", [Float64Array.of(1, 2), [3, 4], Int8Array.of(5, 6)], undefined],
    [
      "an array of objects",
      [
        { x: 1, y: 2 },
        { y: 4, x: 3 },
        { x: 5, y: 6 },
      ],
      ["x", "y"],
    ],
    ["columns by name", { x: [1, 3, 5], y: Float32Array.of(2, 4, 6) }, ["x", "y"]],
  ];
  test.each(forms)("%s", (_, input, columns) => {
    const flat = flatRows(input, { features: 2 });
    expect({ ...flat, values: [...flat.values] }).toEqual({
      rows: 3,
      features: 2,
      values: VALUES,
      ...(columns && { columns }),
    });
  });

  test("and copies them", () => {
    const values = Float64Array.from(VALUES);
    const flat = flatRows(values, { features: 2 });
    values.fill(0);
    expect([...flat.values]).toEqual(VALUES);
  });

  test("names in the requested order", () => {
    const options = { columns: ["y", "x"] };
    expect([...flatRows([{ x: 1, y: 2 }], options).values]).toEqual([2, 1]);
    expect([...flatRows({ x: [1], y: [2] }, options).values]).toEqual([2, 1]);
  });

  test("no rows", () => {
    expect(flatRows([], { features: 2 }).rows).toBe(0);
    expect(flatRows([]).rows).toBe(0);
  });
});

describe("flatRows throws for", () => {
  const nan = Float64Array.of(1, 2, Number.NaN, 4);
  test.each<[string, unknown, string]>([
    ["a nested array", [[1, [2]]], "row 0, column 1 of rows is an array of 1: expected a finite number"],
    ["ragged rows", [[1, 2], [3]], "row 1 of rows has a wrong length: expected 2 numbers, received 1"],
    ["a string", "1,2", 'rows cannot be read: .* received "1,2"'],
    ["numbers as text", ["1", "2"], 'row 0, column 0 of rows is "1": expected a finite number'],
    [
      "text in a row",
      [
        [1, 2],
        [3, "4"],
      ],
      'row 1, column 1 of rows is "4": expected a finite number',
    ],
    [
      "text in an object",
      [
        { x: 1, y: 2 },
        { x: 3, y: "4" },
      ],
      'row 1, column "y" of rows is "4"',
    ],
    ["NaN", nan, "row 1, column 0 of rows is NaN: expected a finite number"],
    ["NaN in a column", { x: [1, 2], y: [3, Number.NaN] }, 'row 1, column "y" of rows is NaN'],
    ["null", null, "rows cannot be read: .* received null"],
    ["a hole", [[1, undefined]], "row 0, column 1 of rows is undefined"],
    ["a big integer", [1n, 2n], "row 0, column 0 of rows is 1n .a bigint.: expected a finite number"],
    ["a typed array of big integers", BigInt64Array.of(1n, 2n), "row 0, column 0 of rows is 1n"],
    [
      "half a row",
      [1, 2, 3],
      "the length of the flat array of rows is not a multiple of the row length: expected a multiple of 2, received 3",
    ],
    [
      "another number of columns",
      { x: [1], y: [2], z: [3] },
      "wrong number of columns in rows: expected 2, received 3",
    ],
    [
      "objects with other keys",
      [
        { x: 1, y: 2 },
        { x: 3, z: 4 },
      ],
      "row 1 of rows has wrong columns: expected x, y, received x, z",
    ],
    [
      "columns of other lengths",
      { x: [1, 2], y: [3] },
      'column "y" of rows has a different length: expected 2 numbers, as in "x", received 1',
    ],
    ["a promise", Promise.resolve([1, 2]), "rows cannot be read: .* received an empty object"],
  ])("%s", (_, input, message) => {
    expect(() => flatRows(input as RowsInput, { features: 2 })).toThrow(new RegExp(message, "s"));
  });

  test("a flat array without its number of features", () => {
    expect(() => flatRows([1, 2])).toThrow("a flat array of rows needs the number of features");
  });
});

test("dataset throws for names that are not one for each column", () => {
  const pairs = [
    [1, 2],
    [3, 4],
  ];
  expect(() => dataset(pairs, { columns: ["a"] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: columns of dataset are not valid: expected 2 different names, received ["a"].]`,
  );
  expect(() => dataset(pairs, { columns: ["a", "a"] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: columns of dataset are not valid: expected 2 different names, received ["a","a"].]`,
  );
  expect(() => dataset([1, 2, 3], { columns: ["a", "b"] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the length of the flat array of rows is not a multiple of the row length: expected a multiple of 2, received 3.]`,
  );
  expect(() => dataset(pairs, { context: [1, 2, 3] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the length of the flat array of the context is not a multiple of the number of rows: expected a multiple of 2, received 3.]`,
  );
  expect(() =>
    dataset(pairs, { context: pairs, contextColumns: ["a", "b", "c"] }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: contextColumns of dataset are not valid: expected 2 different names, received ["a","b","c"].]`,
  );
  const names = "ab" as unknown as string[];
  expect(() => dataset(pairs, { columns: names })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option columns of dataset has an invalid value: expected a list of strings, received "ab".]`,
  );
});

describe("rowsAs returns", () => {
  const flat = { rows: 2, features: 2, values: Float64Array.of(1, 2, 3, 4) };
  const named = { ...flat, columns: ["x", "y"] };
  test("rows, objects and columns", () => {
    expect(rowsAs("flat", flat)).toBe(flat.values);
    expect(rowsAs("rows", flat)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(rowsAs("objects", named)).toEqual([
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ]);
    expect(rowsAs("columns", named)).toEqual({ x: Float64Array.of(1, 3), y: Float64Array.of(2, 4) });
  });

  test("or throws for missing names and for an unknown form", () => {
    expect(() => rowsAs("objects", flat)).toThrow(
      'rows cannot be returned as "objects" because the columns have no names',
    );
    expect(() => rowsAs("table" as "rows", flat)).toThrow(
      'rows cannot be returned in this form: expected flat, rows, objects, columns, received "table"',
    );
  });
});
