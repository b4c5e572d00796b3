import { InMemoryDataset } from "../../src/dataset/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { tableHeads } from "../../src/tables/columns/columnHeads.ts";
import { encodeTable } from "../../src/tables/columns/encodeTable.ts";
import { featureNames } from "../../src/tables/columns/tableColumn.ts";
import type { TableRow } from "../../src/tables/columns/tableRows.ts";
import { LatentClasses } from "../../src/tables/densities/index.ts";
import { inferredColumns } from "../../src/tables/evaluate/index.ts";
import { TableModel } from "../../src/tables/model/tableModel.ts";

/** A model of a table that expectation maximization fits in a fraction of a second. */
export async function latentClassModel(rows: readonly TableRow[], classes: number): Promise<TableModel> {
  const columns = inferredColumns(rows);
  const names = columns.map(({ name }) => name);
  const { values } = encodeTable(columns, rows, names);
  const features = columns.flatMap(featureNames).length;
  const data = new InMemoryDataset({ features, values });
  const base = new LatentClasses({ columns: tableHeads(columns, data), classes }, new Random(0));
  await base.fitToData({ rows: data.rows, features, values });
  return new TableModel({ columns, flow: new Flow(base) });
}

/** Rows with numbers on a curve, labels that depend on them, and missing values. */
export function curveRows(rows: number, seed: number): TableRow[] {
  const noise = new Random(seed).normal(new Float64Array(4 * rows));
  return Array.from({ length: rows }, (_, n) => {
    const [x, y, label, gap] = noise.subarray(4 * n, 4 * n + 4);
    return { x, y: gap > 1.3 ? null : x ** 2 + 0.3 * y, label: x + 0.5 * label > 0 ? "right" : "left" };
  });
}
