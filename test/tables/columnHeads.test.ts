import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { parse } from "../../src/check/parse.ts";
import { columnHeads } from "../../src/tables/columns/columnHeads.ts";
import { encodeColumn, labelCodes } from "../../src/tables/columns/encode.ts";
import { featureNames, type LatticeColumn, type RawColumn } from "../../src/tables/columns/tableColumn.ts";
import { columnHeadSchema } from "../../src/tables/densities/heads/columnHead.ts";
import { infer } from "./infer.ts";
import { normal, numbers, sequence, texts, times, uniform } from "./rawColumns.ts";

/** The heads of a column, which are valid. */
function heads(raw: RawColumn) {
  const column = infer(raw);
  const found = columnHeads(column, encodeColumn(column, labelCodes(column, raw)));
  expect(found).toHaveLength(featureNames(column).length);
  return parse(z.array(columnHeadSchema), found, "heads");
}
const atoms = (raw: RawColumn) => heads(raw).map((head) => ("atoms" in head ? head.atoms : []));

describe("heads of columns", () => {
  it("have atoms at values that many rows have, and at bounds", () => {
    expect(atoms(numbers(normal(500)))).toEqual([[]]);
    expect(atoms(numbers(uniform(500).map((u, i) => (i % 10 < 7 ? 0 : -Math.log(u)))))).toEqual([[0]]);
    // The feature is the value minus the lower bound.
    expect(atoms(numbers(normal(500).map((x) => Math.max(-1, Math.min(2, x)))))).toEqual([[0, 3]]);
    expect(atoms(numbers(uniform(500).map((u, i) => (i % 10 === 0 ? -999 : 5 * u))))).toEqual([[-999, 0]]);
    const inflated = sequence(500, (i) => (i % 2 ? 40 : i % 83));
    expect(atoms(numbers(inflated))[0]).toContain(40);
  });

  it("have an atom at a frequent cell only if its neighbors are much less frequent", () => {
    // 300 lengths in millimeters: many rows have each value, but a smooth distribution explains them.
    expect(atoms(numbers(normal(300).map((x) => Math.round(4 * x))))).toEqual([[]]);
    // A third of the rows are rounded to a multiple of 10.
    const heaped = numbers(
      normal(1000).map((x, i) => (i % 3 === 0 ? 10 * Math.round(x) : Math.round(10 * x))),
    );
    const { first, step } = infer(heaped) as LatticeColumn;
    const peaks = atoms(heaped)[0]!.map((cell) => first + step * cell);
    expect(peaks).toEqual(expect.arrayContaining([-10, 0, 10]));
    expect(peaks.every((value) => value % 10 === 0)).toBe(true);
  });

  it("have gaps, periods and cells", () => {
    expect(heads(numbers([1, 2, null, 3, 1, 2]))).toMatchObject([{ type: "lattice", gaps: true }]);
    expect(
      heads(
        numbers(
          sequence(100, (i) => i % 24),
          { name: "hour" },
        ),
      ),
    ).toMatchObject([{ periods: [24] }]);
    expect(
      heads(
        numbers(
          sequence(100, (i) => 5 * (i % 12)),
          { name: "minute" },
        ),
      ),
    ).toMatchObject([{ periods: [12] }]);
    const dates = times(
      "timestamp",
      sequence(60, (i) => new Date(5_000_000_000 * i).toISOString().slice(0, -5)),
    );
    // All seconds are 0, 20 or 40.
    expect(heads(dates).slice(1)).toMatchObject([7, 24, 60, 3].map((cells) => ({ type: "lattice", cells })));
  });

  it("give labels that were not seen the share of those that were seen once", () => {
    const [rare] = heads(texts(sequence(200, (i) => (i < 196 ? "common" : `rare ${i}`))));
    expect(rare).toMatchObject({ type: "categorical", categories: 5, unseen: 4 / 201 });
    // Rows without a label count too, because the probability is that of a row.
    const withGaps = sequence(200, (i) => (i < 150 ? null : i < 196 ? "common" : `rare ${i}`));
    expect(heads(texts(withGaps))).toMatchObject([{ gaps: true, unseen: 4 / 201 }]);
    const [none] = heads(texts(sequence(200, (i) => "ab"[i % 2]!)));
    expect(none).toMatchObject({ unseen: 0.5 / 201 });
    // There is no third boolean.
    expect(
      heads(
        numbers(
          sequence(200, (i) => i % 2),
          { type: "boolean" },
        ),
      ),
    ).toMatchObject([{ categories: 2, unseen: 0 }]);
    const yesOrNo = infer(texts(["yes", "no", null, "no"]), { kind: "boolean" });
    expect(columnHeads(yesOrNo, [Float64Array.of(0, 1, Number.NaN, 1)])).toMatchObject([
      { categories: 2, unseen: 0, gaps: true },
    ]);
  });

  it("give the cells of a lattice that were not seen half a row", () => {
    expect(heads(numbers(sequence(200, (i) => i % 40)))).toMatchObject([
      { type: "lattice", unseen: 0.5 / 201 },
    ]);
    expect(heads(numbers([1, 2, 1, null]))).toMatchObject([{ type: "lattice", unseen: 0.05 }]);
    const days = times(
      "date",
      sequence(60, (i) => new Date(86_400_000 * i).toISOString().slice(0, 10)),
    );
    for (const head of heads(days)) expect(head).toMatchObject({ type: "lattice", unseen: 0.5 / 61 });
  });

  it("are valid if all training rows lack a value", () => {
    const columns = [
      numbers(sequence(50, (i) => i % 7)),
      numbers(sequence(50, (i) => 2 ** (i % 12))),
      numbers(normal(50)),
      texts(sequence(50, (i) => "ab"[i % 2]!)),
      times(
        "timestamp",
        sequence(50, (i) => new Date(5_000_000_000 * i).toISOString().slice(0, -5)),
      ),
    ].map((raw) => infer(raw));
    for (const column of columns) {
      const features = featureNames(column).map(() => new Float64Array(20).fill(Number.NaN));
      const found = parse(z.array(columnHeadSchema), columnHeads(column, features), "heads");
      expect(found).toHaveLength(features.length);
    }
  });

  it("are valid for extreme columns", () => {
    const extreme: RawColumn[] = [
      numbers([1, 2]),
      numbers([null, 0.5, 1.25]),
      numbers([0, 1e30]),
      numbers(normal(100).map((x) => 1e29 * x)),
      numbers(normal(100).map((x) => 1e-29 * x)),
      numbers(normal(100).map((x) => 1e15 + x)),
      numbers(sequence(100, (i) => (i === 0 ? 1e25 : Math.sin(i)))),
      numbers(sequence(100, (i) => (i === 0 ? 1 : 0))),
      numbers(sequence(100, (i) => (i === 0 ? 0.123456789012 : 0))),
      numbers(sequence(1000, (i) => (i < 999 ? 1 / 3 : i))),
      numbers(uniform(100), { name: "wind_dir" }),
      numbers(
        sequence(5000, (i) => i % 1000),
        { type: "integer" },
      ),
      numbers(
        normal(100).map((x) => Math.round(x * 2 ** 60)),
        { type: "integer" },
      ),
      numbers([1, 0, null], { type: "boolean" }),
      texts(sequence(4000, (i) => `label ${i % 2000}`)),
      times("date", ["0001-01-01", "9999-12-31", "2020-02-29"]),
      times("date", ["2020-01-01", null, "2020-01-02"]),
      times("time", ["00:00", "23:59:59.999"]),
      times("timestamp", ["1969-12-31T23:59:59.999", "2262-04-12T00:00"]),
    ];
    for (const raw of extreme) expect(() => heads(raw)).not.toThrow();
  });
});
