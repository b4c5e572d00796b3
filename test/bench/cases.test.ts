import { expect, test } from "vitest";
import { loadCases, parseCases, selectCases } from "../../bench/speed/cases.ts";
import { flowOf } from "../../bench/speed/flows.ts";

const step = { name: "a", job: "train", flow: "maf", dim: 2, transforms: 5, hidden: [64, 64], batch: 256 };
const parse = (...cases: object[]) => parseCases(JSON.stringify(cases));

test("every case names a recipe, and 15 cases have a target ratio against zuko", () => {
  const cases = loadCases();
  for (const benchCase of cases) expect(flowOf({ ...benchCase, dim: 2 }).features).toBe(2);
  expect(cases.filter(({ target }) => target !== undefined)).toHaveLength(15);
});

test("invalid cases are errors", () => {
  expect(parse(step)).toEqual([step]);
  expect(() => parse({ ...step, job: "sample" })).toThrow();
  expect(() => parse({ ...step, rows: 10 })).toThrow();
  expect(() => parse(step, step)).toThrow("two cases have one name");
  const [unknownFlow] = parse({ ...step, flow: "unknown" });
  expect(() => flowOf(unknownFlow)).toThrow(/no recipe unknown; there are .*maf/);
});

test("a pattern selects cases by a part of the name, including brackets, or as a regular expression", () => {
  const names = (pattern?: string) => selectCases(loadCases(), pattern).map(({ name }) => name);
  expect(names("d6 5x[100,100]")).toEqual(["train maf d6 5x[100,100] b100"]);
  expect(names("^sample (maf|nsf) d43")).toEqual(["sample maf d43 2000", "sample nsf d43 2000"]);
  expect(names()).toEqual(loadCases().map(({ name }) => name));
  expect(names("glow")).toEqual(["train glow d6 8x[128,128] b512", "logProb glow d6 10000"]);
  expect(() => names("vae")).toThrow(/no case matches vae; there are:\ntrain maf/);
});

test("flowOf returns a flow that is not the identity and is the same in each call", async () => {
  const [benchCase] = parse({ ...step, hidden: [8] });
  const x = [0.5, -1];
  const z = await flowOf(benchCase).toLatent(x);
  expect(Math.hypot(z[0] - x[0], z[1] - x[1])).toBeGreaterThan(0.001);
  expect(await flowOf(benchCase).toLatent(x)).toEqual(z);
});
