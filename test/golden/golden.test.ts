import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FlowDescription } from "../../src/flows/index.ts";
import { buildFlow } from "../../src/tables/model/index.ts";

/** Numbers that `make.py` computed with PyTorch in float64; `call` is the expression that built the model there. */
interface Golden {
  readonly call: string;
  readonly flow: FlowDescription;
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly x: readonly (readonly number[])[];
  readonly context?: readonly (readonly number[])[];
  /** Infinities are strings, since JSON has no number for them. */
  readonly logProb: readonly (number | string)[];
  readonly z: readonly (readonly number[])[];
}

const folder = new URL("./", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));

function load(name: string) {
  const golden: Golden = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
  const flow = buildFlow(golden.flow);
  const parameters = flow.parameters();
  expect([...parameters.keys()].sort()).toEqual(Object.keys(golden.parameters).sort());
  for (const [path, parameter] of parameters) {
    expect(golden.parameters[path], path).toHaveLength(parameter.value.length);
    parameter.value = Float64Array.from(golden.parameters[path]);
  }
  return {
    flow,
    x: golden.x.flat(),
    context: golden.context?.flat(),
    logProb: golden.logProb.map(Number),
    z: golden.z.flat(),
  };
}

/** The largest difference relative to 1 + |expected|; NaN if any number is NaN. */
function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  return Math.max(
    ...expected.map((e, i) => (actual[i] === e ? 0 : Math.abs(actual[i] - e) / (1 + Math.abs(e)))),
  );
}

describe.each(names)("%s", (name) => {
  const { flow, x, context, logProb, z } = load(name);

  test.each([
    ["float64", 1e-9],
    ["float32", 1e-5],
  ] as const)(
    "has the same log-densities and latent values as PyTorch in %s",
    async (precision, tolerance) => {
      expect(difference(await flow.logProb(x, context, { precision }), logProb)).toBeLessThan(tolerance);
      expect(difference(await flow.toLatent(x, context, { precision }), z)).toBeLessThan(tolerance);
    },
  );

  test("maps latent values back to the data", async () => {
    expect(difference(await flow.toData(z, context, { precision: "float64" }), x)).toBeLessThan(1e-9);
  });
});
