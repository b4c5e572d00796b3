import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow, fitFlows, maf, nice } from "../../src/index.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import { ModelScorer } from "../../src/tables/evaluate/index.ts";
import {
  openTable,
  readTrainingTable,
  sampleBlocks,
  scoreTable,
  tableForModel,
  writeScored,
} from "../../src/tables/io/index.ts";
import type { LoadedModel } from "../../src/tables/model/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const { write, path, failure } = temporaryDirectory();

/** Heights that depend on the kind, a constant, and a missing value. */
const rows = Array.from({ length: 200 }, (_, i) => `${Math.sin(i) + 5 * (i % 2)},${i % 2 ? "cat" : "dog"},7`);
const animals = write("animals.csv", ["height,kind,legs", ...rows, ",cat,7", ""].join("\n"));

async function fitted(): Promise<LoadedModel> {
  const table = await readTrainingTable(animals, { given: ["kind"] });
  const { embedding, columns, given, labels } = table;
  const recipes = {
    small: (features: number, options: object) => maf(features, { ...options, transforms: 1, hidden: [8] }),
    additive: (features: number, options: object) => nice(features, { ...options, hidden: [8] }),
  };
  const { flow, name } = await fitFlows(table.rows, { epochs: 3, embedding, recipes });
  await table.close();
  expect(Object.keys(recipes)).toContain(name);
  return { flow, columns, given, labels: [...labels.values()] };
}

it("reads a table for training: its columns, class labels, constants and missing rows", async () => {
  const table = await readTrainingTable(animals, { given: ["kind"] });
  expect(table).toMatchObject({
    columns: ["height", "legs"],
    given: ["kind"],
    embedding: { numbers: 0, classes: [2] },
    missing: 1,
  });
  expect(table.labels).toEqual(new Map([["kind", ["cat", "dog"]]]));
  expect([table.rows.rows, table.rows.contextFeatures, [...table.constants]]).toEqual([200, 1, [[1, 7]]]);
  expect(table.notes()).toEqual([]);
  const heightOnly = await readTrainingTable(animals, { columns: ["legs", "height"], exclude: ["legs"] });
  expect([heightOnly.columns, heightOnly.embedding]).toEqual([["height"], undefined]);
});

it("streams a large table, with the same rows and notes", async () => {
  const query = "SELECT sin(i) AS a, cos(sqrt(2) * i) AS b, 3 * a AS c FROM range(300) AS t(i)";
  const [memory, stream] = [
    await readTrainingTable(query),
    await readTrainingTable(query, { maxNumbersInMemory: 100 }),
  ];
  expect(stream.rows.rows).toBe(memory.rows.rows);
  expect(stream.notes()).toEqual(memory.notes());
  expect(stream.notes().map(({ kind, hint }) => [kind, hint])).toMatchInlineSnapshot(`
    [
      [
        "dependence",
        "Leave out the columns that follow from others: --columns a,b",
      ],
    ]
  `);
  await stream.close();
});

it("scores tables by a model, and draws rows for given values and for the rows of a table", async () => {
  const model = await fitted();
  const scorer = new ModelScorer(model);
  const table = await openTable(animals);
  const progress: number[] = [];
  const scores = scoreTable(scorer, table, { onProgress: (done) => progress.push(done) });
  await writeScored(table, scores, path("scored.csv"));
  expect(progress.at(-1)).toBe(201);
  expect(scorer.logDensity.count).toBe(200);
  const written = readFileSync(path("scored.csv"), "utf8").trimEnd().split("\n");
  expect(written.at(-1)).toBe(",cat,7,");
  const mean = written.slice(1, -1).reduce((sum, line) => sum + Number(line.split(",").at(-1)), 0) / 200;
  expect(scorer.logDensity.mean).toBeCloseTo(mean, 10);

  const blocks = async (options: Parameters<typeof sampleBlocks>[1]) => {
    const drawn: number[] = [];
    for await (const block of sampleBlocks(model, options)) drawn.push(...block);
    return drawn;
  };
  const dogs = await blocks({ rows: 3, given: Float64Array.of(1) });
  expect([dogs.length, dogs[1], dogs[2]]).toEqual([9, 7, 1]);
  // Row i of a seed has the same noise, so the first row of the table gets the first three samples.
  const contexts = await tableForModel(
    await openTable("SELECT 'dog' AS kind UNION ALL SELECT 'cat'"),
    model,
    ["kind"],
  );
  const both = await blocks({ rows: 3, given: contexts });
  expect(both.slice(0, 9)).toEqual(dogs);
  expect(both.slice(9).filter((_, i) => i % 3 === 2)).toEqual([0, 0, 0]);
  await contexts.close();
  await table.close();
});

it("checks the given columns of a model of a table of any kind before it scores a table", async () => {
  const flow = new Flow(new StandardNormal({ features: 1 }));
  const columns = ["height"];
  const scorer = new ModelScorer({
    flow,
    columns,
    table: columns.map(realColumn),
    given: ["age", "kind"],
    labels: [["cat", "dog"]],
  });
  const error = async (name: string, ...lines: string[]) => {
    const table = await openTable(write(name, [...lines, ""].join("\n")));
    const scores = scoreTable(scorer, table);
    const text = await failure(scores.next());
    await table.close();
    return text;
  };
  expect([
    await error("noKind.csv", "height,age", "1,2"),
    await error("noAge.csv", "height,kind", "1,cat"),
    await error("words.csv", "height,age,kind", "1,2,cat", "1,3,dog", "1,old,dog"),
    await error("newLabel.csv", "height,age,kind", "1,2,cow"),
  ]).toMatchInlineSnapshot(`
    [
      "DATA noKind.csv has no column "kind": expected the columns of the model, "height", "age", "kind", received "height", "age".
    Add the missing columns.",
      "DATA noAge.csv has no column "age": expected the columns of the model, "height", "age", "kind", received "height", "kind".
    Add the missing columns.",
      "DATA words.csv has a column that is not numeric: expected numbers in the columns of the model, received "age" ('old' in row 3).
    Correct the value, or read it as missing (--na old).",
      "DATA newLabel.csv has a label that the model was not trained on: expected in the column "kind" cat or dog, received 'cow' in row 1.
    Leave such rows out in a query, or train a model on rows with this label.",
    ]
  `);
});
