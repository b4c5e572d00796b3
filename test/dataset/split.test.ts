import { describe, expect, it } from "vitest";
import { equalRows } from "../../src/dataset/equalRows.ts";
import { dataset, InMemoryDataset, StreamedDataset } from "../../src/dataset/index.ts";
import { range } from "../../src/dataset/range.ts";
import { maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";

const rowsOf = (values: ArrayLike<number>, features: number, weights?: Float64Array) =>
  dataset(values, { features, weights });

/** `count` different rows of two normal numbers, each repeated `times` times, in random order. */
function repeated(count: number, times: number): Float64Array {
  const distinct = new Random(1).normal(new Float64Array(2 * count));
  const order = new Random(2).permutation(count * times);
  return Float64Array.from({ length: 2 * count * times }, (_, i) => {
    const row = order[Math.floor(i / 2)] % count;
    return distinct[2 * row + (i % 2)];
  });
}

const copiesIn = (data: Parameters<typeof equalRows>[0]) =>
  equalRows(data).firstRows.filter((first, row) => first !== row).length;

const keys = ({ values, rows }: InMemoryDataset) =>
  Array.from({ length: rows }, (_, row) => values.subarray(2 * row, 2 * row + 2).join());

describe("equal rows", () => {
  it("are grouped by their first row, where 0 equals -0 and contexts count", () => {
    const own = Array.from({ length: 100 }, (_, i) => Math.sqrt(i + 0.5));
    const values = Float64Array.from([...own, 0, -0, 7, 7, Math.sqrt(1.5)]);
    const context = Float64Array.from([...own, 1, 1, 1, 2, 9]);
    const { firstRows: first, groupSizes: sizes } = equalRows({ rows: 105, values, context });
    expect([...first.subarray(100)]).toEqual([100, 100, 102, 103, 104]);
    expect([sizes[100], sizes[101], sizes[102], sizes[1]]).toEqual([2, 0, 1, 1]);
    expect(copiesIn({ rows: 105, values, context: new Float64Array(0) })).toBe(3);
  });

  it("are not copies if all columns have few values, as in binary data", () => {
    const values = new Random(1).uniform(new Float64Array(2000)).map(Math.round);
    expect(copiesIn({ rows: 500, values, context: new Float64Array(0) })).toBe(0);
  });

  it("are copies only if independent columns would repeat far fewer rows", () => {
    const n = 500;
    const uniform = new Random(1).uniform(new Float64Array(3 * n));
    /** An age, a sex and, at `digits` decimals, an income. */
    const people = (digits: number) =>
      Array.from(range(n)).flatMap((row) => {
        const [age, sex, income] = uniform.subarray(3 * row, 3 * row + 3);
        return [18 + Math.floor(70 * age), Math.round(sex), Number(income.toFixed(digits))];
      });
    const context = new Float64Array(0);
    const onlyAgeAndSex = people(0).filter((_, i) => i % 3 < 2);
    expect(copiesIn({ rows: n, values: onlyAgeAndSex, context })).toBe(0);
    expect(copiesIn({ rows: n, values: people(5), context })).toBe(0);
    const withCopies = [...people(5), ...people(5).slice(0, 60)];
    expect(copiesIn({ rows: n + 20, values: withCopies, context })).toBe(20);
  });

  it("of one column are copies, unless its values are rounded", () => {
    const context = new Float64Array(0);
    const values = new Random(1).normal(new Float64Array(200));
    expect(copiesIn({ rows: 400, values: [...values, ...values], context })).toBe(200);
    const rounded = values.map((value) => Math.round(20 * value));
    expect(copiesIn({ rows: 200, values: rounded, context })).toBe(0);
  });

  it("are not confused by hash collisions among a million rows", () => {
    const values = Float64Array.from({ length: 1_000_000 }, (_, i) => i);
    expect(copiesIn({ rows: 1_000_000, values, context: new Float64Array(0) })).toBe(0);
  });
});

describe("a split", () => {
  it("holds out large groups of equal rows as often as small ones", () => {
    // Half of the rows are different, the others are in groups of ten.
    const own = new Random(3).normal(new Float64Array(1000));
    const shared = new Random(4).normal(new Float64Array(100));
    const values = Float64Array.from({ length: 2000 }, (_, i) =>
      i < 1000 ? own[i] : shared[Math.floor((i - 1000) / 10)],
    );
    let repeatedRows = 0;
    let total = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { validation } = rowsOf(values, 1).split(0.1, seed);
      repeatedRows += validation.values.filter((value) => shared.includes(value)).length;
      total += validation.rows;
    }
    expect(Math.abs(repeatedRows / total - 0.5)).toBeLessThan(0.05);
  });

  it("holds out as many rows of frequent values as their share, where rows are equal by chance", () => {
    // One of two labels, an amount that is often 0, and a number that is often missing.
    const uniform = new Random(7).uniform(new Float64Array(8000));
    const values = Float64Array.from({ length: 6000 }, (_, i) => {
      const [n, column] = [Math.floor(i / 3), i % 3];
      const x = uniform[4 * n + column];
      if (column === 0) return Math.round(x);
      return x < 0.3 ? [0, Number.NaN][column - 1] : x;
    });
    const share = ({ values, rows }: InMemoryDataset) =>
      range(rows).filter((n) => values[3 * n + 1] === 0 && Number.isNaN(values[3 * n + 2])).length / rows;
    const all = new InMemoryDataset({ features: 3, values });
    expect(share(all)).toBeCloseTo(0.09, 1);
    for (let seed = 0; seed < 5; seed++) {
      const { validation } = all.split(0.1, seed);
      expect(validation.rows).toBe(200);
      // Three standard errors.
      expect(Math.abs(share(validation) - share(all))).toBeLessThan(0.06);
    }
  });

  it.each([0, 1, 2])("keeps equal rows on the same side, seed %i", (seed) => {
    const { training, validation } = rowsOf(repeated(300, 5), 2).split(0.1, seed);
    expect(training.rows + validation.rows).toBe(1500);
    expect(validation.rows).toBeGreaterThan(140);
    expect(validation.rows).toBeLessThanOrEqual(150);
    const known = new Set(keys(training));
    expect(keys(validation).filter((key) => known.has(key))).toEqual([]);
  });

  it("of different rows holds out the requested number, in the order of the table", () => {
    const { training, validation } = rowsOf(repeated(1000, 1), 2).split(0.1, 0);
    expect([training.rows, validation.rows]).toEqual([900, 100]);
    for (const { rowNumbers } of [training, validation]) expect(rowNumbers).toEqual(rowNumbers.toSorted());
  });

  it("may split the copies of a row that has more of them than held-out rows", () => {
    const values = new Random(1).normal(new Float64Array(1000)).map((x, i) => (i % 2 === 0 ? 0 : x));
    const { validation } = rowsOf(values, 1).split(0.1, 0);
    const zeros = validation.values.filter((x) => x === 0).length;
    expect(validation.rows).toBe(100);
    expect(zeros).toBeGreaterThan(35);
    expect(zeros).toBeLessThan(65);
  });

  it("has rows on both sides even if all rows are equal", () => {
    const { training, validation } = rowsOf(new Float64Array(10).fill(3), 1).split(0.1, 0);
    expect([training.rows, validation.rows]).toEqual([9, 1]);
  });

  it.each([0, 1, 2])("is stratified by weight, seed %i", (seed) => {
    const weights = Float64Array.from({ length: 1000 }, (_, i) => (i % 50 === 0 ? 1000 : 1));
    const { validation } = rowsOf(repeated(1000, 1), 2, weights).split(0.1, seed);
    expect(validation.weights.filter((weight) => weight === 1000)).toHaveLength(2);
  });

  it("of a stream excludes copies of held-out rows from training", async () => {
    const values = repeated(30_000, 10);
    const blocks = function* () {
      for (let start = 0; start < values.length; start += 20_000) yield values.slice(start, start + 20_000);
    };
    const all = await StreamedDataset.of(blocks, { features: 2 });
    const { training, validation } = all.split(0.1, 0);
    const heldOut = new Set(keys(validation));
    let learned = 0;
    for await (const block of training.blocks()) {
      learned += block.rows;
      for (const key of keys(block)) if (heldOut.has(key)) throw new Error(`${key} is on both sides`);
    }
    expect(heldOut.size).toBeGreaterThan(1000);
    expect(learned).toBe(300_000 - 10 * heldOut.size);
  });
});

describe("row weights", () => {
  it.each([
    [-1, "the weight of row 3 is -1: expected a finite number that is not negative."],
    [Number.NaN, "the weight of row 3 is NaN: expected a finite number that is not negative."],
  ])("of %f are an error", async (weight, message) => {
    const weights = [1, 1, 1, weight, 1, 1];
    await expect(fit(maf(1), [1, 2, 3, 4, 5, 6], { weights })).rejects.toThrow(message);
  });

  it("that are all 0 are an error", async () => {
    const weights = new Float64Array(6);
    await expect(fit(maf(1), [1, 2, 3, 4, 5, 6], { weights })).rejects.toThrow(
      "all training rows have weight 0: expected a positive weight in some of them.",
    );
  });
});

it("refuses a fraction that is not between 0 and 1", () => {
  const data = dataset([1, 2, 3, 4], { features: 1 });
  expect(() => data.split(2, 0)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the fraction of split is not valid: expected a number above 0 and below 1, received 2.]`,
  );
  for (const fraction of [-1, 0, 1, Number.NaN])
    expect(() => data.split(fraction, 0)).toThrow("the fraction of split is not valid");
});
