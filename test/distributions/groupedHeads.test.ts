import { describe, expect, test } from "vitest";
import { parse } from "../../src/check/parse.ts";
import { grad } from "../../src/graph/grad.ts";
import { constant, type Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import {
  type ColumnHeadOptions,
  columnHeadsSchema,
  parameterCount,
} from "../../src/tables/densities/heads/columnHead.ts";
import { GroupedHeads } from "../../src/tables/densities/heads/groupedHeads.ts";
import type { HeadGroup } from "../../src/tables/densities/heads/headGroup.ts";
import { atoms, categorical, continuous, lattice, withGaps } from "./mixedColumns.ts";

const { NaN: missing } = Number;
const otherKnots = {
  x: [-3, -1, -0.2, 0.4, 4],
  z: [-2.2, -0.9, -0.3, 0.1, 2.6],
  slope: [0.5, 0.8, 0.9, 0.9, 0.5],
};
const manyCategories = { ...categorical, categories: 30 };

/** Columns that are one group although their numbers of atoms or knots differ, and values of each. */
const groups: [string, ColumnHeadOptions[], number[]][] = [
  ["categories", [manyCategories, { ...categorical, categories: 28 }], [0, 27, 28, 29, 30]],
  [
    "categories with gaps",
    [withGaps, { ...withGaps, categories: 3 }, { ...withGaps, categories: 3 }],
    [0, 1, 2, missing],
  ],
  [
    "categories with a probability of unseen ones",
    [
      { ...manyCategories, unseen: 0.1 },
      { ...manyCategories, categories: 27, unseen: 0.3 },
    ],
    [0, 26, 27, 30, 31],
  ],
  ["knots", [continuous, { ...continuous, knots: otherKnots }], [-50, -2.5, -0.5, 0.1, 3.5, 50]],
  [
    "atoms and knots",
    [atoms, { ...atoms, knots: otherKnots, atoms: [-1, 0.5] }],
    [-50, -1, 0.5, 0.75, 3.5, 50, missing],
  ],
  [
    "cells and atoms",
    [lattice, { ...lattice, cells: 9, atoms: [1, 3, 8], unseen: 0.2 }],
    [-1, 0, 1, 1.5, 4, 8, 9],
  ],
];

/** For each column, what is computed of `values` and these parameters [N, P], in groups of columns. */
async function evaluate(
  options: readonly ColumnHeadOptions[],
  values: readonly number[],
  parametersOf: readonly Float64Array[],
) {
  const heads = new GroupedHeads(parse(columnHeadsSchema, [...options], "columns"));
  const [D, N] = [options.length, values.length];
  const columnOfNumber = heads.parameters.columns;
  const radius = constant(new Array(D).fill(0.8), [D, 1]);
  const run = compile(
    (x, choice, quantile, parameters) => {
      const [ofX, ofChoice, ofQuantile] = [x, choice, quantile].map((rows) => heads.splitColumns(rows));
      const outputs = heads.parametersOfGroups(parameters.transpose());
      const ofColumns = (compute: (head: HeadGroup, g: number) => Tensor) =>
        heads.joinColumns(heads.groups.map(({ head }, g) => compute(head, g))).transpose();
      const logProb = ofColumns((head, g) => head.logProb(ofX[g]!, outputs[g]!));
      return {
        logProb,
        logMass: ofColumns((head, g) =>
          head.logMass(ofX[g]!, radius.slice(0, 0, head.heads.length), outputs[g]!),
        ),
        sample: ofColumns((head, g) => head.sample([ofChoice[g]!, ofQuantile[g]!], outputs[g]!)),
        logPresent: ofColumns((head, g) => head.logPresent(outputs[g]!)),
        encoding: heads.encode(ofX).transpose(),
        gradient: grad(logProb.maximum(-1e6).sum(), [parameters])[0]!,
      };
    },
    [
      ["N", D],
      ["N", D],
      ["N", D],
      ["N", columnOfNumber.length],
    ],
    { precision: "float64" },
  );
  const inAllColumns = (numbers: ArrayLike<number>) =>
    Float64Array.from({ length: N * D }, (_, i) => numbers[Math.floor(i / D)]!);
  const next = options.map(() => 0);
  const places = columnOfNumber.map((d) => [d, next[d]!++] as const);
  const rows = values.flatMap((_, n) => places.map(([d, p]) => parametersOf[d]![n * next[d]! + p]!));
  const random = new Random(3);
  const uniform = (name: string) => inAllColumns(random.split(name).uniform(new Float64Array(N)));
  const results = await run(
    inAllColumns(values),
    uniform("choice"),
    uniform("quantile"),
    Float64Array.from(rows),
  );
  await run.release();
  const ofColumn = (numbers: ArrayLike<number>, columns: readonly number[], d: number) =>
    Array.from(numbers).filter((_, i) => columns[i % columns.length] === d);
  const oneEach = options.map((_, d) => d);
  return {
    groups: heads.groups.length,
    columns: options.map((_, d) => ({
      logProb: ofColumn(results.logProb, oneEach, d),
      logMass: ofColumn(results.logMass, oneEach, d),
      sample: ofColumn(results.sample, oneEach, d),
      logPresent: ofColumn(results.logPresent, oneEach, d),
      encoding: ofColumn(results.encoding, heads.inputs.columns, d),
      gradient: ofColumn(results.gradient, columnOfNumber, d),
    })),
  };
}

describe("columns that are computed together", () => {
  test.each(groups)(
    "have the same results as single columns, with different numbers of %s",
    async (_, options, values) => {
      const parameters = options.map((option, d) => {
        const [head] = parse(columnHeadsSchema, [option], "a column");
        return new Random(d).normal(new Float64Array(values.length * parameterCount(head!)));
      });
      const joint = await evaluate(options, values, parameters);
      expect(joint.groups).toBe(1);
      for (const [d, option] of options.entries()) {
        const single = await evaluate([option], values, [parameters[d]!]);
        for (const [name, expected] of Object.entries(single.columns[0]!)) {
          const actual = joint.columns[d]![name as keyof (typeof single.columns)[0]];
          expect(actual).toHaveLength(expected.length);
          for (const [i, number] of actual.entries()) {
            // Both can be missing values or infinite.
            const difference = Object.is(number, expected[i]) ? 0 : Math.abs(number - expected[i]!);
            expect(difference, `${name} ${i} of column ${d}`).toBeLessThan(1e-9);
          }
        }
      }
    },
  );

  test("have similar numbers of atoms", () => {
    const sizes = [2, 30, 2, 28, 5, 4];
    const heads = new GroupedHeads(
      parse(
        columnHeadsSchema,
        sizes.map((categories) => ({ ...categorical, categories })),
        "columns",
      ),
    );
    expect(heads.groups.map(({ columns }) => columns)).toEqual([
      [0, 2],
      [1, 3],
      [4, 5],
    ]);
  });
});
