import type { Bijection } from "../../src/bijections/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { compile, type Floats } from "../../src/runtime/compile.ts";

/** One direction of a bijection for rows of numbers, in float64: values [N D] and log-determinants [N]. */
export async function applyDirection(
  bijection: Bijection,
  direction: "forward" | "inverse",
  rows: readonly number[],
): Promise<{ value: Floats; logDet: Floats }> {
  const run = compile(
    (u) => {
      const { value, logDet } = bijection[direction](u);
      return { value, logDet: logDet.broadcastTo(["N"]) };
    },
    [["N", bijection.features]],
    { precision: "float64" },
  );
  const result = await run(rows);
  await run.release();
  return result;
}

/** Sets parameters, each given by the end of its name. */
export function setParameters(module: object, values: Readonly<Record<string, readonly number[]>>): void {
  const parameters = [...parametersOf(module)];
  for (const [name, numbers] of Object.entries(values)) {
    const matches = parameters.filter(([path]) => path === name || path.endsWith(`.${name}`));
    if (matches.length !== 1 || matches[0][1].value.length !== numbers.length) {
      throw new Error(
        `${name} does not match exactly one parameter of this size: ${parameters.map(([path]) => path)}`,
      );
    }
    matches[0][1].value = Float64Array.from(numbers);
  }
}

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, v, i) => sum + v * b[i], 0);

/** The slope s = softplus(raw + c) + 1/1000 of planar, radial and Sylvester flows. */
export const slopeOf = (raw: number): number => Math.log1p(Math.exp(raw) * Math.expm1(0.999)) + 1e-3;
