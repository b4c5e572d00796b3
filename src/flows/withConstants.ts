import { Standardize } from "../bijections/standardize.ts";
import { ConstantFeatures } from "../distributions/constantFeatures.ts";
import { TransformedDistribution } from "../distributions/transformedDistribution.ts";
import { PushforwardError } from "../errors.ts";
import { brief } from "../parse.ts";
import { checkFlow } from "./checkParts.ts";
import { Flow } from "./flow.ts";

/**
 * The flow with constant features beside its own: `constants` has the value of each by its place among all features. Rows with
 * these values have the log-density that the flow gives to the others, all other rows -Infinity. Samples have the values
 * exactly. Parameters are shared with the flow, but for the standardization next to the data, of which there is a new one.
 */
export function withConstants(flow: Flow, constants: ReadonlyMap<number, number>): Flow {
  checkFlow("withConstants", flow);
  if (!(constants instanceof Map)) {
    throw new PushforwardError("ARGUMENT", "withConstants takes a Map from places to values", {
      received: brief(constants),
    });
  }
  if (constants.size === 0) return flow;
  const standardize = flow.dataStandardization?.standardize ?? new Standardize({ features: flow.features });
  const { base: own, bijection } = flow.relativeTo(standardize);
  const [centers, scales] = [standardize.center, standardize.scale].map(({ numbers }) => numbers.values());
  const features = Array.from({ length: flow.features + constants.size }, (_, i) => i);
  const base = new ConstantFeatures(new TransformedDistribution(own, bijection), {
    constant: features.filter((i) => constants.has(i)),
  });
  const next = (numbers: Iterator<number>) => numbers.next().value as number;
  const outer = Standardize.of(
    features.map((i) => constants.get(i) ?? next(centers)),
    features.map((i) => (constants.has(i) ? 1 : next(scales))),
  );
  return new Flow(base, outer, flow.embedding);
}
