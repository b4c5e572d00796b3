import { describe, expect, test } from "vitest";
import { ConstantFeatures } from "../../src/distributions/index.ts";
import { Random } from "../../src/random/index.ts";
import { fitTable } from "../../src/train/index.ts";
import { StreamedRows } from "../../src/train/rowStream.ts";

const FAR = 1.7e9 + 0.123;
const columns = ["a", "year", "b"];

/** Rows (a, FAR, b) of independent standard normals a and b. */
function table(rows: number, seed = 1): Float64Array {
  const z = new Random(seed).normal(new Float64Array(3 * rows));
  return z.map((v, i) => (i % 3 === 1 ? FAR : v));
}

const varying = (values: Float64Array) => values.filter((_, i) => i % 3 !== 1);
const inBlocks = (values: Float64Array, context?: Float64Array) => ({
  *blocks() {
    for (let row = 0; row < values.length / 3; row += 50) {
      const block = values.subarray(3 * row, 3 * row + 150);
      yield context ? { values: block, context: context.subarray(row, row + 50) } : block;
    }
  },
});

describe("constant columns", () => {
  const values = table(400);
  const options = { epochs: 1, seed: 3 };

  test.each(["memory", "a stream"])("of rows in %s are constants of the model", async (where) => {
    const data = where === "memory" ? { values } : { stream: inBlocks(values) };
    const others =
      where === "memory"
        ? { values: varying(values) }
        : {
            stream: {
              *blocks() {
                for (const block of inBlocks(values).blocks()) yield varying(block as Float64Array);
              },
            },
          };
    const whole = await fitTable({ columns, ...data }, options);
    const without = await fitTable({ columns: ["a", "b"], ...others }, options);
    expect(whole.validationLogDensity).toBe(without.validationLogDensity);
    expect(await whole.flow.logProb(values)).toEqual(await without.flow.logProb(varying(values)));
    expect(await whole.flow.logProb([0, FAR + 1, 0])).toEqual(Float64Array.of(Number.NEGATIVE_INFINITY));
    expect(varying(await whole.flow.sample(20))).toEqual(await without.flow.sample(20));
    expect((await whole.flow.sample(20)).filter((_, i) => i % 3 === 1)).toEqual(
      new Float64Array(20).fill(FAR),
    );
  });

  test("are none if a validation row has another value", async () => {
    const held = table(50, 2);
    const same = await fitTable({ columns, values }, { ...options, validation: { values: held } });
    expect(same.flow.base).toBeInstanceOf(ConstantFeatures);
    held[1] = 0;
    const other = await fitTable({ columns, values }, { ...options, validation: { values: held } });
    expect(other.flow.base).not.toBeInstanceOf(ConstantFeatures);
    expect(other.validationLogDensity).toBeGreaterThan(Number.NEGATIVE_INFINITY);
  });

  test("are refused where there are no others, and in the context", async () => {
    await expect(
      fitTable({ columns: ["a", "b"], values: [1, FAR, 1, FAR, 1, FAR] }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: all columns are constant: expected a column of at least two different values, received 1 in a, 1700000000.123 in b.
      Give a table with a column that varies.]
    `);
    const context = new Float64Array(400).fill(7);
    await expect(fitTable({ columns, values }, { context })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: column 0 of the context is constant: expected at least two different values, received 7 in all rows.
      Leave it out of the context: the others do not depend on it.]
    `);
    await expect(fitTable({ columns, stream: inBlocks(values, context) })).rejects.toThrow(
      "column 0 of the context is constant",
    );
  });

  test("do not hide a value that is not finite, nor its column", async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const bad = values.slice();
      bad[3 * 7 + 2] = value;
      await expect(fitTable({ columns, values: bad })).rejects.toThrow(`row 7, column 2 is ${value}`);
      await expect(fitTable({ columns, stream: inBlocks(bad) })).rejects.toThrow(
        `row 7, column 2 is ${value}`,
      );
    }
    await expect(fitTable({ columns, values: [1, 2, 3, 4] })).rejects.toMatchObject({ code: "SHAPE" });
    await expect(fitTable({ columns, values: [1, 2, 3] })).rejects.toThrow("too little to learn from");
  });

  test("of a stream are those of the whole pass, not of its sample", async () => {
    const rows = 250_000;
    const stream = (odd?: number) => ({
      *blocks() {
        for (let start = 0; start < rows; start += 50_000) {
          const block = Float64Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? start + i : 5));
          if (odd !== undefined && odd >= start && odd < start + 50_000) block[2 * (odd - start) + 1] = 6;
          yield block;
        }
      },
    });
    const constant = await StreamedRows.of(stream(), 2);
    expect([...constant.constants.values]).toEqual([[1, 5]]);
    const sampled = new Set(constant.sample.index);
    const odd = Array.from({ length: rows }, (_, row) => row).find((row) => !sampled.has(row))!;
    const varied = await StreamedRows.of(stream(odd), 2);
    expect(varied.sample.values).toEqual(constant.sample.values);
    expect(varied.constants.values.size).toBe(0);
  });
});
