import { describe, expect, test } from "vitest";
import {
  Actnorm,
  type Bijection,
  type DataRows,
  DiagonalScaling,
  Standardize,
} from "../../src/bijections/index.ts";
import { columnMoments, winsorizedRange } from "../../src/bijections/moments.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { expectClose } from "./invariants.ts";

const column = (values: ArrayLike<number>, weights?: number[]): DataRows => ({
  rows: values.length,
  features: 1,
  values: Float64Array.from(values),
  ...(weights && { weights: Float64Array.from(weights) }),
});

/** Repeats each row as often as its weight says. */
function repeated({ features, values, weights }: DataRows): DataRows {
  const rows = Array.from(weights!).flatMap((weight, r) =>
    Array.from({ length: weight }, () => values.subarray(r * features, (r + 1) * features)),
  );
  return { rows: rows.length, features, values: Float64Array.from(rows.flatMap((row) => [...row])) };
}

function standardized(values: ArrayLike<number>, weights?: number[]) {
  const bijection = new Standardize({ features: 1 });
  bijection.fitToData(column(values, weights));
  return { center: bijection.center.value[0], scale: bijection.scale.value[0] };
}

const normal = (size: number, seed = 1) => new Random(seed).normal(new Float64Array(size));

const weighted: DataRows = {
  rows: 400,
  features: 3,
  values: normal(1200).map((v, i) => v * 10 ** (i % 3) + (i % 3)),
  weights: Float64Array.from({ length: 400 }, (_, i) => i % 4),
};

describe("columnMoments", () => {
  test("returns the weighted mean and deviation", () => {
    const { mean, deviation } = columnMoments(column([1, 2, 6], [1, 2, 1]));
    expect(mean[0]).toBeCloseTo(11 / 4, 14);
    expect(deviation[0]).toBeCloseTo(Math.sqrt((1.75 ** 2 + 2 * 0.75 ** 2 + 3.25 ** 2) / 4), 14);
  });

  test("does not overflow or underflow", () => {
    for (const scale of [1e-320, 1e-300, 1e-170, 1, 1e170, 1e300, 5e307]) {
      const { mean, deviation } = columnMoments(column([scale, 3 * scale]));
      // Subnormal numbers have fewer digits.
      expect(mean[0] / scale).toBeCloseTo(2, scale < 1e-307 ? 3 : 12);
      expect(deviation[0] / scale).toBeCloseTo(1, scale < 1e-307 ? 3 : 12);
    }
    const { mean, deviation } = columnMoments(column([-Number.MAX_VALUE, Number.MAX_VALUE]));
    expect([mean[0], deviation[0]]).toEqual([0, Number.MAX_VALUE]);
  });

  test("ignores rows of weight 0, however large they are", () => {
    const { mean, deviation } = columnMoments(column([1e200, 1, 2, -1e300], [0, 1, 1, 0]));
    expect([mean[0], deviation[0]]).toEqual([1.5, 0.5]);
  });
});

describe("winsorizedRange", () => {
  const values = Float64Array.from({ length: 1000 }, (_, i) => (i * 7) % 1000);

  test("leaves out a fraction at either end", () => {
    expect(winsorizedRange(values, 0.01)).toEqual([9, 990]);
    expect(winsorizedRange(values.subarray(0, 1), 0.01)).toEqual([0, 0]);
  });

  test("counts weights as repetitions, and ignores rows of weight 0", () => {
    const { values: column, weights } = { ...weighted, values: weighted.values.subarray(0, 400) };
    const rows = repeated({ rows: 400, features: 1, values: column, weights });
    expect(winsorizedRange(column, 0.0213, weights)).toEqual(winsorizedRange(rows.values, 0.0213));
    const scaled = weights!.map((w) => w * 1e-9);
    expect(winsorizedRange(column, 0.0213, scaled)).toEqual(winsorizedRange(column, 0.0213, weights));
    expect(winsorizedRange(Float64Array.of(5, 1, 9), 0, Float64Array.of(1, 0, 0))).toEqual([5, 5]);
  });
});

describe.each([
  ["actnorm", () => new Actnorm({ features: 3 })],
  ["standardize", () => new Standardize({ features: 3 })],
] as [string, () => Bijection][])("%s", (_, make) => {
  test("is fitted such that z has mean 0 and standard deviation 1", async () => {
    const bijection = make();
    const data = { ...weighted, weights: undefined };
    bijection.fitToData!(data);
    const z = await compile((x) => bijection.inverse(x).value, [["N", 3]], { precision: "float64" })(
      data.values,
    );
    const { mean, deviation } = columnMoments({ ...data, values: Float64Array.from(z) });
    expectClose(mean, [0, 0, 0], 0.01, "mean");
    expectClose(deviation, [1, 1, 1], 0.03, "deviation");
  });

  test("counts a row of weight 2 as two rows", () => {
    const [a, b] = [make(), make()];
    a.fitToData!(weighted);
    b.fitToData!(repeated(weighted));
    const values = (bijection: Bijection) =>
      Object.values(bijection).flatMap((part) => (part?.value ? [...(part.value as Float64Array)] : []));
    expect(values(a).length).toBe(6);
    expectClose(values(a), values(b), 1e-6, "parameters");
  });

  test("maps a constant column without dividing by 0", async () => {
    const bijection = make();
    bijection.fitToData!({ rows: 4, features: 3, values: new Float64Array(12).fill(7) });
    const run = compile(
      (x) => {
        const { value, logDet } = bijection.inverse(x);
        return [value, logDet];
      },
      [["N", 3]],
    );
    const [z, logDet] = await run([7, 7, 8]);
    expect([...z]).toEqual([0, 0, 1]);
    expect(logDet[0]).toBeCloseTo(0, 12);
  });
});

test("DiagonalScaling is fitted to data and to latent rows such that the other side has standard deviation 1", async () => {
  const data = { ...weighted, weights: undefined };
  for (const [fit, direction] of [
    ["fitToData", "inverse"],
    ["fitToLatent", "forward"],
  ] as const) {
    const scaling = new DiagonalScaling({ features: 3 });
    scaling[fit](data);
    const run = compile((u) => scaling[direction](u).value, [["N", 3]], { precision: "float64" });
    const { deviation } = columnMoments({ ...data, values: Float64Array.from(await run(data.values)) });
    expectClose(deviation, [1, 1, 1], 1e-5, fit);
    await run.release();
  }
});

describe("Standardize", () => {
  test("is robust against outliers", () => {
    const values = normal(10_000);
    values[17] = 1e9;
    values[18] = -1e12;
    const { center, scale } = standardized(values);
    expect(Math.abs(center)).toBeLessThan(0.05);
    expect(scale).toBeGreaterThan(0.9);
    expect(scale).toBeLessThan(1.05);
  });

  test.each([0.9, 0.97, 0.985, 0.9899, 0.9901, 0.995, 0.9999])(
    "maps a column of which the fraction %d is one value to moderate numbers",
    (fraction) => {
      const size = 20_000;
      const values = Float64Array.from({ length: size }, (_, i) => (i < fraction * size ? 0 : 10 + (i % 11)));
      const { center, scale } = standardized(values);
      // The other values lie between 10 and 20.
      expect(Math.abs((20 - center) / scale)).toBeLessThan(250);
      expect(Math.abs(center / scale)).toBeLessThan(1);
    },
  );

  test("fits integers, flags and tiny and huge scales", () => {
    expect(standardized([0, 1, 2, 3]).scale).toBeCloseTo(Math.sqrt(1.25), 12);
    expect(standardized([0, 0, 0, 1]).scale).toBeCloseTo(Math.sqrt(3 / 16), 12);
    for (const scale of [1e-25, 1e-12, 1e12, 1e25]) {
      const values = normal(1000).map((v) => scale * (v + 3));
      expect(standardized(values).scale / scale).toBeGreaterThan(0.9);
      expect(standardized(values).scale / scale).toBeLessThan(1.1);
    }
  });

  test("treats a column of rounding errors as constant, and any other deviation as the scale", () => {
    expect(standardized([0.3, 0.1 + 0.2, 0.3, 0.1 + 0.2]).scale).toBe(1);
    expect(standardized([0, 5e-324, 1e-323])).toEqual({ center: 5e-324, scale: 5e-324 });
    for (const unit of [1e-300, 1e-200, 1e200, 5e307]) {
      expect(standardized([0, unit, 2 * unit]).scale / unit).toBeCloseTo(Math.sqrt(2 / 3), 12);
    }
  });

  test("fits a constant column exactly, with scale 1", () => {
    for (const value of [0.1, 1.7e9 + 0.123, -1 / 3, 1e300, 5e-324, Number.MAX_VALUE]) {
      for (const rows of [2, 3, 10, 1007]) {
        expect(standardized(new Array(rows).fill(value))).toEqual({ center: value, scale: 1 });
        const weights = Array.from({ length: rows }, (_, i) => 0.1 * (1 + (i % 3)));
        expect(standardized(new Array(rows).fill(value), weights)).toEqual({ center: value, scale: 1 });
      }
    }
  });

  test("distinguishes a deviation of a few hundred float64 rounding errors from a constant", () => {
    const values = normal(1000).map((v) => 1.7e9 + 1e-4 * v);
    expect(standardized(values).scale / 1e-4).toBeGreaterThan(0.9);
    expect(standardized(values).scale / 1e-4).toBeLessThan(1.1);
  });

  test("is not trained", () => {
    const { center, scale } = new Standardize({ features: 2 });
    expect([center.trainable, scale.trainable]).toEqual([false, false]);
  });
});
