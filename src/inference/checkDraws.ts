import { PushforwardError } from "../check/index.ts";
import type { Random } from "../random/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import { type AffineMap, mapRows } from "./affineMap.ts";
import { describeNonFinite, describePoint } from "./describePoint.ts";
import type { Declarations, ProbabilisticModel } from "./model.ts";
import type { EvaluateRows } from "./sampling/chainProgram.ts";

/** Number of draws that are checked. */
const DRAWS = 1000;

/**
 * Checks that the log-density is finite at draws of the normal distribution from which the fit starts. The fit itself could not say which
 * term is not finite, and for which parameters.
 *
 * @throws NUMERIC when the log-density is NaN or infinite at one of them.
 */
export async function checkDraws<D extends Declarations>(
  model: ProbabilisticModel<D>,
  evaluate: EvaluateRows,
  map: AffineMap,
  random: Random,
  engine: EngineOptions,
): Promise<void> {
  const { features } = model;
  const rows = mapRows(map, random.normal(new Float64Array(DRAWS * features)));
  const { logDensity } = await evaluate(rows);
  const bad = logDensity.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const position = rows.slice(bad * features, (bad + 1) * features);
  const count = logDensity.filter((value) => !Number.isFinite(value)).length;
  const term = await describeNonFinite(model, position, engine);
  throw new PushforwardError(
    "NUMERIC",
    "the log-density is not finite at some draws of the normal distribution that approximates the posterior",
    {
      expected: "a finite number for all values that the constraints allow",
      received: `${logDensity[bad]} at ${await describePoint(model, position, engine)}: ${term}; it is not finite at ${count} of ${DRAWS} draws`,
      hint: "Declare bounds by constraints, and bound the arguments of logarithms and roots.",
    },
  );
}
