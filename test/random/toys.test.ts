import { describe, expect, test } from "vitest";
import { mean } from "../../src/numerics/mean.ts";
import { toys } from "../../src/random/toys.ts";

const all = Object.entries(toys);
const known = all.flatMap(([name, toy]) => (toy.logDensity ? [[name, toy, toy.logDensity] as const] : []));

/** Log-densities on an n x n grid over the toy's range, extended by a fraction of it, and the area of a cell. */
function onGrid([, { range }, logDensity]: (typeof known)[number], n: number, wider: number) {
  const [x, y] = range.map(([lower, upper]) => {
    const [from, width] = [lower - wider * (upper - lower), (1 + 2 * wider) * (upper - lower)];
    return { at: (i: number) => from + ((i + 0.5) * width) / n, cell: width / n };
  });
  const rows = Float64Array.from({ length: 2 * n * n }, (_, i) => {
    const k = Math.floor(i / 2);
    return i % 2 === 0 ? x.at(k % n) : y.at(Math.floor(k / n));
  });
  return { logDensity: logDensity(rows), area: x.cell * y.cell };
}

describe.each(all)("%s", (_, toy) => {
  test("draws the same rows for the same seed, different rows for another, and first rows that do not depend on their number", () => {
    expect(toy(100, { seed: 3 })).toEqual(toy(100, { seed: 3 }));
    expect(toy(100, { seed: 3 }).slice(0, 20)).toEqual(toy(10, { seed: 3 }));
    expect(toy(10)).toEqual(toy(10, { seed: 0 }));
    expect(toy(10, { seed: 3 })).not.toEqual(toy(10, { seed: 4 }));
    expect(toy(0)).toEqual(new Float64Array());
  });

  test("has nearly all rows in its range, and fills it", () => {
    const rows = toy(20_000, { seed: 1 });
    for (const [d, [lower, upper]] of toy.range.entries()) {
      const column = rows.filter((_, i) => i % 2 === d).sort();
      expect(column.filter((x) => x < lower || x > upper).length / column.length).toBeLessThan(0.004);
      expect((column[19_900] - column[100]) / (upper - lower)).toBeGreaterThan(0.7);
    }
  });

  test("has the entropy that the nearest-neighbour estimator returns", () => {
    // Kozachenko and Leonenko (1987): mean of log(pi distance^2 (n - 1)) + Euler's constant.
    const n = 4000;
    const rows = toy(n, { seed: 2 });
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let nearest = Number.POSITIVE_INFINITY;
      for (let j = 0; j < n; j++) {
        const squared = (rows[2 * i] - rows[2 * j]) ** 2 + (rows[2 * i + 1] - rows[2 * j + 1]) ** 2;
        if (squared < nearest && i !== j) nearest = squared;
      }
      sum += Math.log(Math.PI * nearest * (n - 1));
    }
    expect(Math.abs(sum / n + 0.5772156649 - toy.entropy)).toBeLessThan(0.1);
  });
});

describe.each(known)("the density of %s", (name, toy, logDensity) => {
  // The banana extends far beyond its range, and the edges of the checkerboard are edges of cells.
  const [cells, wider] = { banana: [200, 1.5], checkerboard: [64, 0.5] }[name as string] ?? [160, 0.3];
  const grid = onGrid([name, toy, logDensity], cells, wider);

  test("integrates to 1, and -p log p integrates to the entropy, all digits of which are correct", () => {
    const density = grid.logDensity.map(Math.exp);
    const surprise = density.map((p, i) => (p > 0 ? -p * grid.logDensity[i] : 0));
    expect(mean(density) * density.length * grid.area).toBeCloseTo(1, 6);
    expect(mean(surprise) * density.length * grid.area).toBeCloseTo(toy.entropy, 5);
  });

  test("has a mean logarithm over rows of minus the entropy, within four standard errors", () => {
    const values = logDensity(toy(4000, { seed: 5 }));
    const variance = mean(values.map((v) => (v - mean(values)) ** 2));
    expect(Math.abs(mean(values) + toy.entropy)).toBeLessThanOrEqual(4 * Math.sqrt(variance / 4000) + 1e-9);
  });

  test("is low far away but not NaN, except for a NaN", () => {
    const [far, near, nan] = logDensity([1e3, -1e3, toy(1)[0], toy(1)[1], Number.NaN, 0]);
    expect(far).toBeLessThan(-100);
    expect(near).toBeGreaterThan(-15);
    expect(nan).toBeNaN();
  });
});

test("the banana is a transformed normal distribution: the inverse transform returns N(0, 1) and N(0, 4)", () => {
  const rows = toys.banana(50_000, { seed: 7 });
  const y = rows.filter((_, i) => i % 2 === 1);
  const straight = y.map((value, i) => rows[2 * i] - value ** 2 / 4);
  expect(Math.abs(mean(y))).toBeLessThan(0.04);
  expect(mean(y.map((v) => v ** 2))).toBeCloseTo(4, 0);
  expect(Math.abs(mean(straight))).toBeLessThan(0.02);
  expect(mean(straight.map((v) => v ** 2))).toBeCloseTo(1, 1);
  expect(Math.abs(mean(straight.map((v, i) => v * y[i])))).toBeLessThan(0.04);
});

test("the checkerboard fills its eight squares equally", () => {
  const rows = toys.checkerboard(40_000, { seed: 8 });
  const counts = new Map<string, number>();
  for (let i = 0; i < rows.length; i += 2) {
    const square = `${Math.floor(rows[i] / 2)},${Math.floor(rows[i + 1] / 2)}`;
    counts.set(square, (counts.get(square) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(
    ["-2,-2", "-2,0", "-1,-1", "-1,1", "0,-2", "0,0", "1,-1", "1,1"].sort(),
  );
  for (const count of counts.values()) expect(Math.abs(count - 5000)).toBeLessThan(4 * Math.sqrt(5000));
});

test("the entropy of the pinwheel is that of its five transformed normal distributions", () => {
  // A point at (a, b) of an arm lies where it can also have come from other arms: the roots a of
  // a = [R(-angle_k(a)) x]_1, each with the density N(a; 1, 0.3) N(b; 0, 0.1) / (4 |1 - b d angle / d a|).
  const normal = (x: number, mean: number, deviation: number) =>
    Math.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
  const density = (x: number, y: number) => {
    let sum = 0;
    for (let k = 0; k < 5; k++) {
      const rotated = (a: number) => {
        const angle = (2 * Math.PI * k) / 5 + 0.25 * Math.exp(a);
        return [
          x * Math.cos(angle) + y * Math.sin(angle),
          y * Math.cos(angle) - x * Math.sin(angle),
        ] as const;
      };
      const excess = (a: number) => a - rotated(a)[0];
      const cell = 0.01;
      for (let from = -1.1 + 1e-7; from < 3.1; from += cell) {
        let [lower, upper] = [from, from + cell];
        const sign = Math.sign(excess(lower));
        if (sign === Math.sign(excess(upper))) continue;
        for (let i = 0; i < 45; i++) {
          const middle = (lower + upper) / 2;
          if (Math.sign(excess(middle)) === sign) lower = middle;
          else upper = middle;
        }
        const b = rotated(lower)[1];
        sum += (normal(lower, 1, 0.3) * normal(b, 0, 0.1)) / Math.abs(1 - 0.25 * Math.exp(lower) * b) / 20;
      }
    }
    return sum;
  };
  const nodes = Array.from({ length: 57 }, (_, i) => (i - 28) * 0.2);
  let entropy = 0;
  for (const s of nodes) {
    for (const t of nodes) {
      const [a, b] = [1 + 0.3 * s, 0.1 * t];
      const angle = 0.25 * Math.exp(a);
      const [x, y] = [a * Math.cos(angle) - b * Math.sin(angle), a * Math.sin(angle) + b * Math.cos(angle)];
      entropy -= 0.04 * normal(s, 0, 1) * normal(t, 0, 1) * Math.log(density(x, y));
    }
  }
  expect(entropy).toBeCloseTo(toys.pinwheel.entropy, 5);
});

test("an invalid number of rows is an error", () => {
  expect(() => toys.circles(2.5)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the number of rows is not valid: expected 0, 1, 2, ..., received 2.5.]`,
  );
  expect(() => toys.circles(2, { seed: -1 })).toThrow(
    "the option seed of a toy distribution has an invalid value",
  );
});
