import { expect, it } from "vitest";
import {
  type ColumnOptions,
  checkColumnOptions,
  columnOptionsOf,
} from "../../src/tables/columns/columnOptions.ts";

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "no failure";
}

it("reads kinds as they are typed", () => {
  expect(columnOptionsOf("integer", "x")).toEqual({ kind: "integer" });
  expect(columnOptionsOf("bounded:0:1", "x")).toEqual({ kind: "bounded", low: 0, high: 1 });
  expect(columnOptionsOf("bounded:-1e3:.5", "x")).toEqual({ kind: "bounded", low: -1000, high: 0.5 });
  expect(columnOptionsOf("cyclic:360", "x")).toEqual({ kind: "cyclic", period: 360 });
});

it("refuses kinds that do not exist or lack numbers", () => {
  expect(failure(() => columnOptionsOf("categoric", "x"))).toMatchInlineSnapshot(`
    "the kind of column "x" is not valid: expected one of continuous, integer, lattice, positive, bounded:LOW:HIGH, heavy-tailed, cyclic:PERIOD, categorical, boolean, date, timestamp, time, constant, exclude, received categoric.
    Did you mean categorical?"
  `);
  for (const text of [
    "bounded",
    "bounded:1",
    "bounded:a:b",
    "bounded::1",
    "bounded:0:1:2",
    "cyclic",
    "integer:3",
    "",
  ])
    expect(failure(() => columnOptionsOf(text, "x"))).toMatch("is not valid");
});

it("checks the options of columns", () => {
  const options = checkColumnOptions({ a: "integer", b: { kind: "bounded", low: 0, high: 1 } }, [
    "a",
    "b",
    "c",
  ]);
  expect([...options]).toEqual([
    ["a", { kind: "integer" }],
    ["b", { kind: "bounded", low: 0, high: 1 }],
  ]);
  const check = (given: unknown) => failure(() => checkColumnOptions({ a: given as ColumnOptions }, ["a"]));
  expect(check({ kind: "bounded", low: 2, high: 1 })).toMatchInlineSnapshot(
    `"the options of column "a" is not valid at high: expected a number above low, received 1."`,
  );
  expect(check({ kind: "bounded" })).toMatchInlineSnapshot(
    `"the options of column "a" is not valid at kind: expected low and high for the kind bounded, received "bounded"."`,
  );
  expect(check({ kind: "cyclic" })).toMatchInlineSnapshot(
    `"the options of column "a" is not valid at kind: expected a period for the kind cyclic, received "cyclic"."`,
  );
  expect(check({ kind: "cyclic", period: -1 })).toMatchInlineSnapshot(
    `"the options of column "a" is not valid at period: expected more than 0, received -1."`,
  );
  expect(check({ kynd: "integer" })).toMatchInlineSnapshot(
    `"the options of column "a" is not valid: expected one of kind, low, high, period, received kynd (did you mean kind?)."`,
  );
  expect(failure(() => checkColumnOptions({ heigth: "integer" }, ["height", "age"]))).toMatchInlineSnapshot(`
    "there is no column "heigth": expected height, age.
    Did you mean "height"?"
  `);
});
