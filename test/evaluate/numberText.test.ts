import { expect, it } from "vitest";
import { nats, withDecimals } from "../../src/check/numberText.ts";

it("writes numbers that round to 0 without a sign", () => {
  expect([-0.04, 0.04, -0, -0.05, 0.06, -12.34].map((x) => withDecimals(x, 1))).toEqual([
    "0.0",
    "0.0",
    "0.0",
    "-0.1",
    "0.1",
    "-12.3",
  ]);
  expect([-0.4, -0.6, 10].map((x) => withDecimals(x, 0))).toEqual(["0", "-1", "10"]);
  expect([-0.0004, -0.0006].map(nats)).toEqual(["0.000", "-0.001"]);
});

it("writes log-densities of impossible rows and huge ones", () => {
  expect([Number.NEGATIVE_INFINITY, Number.NaN, -1234567].map(nats)).toEqual([
    "-Infinity",
    "NaN",
    "-1.235e+6",
  ]);
});
