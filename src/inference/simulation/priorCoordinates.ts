import { brief, PushforwardError, unknownNamesDetails } from "../../check/index.ts";
import { concat, type Shape, sizeOf, type Tensor } from "../../graph/index.ts";
import { compile, type EngineOptions, engineOptionsOf, inFloat64 } from "../../runtime/index.ts";
import { MAX_ROWS_PER_CALL } from "../draws.ts";
import type { Priors, Simulator } from "./simulator.ts";

/** n values of each parameter of a simulator, [n, ...shape] in row-major order. */
export type ParameterValues<P extends Priors> = { readonly [Name in keyof P]: ArrayLike<number> };

/** Values of the parameters as coordinates of the prior. */
interface PriorCoordinates {
  /** u [n, D], which is not finite in rows outside the support of the prior. */
  readonly coordinates: Float64Array;
  /** log |det d(parameters)/du|, [n]. */
  readonly logDet: Float64Array;
}

/**
 * The coordinates of values of the parameters, in float64, by the inverse maps of their priors.
 *
 * @throws ARGUMENT for names that are not those of the parameters; SHAPE unless all parameters have the same number of values; DATA for values
 *   that are not numbers.
 */
export async function priorCoordinates<P extends Priors>(
  { parameters, prior }: Simulator<P>,
  values: ParameterValues<P>,
  { providers }: EngineOptions,
): Promise<PriorCoordinates> {
  const { n, arrays } = checkedValues(parameters, values);
  const priors = Object.entries(parameters);
  const { features } = prior;
  await using compiled = compile(
    (...inputs) => {
      const earlier: Record<string, Tensor> = {};
      const parts = priors.map(([name, each], p) => {
        const coordinates = each.coordinates(inputs[p], earlier);
        earlier[name] = inputs[p];
        return coordinates;
      });
      const coordinates = concat(parts, 1);
      return { coordinates, logDet: prior.constrain(coordinates).logDet };
    },
    priors.map(([, { shape }]): Shape => ["N", ...shape]),
    inFloat64(engineOptionsOf({ providers })),
  );
  const result = { coordinates: new Float64Array(n * features), logDet: new Float64Array(n) };
  for (let start = 0; start < n; start += MAX_ROWS_PER_CALL) {
    const rows = arrays.map((array) => {
      const size = array.length / n;
      return array.subarray(start * size, (start + MAX_ROWS_PER_CALL) * size);
    });
    const part = await compiled(...rows);
    result.coordinates.set(part.coordinates, start * features);
    result.logDet.set(part.logDet, start);
  }
  return result;
}

/** Copies of the values of all parameters, in the order of the parameters, and their number n. */
function checkedValues<P extends Priors>(
  parameters: P,
  values: ParameterValues<P>,
): { readonly n: number; readonly arrays: Float64Array[] } {
  const names = Object.keys(parameters);
  const unknown = Object.keys(values).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new PushforwardError(
      "ARGUMENT",
      "there are values of a parameter that the simulator does not have",
      unknownNamesDetails(unknown, names),
    );
  }
  const counts = names.map((name) => values[name]?.length / sizeOf(parameters[name].shape));
  const [n] = counts;
  if (!counts.every((count) => Number.isInteger(count) && count === n)) {
    throw new PushforwardError("SHAPE", "the parameters have different numbers of values", {
      expected: `n values for each, ${names.map((name) => `${name} [${["n", ...parameters[name].shape].join(", ")}]`).join(", ")}`,
      received: names.map((name) => `${values[name]?.length ?? "no"} numbers of ${name}`).join(", "),
    });
  }
  const arrays = names.map((name) => Float64Array.from(values[name]));
  arrays.forEach((array, p) => {
    const index = array.findIndex(Number.isNaN);
    if (index < 0) return;
    throw new PushforwardError("DATA", `value ${index} of the parameter ${names[p]} is not a number`, {
      received: brief(values[names[p]][index]),
    });
  });
  return { n, arrays };
}
