import { describe, expect, test } from "vitest";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { MixedMade } from "../../src/tables/densities/mixedMade.ts";
import { atoms, categorical, combinations, continuous, lattice, randomize } from "./mixedColumns.ts";

const { NaN: missing, NEGATIVE_INFINITY } = Number;
const POSITIONS = [0, 1];

function compileMade(head: ColumnHeadOptions, radius: number) {
  const made = new MixedMade({ columns: [categorical, head], network: { hidden: [12, 12] } }, new Random(1));
  randomize(made);
  return compile(
    (x) => ({
      conditionals: made.conditionals(x, POSITIONS).transpose(),
      masses: made.conditionalMasses(x, POSITIONS, [0, radius]).transpose(),
    }),
    [["N", 2]],
    { precision: "float64" },
  );
}

const compiled = new Map<ColumnHeadOptions, Map<number, ReturnType<typeof compileMade>>>();

/** The conditional log-probabilities or log-densities of the second of two columns, and its log-masses within `radius`. */
async function secondColumn(head: ColumnHeadOptions, radius: number, rows: number[][]) {
  const ofRadius = compiled.get(head) ?? new Map<number, ReturnType<typeof compileMade>>();
  compiled.set(head, ofRadius);
  const run = ofRadius.get(radius) ?? compileMade(head, radius);
  ofRadius.set(radius, run);
  const { conditionals, masses } = await run(Float64Array.from(rows.flat()));
  const second = (_: unknown, n: number) => 2 * n + 1;
  return {
    conditionals: rows.map(second).map((i) => conditionals[i]!),
    masses: rows.map(second).map((i) => masses[i]!),
  };
}

/** The integral of a density over [from, to]. The nodes are dense at `from`, where the density can grow without bound. */
async function integral(head: ColumnHeadOptions, label: number, from: number, to: number): Promise<number> {
  const [count, power] = [5001, 6];
  const places = Array.from({ length: count }, (_, i) => (i + 0.5) / count);
  const rows = places.map((t) => [label, from + (to - from) * t ** power]);
  const { conditionals } = await secondColumn(head, 0, rows);
  const slopes = places.map((t) => power * (to - from) * t ** (power - 1));
  return conditionals.reduce((sum, logDensity, i) => sum + (Math.exp(logDensity) * slopes[i]!) / count, 0);
}

describe("the conditional mass within a radius", () => {
  test("is the integral of the density of a continuous column", async () => {
    for (const x of [-1, 0.4, 2.5]) {
      const { masses } = await secondColumn(continuous, 0.3, [[1, x]]);
      expect(Math.exp(masses[0]!)).toBeCloseTo(await integral(continuous, 1, x - 0.3, x + 0.3), 7);
    }
  });

  test("contains the probabilities of atoms within the radius, also of one at a bound, beyond which it is 0", async () => {
    const bounded: ColumnHeadOptions = {
      ...atoms,
      gaps: false,
      atoms: [0.5, 1],
      scale: { type: "log", low: 0.5 },
    };
    const at = await secondColumn(bounded, 0.2, [
      [2, 0.5],
      [2, 1],
      [2, 1.1],
      [2, 2],
      [2, 0.4],
    ]);
    const [low, one] = at.conditionals.map(Math.exp) as [number, number];
    const [ofLow, ofOne, nearOne, ofTwo, outside] = at.masses.map(Math.exp) as [
      number,
      number,
      number,
      number,
      number,
    ];
    expect(ofLow).toBeCloseTo(low + (await integral(bounded, 2, 0.5, 0.7)), 4);
    expect(ofOne).toBeCloseTo(one + (await integral(bounded, 2, 0.8, 1.2)), 7);
    expect(nearOne).toBeCloseTo(one + (await integral(bounded, 2, 0.9, 1.3)), 7);
    expect(ofTwo).toBeCloseTo(await integral(bounded, 2, 1.8, 2.2), 7);
    expect(outside).toBe(0);
  });

  test("is the sum of the probabilities of the cells of a lattice whose distance is at most the radius", async () => {
    const cells = [0, 1, 2, 3, 4];
    const rows = combinations([[0], cells]);
    for (const radius of [0, 0.9, 1.5, 4]) {
      const { conditionals, masses } = await secondColumn(lattice, radius, rows);
      for (const cell of cells) {
        const within = conditionals.filter((_, other) => Math.abs(other - cell) <= radius);
        expect(Math.exp(masses[cell]!)).toBeCloseTo(
          within.reduce((sum, value) => sum + Math.exp(value), 0),
          10,
        );
      }
    }
    const { masses } = await secondColumn(lattice, 1, [
      [0, 0.5],
      [0, 5],
    ]);
    expect(masses).toEqual([NEGATIVE_INFINITY, NEGATIVE_INFINITY]);
  });

  test("is the probability of a label and of a missing value", async () => {
    const gaps = await secondColumn(atoms, 10, [[0, missing]]);
    expect(gaps.masses).toEqual([expect.closeTo(gaps.conditionals[0]!, 12)]);
    const labels = await secondColumn(categorical, 10, combinations([[1], [0, 1, 2]]));
    expect(labels.masses).toEqual(labels.conditionals);
  });
});
