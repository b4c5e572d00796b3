import { Standardize } from "../../bijections/index.ts";
import { brief, PushforwardError } from "../../check/index.ts";
import { TransformedDistribution } from "../../distributions/index.ts";
import { checkFlow, Flow } from "../../flows/index.ts";
import { ConstantFeatures } from "../densities/index.ts";

/**
 * Returns a flow with additional constant features. `constants` has the value of each by its index among all features of the
 * result. Rows with these values have the log-density of the remaining features under `flow`; all other rows have -Infinity.
 * Samples have exactly these values. Parameters are shared with `flow`, except for a new standardization next to the data. Throws
 * `ARGUMENT` if `flow` is not a flow, `constants` is not a `Map`, an index is out of range or a value is not a finite number.
 */
export function withConstants(flow: Flow, constants: ReadonlyMap<number, number>): Flow {
  checkFlow("withConstants", flow);
  if (!(constants instanceof Map)) {
    throw new PushforwardError(
      "ARGUMENT",
      "the constants of withConstants are not a Map from index to value",
      {
        received: brief(constants),
      },
    );
  }
  if (constants.size === 0) return flow;
  const count = flow.features + constants.size;
  for (const [index, value] of constants) {
    if (Number.isInteger(index) && index >= 0 && index < count && Number.isFinite(value)) continue;
    throw new PushforwardError("ARGUMENT", "a constant of withConstants is not valid", {
      expected: `an index from 0 to ${count - 1} and a finite number`,
      received: `${brief(index)} and ${brief(value)}`,
    });
  }
  const standardize = flow.dataStandardization?.standardize ?? new Standardize({ features: flow.features });
  const { base: innerBase, bijection } = flow.relativeTo(standardize);
  const [centers, scales] = [standardize.center, standardize.scale].map(({ numbers }) => numbers.values());
  const features = Array.from({ length: count }, (_, i) => i);
  const base = new ConstantFeatures(new TransformedDistribution(innerBase, bijection), {
    constant: features.filter((i) => constants.has(i)),
  });
  const next = (numbers: Iterator<number>) => numbers.next().value as number;
  const standardizeAll = Standardize.of(
    features.map((i) => constants.get(i) ?? next(centers)),
    features.map((i) => (constants.has(i) ? 1 : next(scales))),
  );
  return new Flow(base, standardizeAll, flow.embedding);
}
