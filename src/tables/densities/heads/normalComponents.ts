import { concat, type Tensor } from "../../../graph/index.ts";
import type { ColumnHead } from "./columnHead.ts";
import { withSecondAxis } from "./columnShapes.ts";
import type { MixtureParameters } from "./headGroup.ts";
import type { ComponentParameters } from "./logisticComponents.ts";

/**
 * Two logistic distributions with this scale, at this distance from the mean on both sides, approximate the standard normal distribution:
 * the Kullback-Leibler divergence from it is 0.0022 nats, the smallest of all such pairs.
 */
const LOGISTIC_PAIR = { offset: 0.5586, logScale: Math.log(0.4637) };

/** The pair of logistic distributions [S, 2, ..., N] for normal distributions with means and standard deviations [S, ..., N]. */
function logisticPair(means: Tensor, deviations: Tensor): ComponentParameters {
  const { offset, logScale } = LOGISTIC_PAIR;
  const [S, ...rest] = means.shape;
  const distance = deviations.mul(offset).reshape([S, 1, ...deviations.shape.slice(1)]);
  const centers = means.reshape([S, 1, ...rest]);
  const logScales = deviations
    .log()
    .add(logScale)
    .reshape([S, 1, ...deviations.shape.slice(1)]);
  return {
    locations: concat([centers.sub(distance), centers.add(distance)], 1),
    logScales: concat([logScales, logScales], 1),
  };
}

/** The components of a head for normal distributions with means and standard deviations [S, ..., N] on the linear scale. */
export function normalComponents(
  type: ColumnHead["type"],
  means: Tensor,
  deviations: Tensor,
): ComponentParameters {
  // The probability of a cell needs a distribution function. That of a logistic distribution can be computed without cancellation, also far
  // from the mean.
  if (type === "lattice") return logisticPair(means, deviations);
  return { locations: withSecondAxis(means), logScales: withSecondAxis(deviations.log()), isNormal: true };
}

/** The parameters of the chosen component of each row, from those of all components of one column. `chosen` is one-hot, [1, C, N]. */
export function selectComponent(parameters: MixtureParameters, chosen: Tensor): MixtureParameters {
  const select = (numbers: Tensor) => {
    const C = numbers.shape[2];
    return numbers.mul(chosen.reshape([1, 1, C, "N"])).sum(2);
  };
  const { logits, ofComponents } = parameters;
  return {
    logits: select(logits),
    ...(ofComponents && {
      ofComponents: {
        locations: select(ofComponents.locations),
        logScales: select(ofComponents.logScales),
        ...(ofComponents.isNormal && { isNormal: true }),
      },
    }),
  };
}
