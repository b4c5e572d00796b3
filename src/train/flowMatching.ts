import { contextFor } from "../bijections/bijection.ts";
import { Chain } from "../bijections/chain.ts";
import { Continuous } from "../bijections/continuous.ts";
import type { Standardize } from "../bijections/standardize.ts";
import { StandardizeContext } from "../bijections/standardizeContext.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { drawForRows } from "../graph/drawn.ts";
import { scalar, type Tensor } from "../graph/tensor.ts";
import { checkParametersFound } from "../nn/lostParameters.ts";
import { trainableParameters } from "../nn/module.ts";

/** Deviation of a path at its end, at the data. */
const SIGMA = 1e-4;

/**
 * The loss of flow matching for each row x [N, D], with straight conditional paths (Lipman et al. 2023, "Flow matching for
 * generative modeling"; optimal transport from a point z of the base to x):
 *
 *     |v(t, (1 - (1 - s) t) z + t x) - (x - (1 - s) z)|^2 with s = 10^-4, t uniform, z drawn from the base.
 *
 * Nothing is integrated. What it trains is a continuous flow, whose density is then exact as ever. Throws `ARGUMENT` for a
 * flow that is not continuous, or has something else to learn.
 */
export function flowMatchingLoss(flow: Flow, x: Tensor, context?: Tensor): Tensor {
  const { continuous, scaler, rest } = partsOf(flow);
  const data = rest ? rest.inverse(x).value : x;
  const noise = flow.base.noise.map(({ kind, size }) => drawForRows(kind, size));
  const embedded = flow.embed(context);
  const z = flow.base.sample(noise, contextFor(flow.base, embedded));
  const t = drawForRows("uniform", 1);
  const point = scalar(1)
    .sub(t.mul(1 - SIGMA))
    .mul(z)
    .add(t.mul(data));
  const given = embedded && scaler ? scaler.inverse(embedded).value : embedded;
  const velocity = continuous.velocity(t, point, given);
  const loss = velocity
    .sub(data.sub(z.mul(1 - SIGMA)))
    .square()
    .sum(1);
  checkParametersFound(flow, [loss], [x, context]);
  return loss;
}

/** The continuous part, next to the base; what scales its context; and what stands between it and the data. */
function partsOf(flow: Flow): {
  continuous: Continuous;
  scaler: Standardize | undefined;
  rest: Chain | undefined;
} {
  const { bijection } = flow;
  const [outer, ...rest] = bijection instanceof Chain ? bijection.bijections : [bijection];
  const { inner, scaler } =
    outer instanceof StandardizeContext
      ? { inner: outer.bijection, scaler: outer.scaler }
      : { inner: outer, scaler: undefined };
  const own = new Set(trainableParameters([inner, flow.embedding]).values());
  const other = [...flow.parameters()].find(([, p]) => p.trainable && !own.has(p));
  if (inner instanceof Continuous && !other)
    return { continuous: inner, scaler, rest: rest.length > 0 ? new Chain(rest) : undefined };
  throw new PushforwardError("ARGUMENT", "flow matching does not fit this flow", {
    expected: "a base without learned parameters, a continuous bijection, and then nothing that is learned",
    received: inner instanceof Continuous ? `${other![0]} to learn` : inner.describe().type,
    mend: "Train it by likelihood, or build it with cnf().",
  });
}
