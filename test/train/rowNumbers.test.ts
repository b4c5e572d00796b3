import { expect, test } from "vitest";
import { Exp } from "../../src/bijections/exp.ts";
import { ContextEmbedding, StandardNormal } from "../../src/distributions/index.ts";
import { embedContext, Flow, maf } from "../../src/flows/index.ts";
import { fitFlows } from "../../src/tables/fit/index.ts";
import { openTable, readRows, streamRows } from "../../src/tables/io/index.ts";
import { fit } from "../../src/train/index.ts";

// Row 3 of the table has no value of x, so row 50 of the table is the 49th training row.
const TABLE = `SELECT CASE WHEN i = 3 THEN NULL WHEN i = 50 THEN -1 ELSE i END AS x,
  CASE WHEN i = 50 THEN 7 ELSE i % 3 END AS kind FROM range(1, 101) t(i)`;

test.each(["memory", "a stream"])("rows in %s keep their row numbers in the table", async (where) => {
  const table = await openTable(TABLE);
  const rows = async (columns: string[], given: string[]) =>
    where === "memory" ? readRows(table, columns, { given }) : streamRows(table, columns, { given });
  const positive = new Flow(new StandardNormal({ features: 1 }), new Exp({ features: 1 }));
  await expect(fit(positive, await rows(["x"], []), { epochs: 1 })).rejects.toThrow(
    "row 50 lies outside of the support",
  );
  const labelled = embedContext(maf(1, { context: 3 }), new ContextEmbedding({ classes: [3] }));
  await expect(fit(labelled, await rows(["x"], ["kind"]), { epochs: 1 })).rejects.toThrow(
    "column 0 of the context of row 50 is not a valid class label",
  );
  const { training, validation } = await fitFlows(await rows(["x", "kind"], []), { epochs: 1 });
  const numbers = [...training.sample.rowNumbers, ...validation.rowNumbers].sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i + 1).filter((i) => i !== 3));
  await table.close();
});
