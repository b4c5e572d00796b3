import { beforeAll, describe, expect, test } from "vitest";
import { fitTable, maf, Random, type TableModel } from "../../src/index.ts";

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

  test("values of probability 0 in rows to complete", async () => {
    const counts = Array.from(rows, ({ height }, i) => ({ height, count: i % 5, country: "CH" }));
    await using whole = (await fitTable(counts, { kernel: false, epochs: 1 })).model;
    await expect(whole.impute([{ count: 3 }, { count: 3.5 }])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the value of column "count" in row 1 is not possible: expected integer: within 0 to 4, received 3.5.
      Give another value, or leave this column out.]
    `);
    await expect(whole.impute([{ country: "DE", count: 1 }])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the value of column "country" in row 0 is not possible: expected constant: CH, received DE.
      Give another value, or leave this column out.]
    `);
    expect(await whole.impute([{ count: 3 }])).toMatchObject([{ count: 3, country: "CH" }]);
  });

  test("more samples than an array can have", async () => {
    const flow = maf(2, { transforms: 1, hidden: [4] });
    await expect(flow.sample(1e12)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the number of samples is not valid: expected at most 4294967296, received 1000000000000.]`,
    );
    await expect(model.sample(1e12, { given: { width: 1 } })).rejects.toThrow("at most 4294967296");
  });
});
