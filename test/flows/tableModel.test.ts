import { beforeAll, describe, expect, test, vi } from "vitest";
import { Flow, fitTable, maf, Random, TableModel } from "../../src/index.ts";
import { modelOfAllKinds } from "./exportedTable.ts";

describe("a table model throws for", () => {
  const rows = Array.from(new Random(1).normal(new Float64Array(60)), (z) => ({ height: z, width: z + 1 }));
  let model: TableModel;
  beforeAll(async () => {
    ({ model } = await fitTable(rows, { kernel: false, epochs: 1 }));
  });

  test("columns that are named twice", async () => {
    await expect(model.score(rows, { of: ["width", "width"] })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the column "width" is twice in of.
      Name each column once.]
    `);
    const both = { of: ["width"], given: ["width"] };
    await expect(model.score(rows, both)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the column "width" is both in of and in given.
      Name each column once.]
    `);
  });

  test("a row in place of a list of rows", async () => {
    const row = rows[0] as never;
    await expect(model.score(row)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the table cannot be read: expected an array of objects, or an object with an array for each column, received the value 0.456143734289667 for "height".
      For a single row, write [row].]
    `);
    await expect(model.impute(row)).rejects.toThrow("For a single row, write [row].");
    await expect(model.score({ height: "tall" } as never)).rejects.toThrow("For a single row, write [row].");
  });

  test("misspelled columns of rows to complete", async () => {
    await expect(model.impute([{ hieght: 1, width: 2 }])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model has no column "hieght": expected one of height, width.
      Did you mean "height"?]
    `);
    await expect(model.impute([{ depth: 1 }])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the model has no column "depth": expected one of height, width.]`,
    );
    // A column that the model leaves out is no error.
    expect(await model.impute([{ id: "a", width: 2 }])).toHaveLength(1);
  });

  test("more samples than an array can have", async () => {
    const flow = maf(2, { transforms: 1, hidden: [4] });
    await expect(flow.sample(1e12)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the number of samples is not valid: expected at most 4294967296, received 1000000000000.]`,
    );
    await expect(model.sample(1e12, { given: { width: 1 } })).rejects.toThrow("at most 4294967296");
  });
});

test("values of probability 0 stay in imputed rows, and have no influence on the others", async () => {
  const counts = Array.from({ length: 200 }, (_, i) => ({
    height: 10 * (i % 5) + (i % 7) / 7 + (i % 11) / 1000,
    count: i % 5,
    isTall: i % 5 > 2,
    country: "CH",
  }));
  const columns = { height: { kind: "continuous", low: 0, high: 50 } } as const;
  await using model = (await fitTable(counts, { columns, kernel: false, epochs: 1, testFraction: 0 })).model;
  const options = { seed: 3 };
  const [withoutCount] = await model.impute([{ isTall: true, count: null }], options);
  for (const count of [3.5, 50]) {
    const [row] = await model.impute([{ isTall: true, count }], options);
    expect(row).toEqual({ ...withoutCount, count });
  }
  const [withoutHeight] = await model.impute([{ count: 2, height: null }], options);
  expect(await model.impute([{ count: 2, height: -1 }], options)).toEqual([{ ...withoutHeight, height: -1 }]);
  const [whole] = await model.impute([{ count: 2 }], options);
  expect(await model.impute([{ count: 2, country: "DE" }], options)).toEqual([{ ...whole, country: "DE" }]);
});

test("a model without exact conditional distributions finds anomalies, but gives no reasons", async () => {
  const rows = Array.from(new Random(1).normal(new Float64Array(120)), (z) => ({ height: z, width: z + 1 }));
  const flow = (features: number) => maf(features, { transforms: 1, hidden: [4] });
  const { model } = await fitTable(rows, { recipe: { name: "maf", flow }, epochs: 1 });
  expect(model.hasConditionals).toBe(false);
  const { anomalies } = await model.anomalies([{ height: 50, width: -50 }, rows[0]!], { count: 1 });
  expect(anomalies).toMatchObject([{ row: 0, reasons: [] }]);
  await expect(model.score(rows, { of: ["width"] })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model has no exact distribution of some columns given others: received the distribution transformedDistribution.
    Fit the default model. A single flow has no exact conditional distributions.]
  `);
});

test("a flow with layers on a distribution with exact conditionals has none itself", async () => {
  const model = modelOfAllKinds();
  expect(model.hasConditionals).toBe(true);
  const { features } = model.flow;
  const layered = new Flow(model.flow.base, maf(features, { transforms: 1, hidden: [4] }).bijection);
  const other = new TableModel({ columns: model.columns, flow: layered });
  expect(other.hasConditionals).toBe(false);
  await expect(other.sample(1, { given: { isMember: true } })).rejects.toThrow("no exact distribution");
});

test("rows without missing values are refused before rows are drawn, if the model cannot replace these", async () => {
  const { columns, flow } = modelOfAllKinds();
  const layered = new Flow(flow.base, maf(flow.features, { transforms: 1, hidden: [4] }).bijection);
  const model = new TableModel({ columns, flow: layered });
  const drawn = vi.spyOn(layered, "sample");
  await expect(model.sample(1, { gaps: false })).rejects.toThrow("no exact distribution");
  expect(drawn).not.toHaveBeenCalled();
});

test("release waits for all parts of the calls before it", async () => {
  const model = modelOfAllKinds();
  const ended: string[] = [];
  model.sample(20, { gaps: false }).then(() => ended.push("sample"));
  model.impute([{ amount: 1 }, { children: 2 }]).then(() => ended.push("impute"));
  await model.release();
  expect(ended.sort()).toEqual(["impute", "sample"]);
});
