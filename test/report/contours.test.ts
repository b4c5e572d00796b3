import { describe, expect, it } from "vitest";
import { readColumns } from "../../src/report/columns.ts";
import { kernelLogDensity, massLevels } from "../../src/report/contours.ts";
import { gaussians, table } from "./figures.ts";

const masses = [0.1, 0.3, 0.5, 0.7, 0.9, 0.99];

describe("massLevels", () => {
  it("finds the levels of a Gaussian: log p = log((1 - mass) / 2 pi)", () => {
    const nodes = Array.from({ length: 301 }, (_, i) => -6 + 0.04 * i);
    const grid = Float64Array.from(
      nodes.flatMap((y) => nodes.map((x) => -0.5 * (x * x + y * y) - Math.log(2 * Math.PI))),
    );
    const levels = massLevels(grid, masses);
    expect(levels).toHaveLength(6);
    masses.forEach((mass, k) => {
      expect(Math.abs(levels[5 - k]! - Math.log((1 - mass) / (2 * Math.PI)))).toBeLessThan(0.01);
    });
  });

  it("encloses the given mass, exceeded by at most one cell", () => {
    const grid = Float64Array.from([0.4, 0.3, 0.2, 0.1], Math.log);
    expect(massLevels(grid, [0.39, 0.5, 0.69, 0.95])).toEqual([0.1, 0.3, 0.4].map(Math.log));
  });

  it("treats -Infinity as no mass, and returns no levels without any mass", () => {
    expect(massLevels(Float64Array.of(-Infinity, 0, -Infinity), [0.5])).toEqual([0]);
    expect(massLevels(Float64Array.of(-Infinity, -Infinity), [0.5])).toEqual([]);
  });
});

describe("kernelLogDensity", () => {
  const random = gaussians(3);
  const samples = table(20_000, () => [5 + 2 * random(), 1e-4 * random()]);
  // Data wider in one column: rows and columns of the grid must not be confused.
  const data = table(1000, () => [5 + 2 * random(), 3e-4 * random()]);
  const [first, second] = readColumns({ columns: ["a", "b"], data, samples }, ["a", "b"]);
  const { x, y, values } = kernelLogDensity(first!, second!);

  it("integrates to one", () => {
    const cell = (x[1]! - x[0]!) * (y[1]! - y[0]!);
    expect(values.reduce((sum, value) => sum + Math.exp(value) * cell, 0)).toBeCloseTo(1, 2);
  });

  it("is close to the density of the samples, with x along rows and y along columns", () => {
    let worst = 0;
    for (let j = 0; j < y.length; j++) {
      for (let i = 0; i < x.length; i++) {
        const [u, v] = [(x[i]! - 5) / 2, y[j]! / 1e-4];
        const truth = Math.exp(-0.5 * (u * u + v * v)) / (2 * Math.PI);
        worst = Math.max(worst, Math.abs(Math.exp(values[j * x.length + i]!) * 2e-4 - truth));
      }
    }
    expect(worst).toBeLessThan(0.02);
  });
});
