import { expectTypeOf, test } from "vitest";
import type { RowsInput } from "../../src/dataset/rowsInput.ts";
import { dataset, type Flow, fit, fitFlows, fitTable, type TableModel } from "../../src/index.ts";
import type { TableInput } from "../../src/tables/columns/tableRows.ts";
import { twoSample } from "../../src/tables/evaluate/index.ts";

interface Quake {
  lon: number;
  lat: number;
  note?: string;
}

type Position = Pick<Quake, "lon" | "lat">;

interface Point extends Position {}

// Functions that are only type-checked: they are never called.

test("rows may be interfaces", () => {
  const ofNumbers = (flow: Flow, points: readonly Point[]) => [
    flow.logProb(points),
    flow.toLatent(points, undefined, { as: "rows" }),
    flow.toData<"rows">([[1, 2]]),
    flow.withContext([1]).logProb(points),
    fit(flow, points),
    fitFlows(points),
    dataset(points),
  ];
  const ofTables = (model: TableModel, quakes: readonly Quake[]) => [
    model.score(quakes),
    model.impute(quakes),
    model.anomalies(quakes),
    twoSample(quakes, quakes),
  ];
  const anyForm = (flow: Flow, rows: RowsInput, model: TableModel, table: TableInput) => [
    flow.logProb(rows),
    model.score(table),
  ];
  expectTypeOf(ofNumbers).returns.toBeArray();
  expectTypeOf(ofTables).returns.toBeArray();
  expectTypeOf(anyForm).returns.toBeArray();
});

test("rows of other values are errors", () => {
  const ofNumbers = (flow: Flow, quakes: Quake[]) => [
    // @ts-expect-error
    flow.logProb(quakes),
    // @ts-expect-error
    flow.logProb(["1", "2"]),
    // @ts-expect-error
    flow.logProb([["1", "2"]]),
    // @ts-expect-error
    flow.logProb([{ lon: "1", lat: 2 }]),
    // @ts-expect-error
    flow.logProb(Promise.resolve([[1, 2]])),
  ];
  const ofTables = (model: TableModel, table: Promise<Quake[]>) => [
    // @ts-expect-error
    model.score(table),
    // @ts-expect-error
    model.score([[1, 2]]),
    // @ts-expect-error
    model.score([{ lon: { degrees: 1 } }]),
  ];
  expectTypeOf(ofNumbers).returns.toBeArray();
  expectTypeOf(ofTables).returns.toBeArray();
});

test("the names in of and given are those of the training rows", () => {
  const use = async (quakes: Quake[]) => {
    const { model } = await fitTable(quakes);
    await model.score(quakes, { of: ["lon"], given: ["lat"] });
    await model.sample(1, { given: { lon: 8.5, note: null } });
    // @ts-expect-error
    await model.score(quakes, { of: ["longitude"] });
    // @ts-expect-error
    await model.sample(1, { given: { longitude: 8.5 } });
    const anyModel: TableModel = model;
    return anyModel;
  };
  expectTypeOf(use).returns.resolves.toEqualTypeOf<TableModel>();
});
