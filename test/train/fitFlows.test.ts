import { describe, expect, test } from "vitest";
import { type Chain, Standardize } from "../../src/bijections/index.ts";
import { dataset, StreamedDataset } from "../../src/dataset/index.ts";
import { maf, nsf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { ConstantFeatures } from "../../src/tables/densities/index.ts";
import { fitFlows } from "../../src/tables/fit/index.ts";

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

const z = new Random(3).normal(new Float64Array(1200));
const clusters = z.map((v, i) => 0.05 * v + 4 * (Math.floor(i / 2) % 3) + 2 * (i % 2));

test("returns the flow with the best validation log-density, which need not be the last one", async () => {
  const still = (features: number) => maf(features, { transforms: 1, hidden: [] });
  const recipes = { splines: nsf, still };
  const { name, flow } = await fitFlows(dataset(clusters, { features: 2 }), { recipes, epochs: 2 });
  expect(name).toBe("splines");
  expect(JSON.stringify(flow.describe())).toContain("rationalQuadraticSpline");
});

test("has a flow that can fit clusters, the last one", async () => {
  const tried: string[] = [];
  const result = await fitFlows(dataset(clusters, { columns: ["a", "b"] }), {
    epochs: 5,
    onFlow: (name) => tried.push(name),
  });
  expect(tried).toEqual(["affine", "splines", "mixture"]);
  expect(result.name).toBe("mixture");
  const entropy = Math.log(2 * Math.PI * Math.E) + 2 * Math.log(0.05) + Math.log(3);
  expect(result.validationLogDensity).toBeCloseTo(-entropy, 0);
  expect((result.flow.bijection as Chain).bijections.at(-1)).toBeInstanceOf(Standardize);
});

test("fits flows conditional on class labels, which all candidates embed", async () => {
  const z = new Random(5).normal(new Float64Array(1800));
  const label = z.map((_, i) => i % 3);
  const values = z.map((v, i) => (0.1 + 0.2 * label[i]) * v + 10 * [0, 2, 1][label[i]]);
  const table = { a: values };
  const options = { context: label, embedding: { classes: [3] }, epochs: 30 };
  const { flow, validationLogDensity } = await fitFlows(table, options);
  expect(flow.context).toBe(1);
  const entropy = 0.5 * Math.log(2 * Math.PI * Math.E) + mean([0.1, 0.3, 0.5].map(Math.log));
  expect(validationLogDensity).toBeGreaterThan(-entropy - 0.3);
  expect(mean(await flow.sample(500, { context: [1] }))).toBeCloseTo(20, 0);
  await expect(fitFlows(table, { ...options, context: z })).rejects.toThrow("not a valid class label");
});

test("draws the weights of the embedding of a recipe with the seed", async () => {
  const context = z.filter((_, i) => i % 2 === 0).map((_, i) => i % 3);
  const embedding = { classes: [3], size: 2, network: { hidden: [] } };
  const still = { type: "sgd", learningRate: 1e-30 } as const;
  const recipes = {
    still: (features: number, { context }: { context?: number | undefined }) =>
      nsf(features, { context, transforms: 1, hidden: [4] }),
  };
  const weights = async (seed: number) => {
    const data = dataset(clusters, { features: 2, context });
    const { flow } = await fitFlows(data, { embedding, recipes, seed, epochs: 1, optimizer: still });
    const weights = [...flow.parameters()].filter(([name]) => name.startsWith("embedding.network"));
    return weights.map(([, { numbers }]) => [...numbers]);
  };
  expect(await weights(1)).toEqual(await weights(1));
  expect(await weights(1)).not.toEqual(await weights(2));
});

test("has its default learning rate if the option is undefined", async () => {
  const rows = dataset(new Random(7).normal(new Float64Array(400)), { features: 2 });
  const rate = async (optimizer: { learningRate?: number | undefined }) =>
    (await fitFlows(rows, { epochs: 1, optimizer })).epochs[0]!.learningRate;
  expect(await rate({ learningRate: undefined })).toBe(await rate({}));
});

test("warns of misleading log-densities before training and in its result", async () => {
  const z = new Random(6).normal(new Float64Array(1200));
  const values = z.map((v, i) => [v, v > 0 ? 1 : 0, z[i - 2] + 1][i % 3]);
  const told: string[] = [];
  const { warnings } = await fitFlows(dataset(values, { columns: ["x", "positive", "copy"] }), {
    epochs: 1,
    onWarning: (message) => told.push(message),
    onFlow: (name) => told.push(name),
  });
  expect(warnings).toMatchObject([
    { kind: "fewValues", findings: [{ column: "positive", distinct: 2 }] },
    { kind: "dependence", findings: [{ column: "copy", terms: [{ column: "x" }], intercept: 1 }] },
  ]);
  expect(told).toEqual([
    ...warnings.map(({ message, hint }) => `${message} ${hint}`),
    "affine",
    "splines",
    "mixture",
  ]);
  expect(told[0]).toMatchInlineSnapshot(
    `"A column has few different values: positive (2). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is. Leave such a column out or, if it is a category, learn the other columns given it (as context)."`,
  );
});

test("warns of numeric columns of the context, but not of class labels", async () => {
  const z = new Random(7).normal(new Float64Array(600));
  const context = Float64Array.from({ length: 1200 }, (_, i) =>
    i % 2 === 0 ? 2 * z[i / 2] : Math.floor(i / 2) % 3,
  );
  const options = { epochs: 1, context, embedding: { numbers: 1, classes: [3] } };
  const { warnings } = await fitFlows({ a: z }, options);
  expect(warnings).toMatchObject([
    { kind: "dependence", findings: [{ column: "a", terms: [{ column: "context 0", coefficient: 0.5 }] }] },
  ]);
  const other = new Random(8).normal(new Float64Array(600));
  expect((await fitFlows({ a: other }, options)).warnings).toEqual([]);
});

const FAR = 1.7e9 + 0.123;
const columns = ["a", "year", "b"];

/** Rows (a, FAR, b) of independent standard normals a and b. */
function table(rows: number, seed = 1): Float64Array {
  const z = new Random(seed).normal(new Float64Array(3 * rows));
  return z.map((v, i) => (i % 3 === 1 ? FAR : v));
}

const varying = (values: Float64Array) => values.filter((_, i) => i % 3 !== 1);
const inBlocks = (values: Float64Array, context?: Float64Array, names = columns) =>
  function* () {
    const width = names.length;
    for (let row = 0; row < values.length / width; row += 50) {
      const block = values.subarray(width * row, width * (row + 50));
      yield dataset(block, { columns: names, context: context?.subarray(row, row + 50) });
    }
  };

describe("constant columns", () => {
  const values = table(400);
  const options = { epochs: 1, seed: 3 };

  test.each(["memory", "a stream"])("of rows in %s become constants of the flow", async (where) => {
    const names = ["a", "b"];
    const [data, others] =
      where === "memory"
        ? [dataset(values, { columns }), dataset(varying(values), { columns: names })]
        : [inBlocks(values), inBlocks(varying(values), undefined, names)];
    const whole = await fitFlows(data, options);
    const without = await fitFlows(others, options);
    expect(whole.validationLogDensity).toBe(without.validationLogDensity);
    expect(await whole.flow.logProb(values)).toEqual(await without.flow.logProb(varying(values)));
    expect(await whole.flow.logProb([0, FAR + 1, 0])).toEqual(Float64Array.of(Number.NEGATIVE_INFINITY));
    expect(varying(await whole.flow.sample(20))).toEqual(await without.flow.sample(20));
    expect((await whole.flow.sample(20)).filter((_, i) => i % 3 === 1)).toEqual(
      new Float64Array(20).fill(FAR),
    );
  });

  test("do not exist if a validation row has another value", async () => {
    const held = table(50, 2);
    const same = await fitFlows(dataset(values, { columns }), {
      ...options,
      validation: dataset(held, { columns }),
    });
    expect(same.flow.base).toBeInstanceOf(ConstantFeatures);
    held[1] = 0;
    const other = await fitFlows(dataset(values, { columns }), {
      ...options,
      validation: dataset(held, { columns }),
    });
    expect(other.flow.base).not.toBeInstanceOf(ConstantFeatures);
    expect(other.validationLogDensity).toBeGreaterThan(Number.NEGATIVE_INFINITY);
  });

  test("are an error if all columns are constant, and in the context", async () => {
    await expect(fitFlows({ a: [1, 1, 1], b: [FAR, FAR, FAR] })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: all columns are constant: expected a column with at least two different values, received 1 in a, 1700000000.123 in b.
      Give a table with a column that varies.]
    `);
    const context = new Float64Array(400).fill(7);
    await expect(
      fitFlows(dataset(values, { columns }), { context }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the option context cannot be combined with a dataset.
      Make it a part of the rows: dataset(rows, { context }).]
    `);
    await expect(fitFlows(inBlocks(values, context))).rejects.toThrow("column 0 of the context is constant");
    const named = dataset(values, { columns, context, contextColumns: ["region"] });
    await expect(fitFlows(named)).rejects.toThrow("column region of the context is constant");
  });

  test("do not change the error for a value that is not finite", async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const bad = Array.from({ length: 9 }, (_, row) => ({ a: row, year: FAR, b: row === 7 ? value : -row }));
      const message = `row 7, column "b" of rows is ${value}`;
      await expect(fitFlows(bad)).rejects.toThrow(message);
      await expect(fitFlows(() => [bad.slice(0, 5), bad.slice(5)])).rejects.toThrow(message);
    }
    await expect(fitFlows([1, 2, 3, 4])).rejects.toThrow("a flat array of rows needs the number of features");
    await expect(fitFlows([[1, 2, 3]])).rejects.toThrow("too few rows to train a flow");
  });

  test("of a stream are determined from all rows, not from its sample", async () => {
    const rows = 250_000;
    const stream = (odd?: number) =>
      function* () {
        for (let start = 0; start < rows; start += 50_000) {
          const block = Float64Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? start + i : 5));
          if (odd !== undefined && odd >= start && odd < start + 50_000) block[2 * (odd - start) + 1] = 6;
          yield block;
        }
      };
    const constant = await StreamedDataset.of(stream(), { features: 2 });
    expect([...constant.constants.values]).toEqual([[1, 5]]);
    const sampled = new Set(constant.sample.rowNumbers);
    const odd = Array.from({ length: rows }, (_, row) => row).find((row) => !sampled.has(row))!;
    const varied = await StreamedDataset.of(stream(odd), { features: 2 });
    expect(varied.sample.values).toEqual(constant.sample.values);
    expect(varied.constants.values.size).toBe(0);
  });
});
