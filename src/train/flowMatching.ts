import { type Bijection, contextFor, type VelocityField } from "../bijections/bijection.ts";
import { flattened } from "../bijections/parts.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { scalar, type Tensor } from "../graph/tensor.ts";
import { drawForRows } from "../graph/tracing/drawn.ts";
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
  const { velocity, rest } = splitFlow(flow);
  const noise = flow.base.noise.map(({ kind, size }) => drawForRows(kind, size));
  const embedded = flow.embed(context);
  const data = rest.reduceRight((value, part) => part.inverse(value, contextFor(part, embedded)).value, x);
  const z = flow.base.sample(noise, contextFor(flow.base, embedded));
  const t = drawForRows("uniform", 1);
  const point = scalar(1)
    .sub(t.mul(1 - SIGMA))
    .mul(z)
    .add(t.mul(data));
  const loss = velocity(t, point, embedded)
    .sub(data.sub(z.mul(1 - SIGMA)))
    .square()
    .sum(1);
  checkParametersFound(flow, [loss], [x, context]);
  return loss;
}

/** The field of the continuous part, which is next to the base, and the parts between it and the data. */
function splitFlow(flow: Flow): { velocity: VelocityField; rest: Bijection[] } {
  const [first, ...rest] = flattened(flow.bijection).map(({ bijection }) => bijection);
  const own = new Set(trainableParameters([first, flow.embedding]).values());
  const other = [...flow.parameters()].find(([, p]) => p.trainable && !own.has(p));
  if (first.velocity && !other)
    return { velocity: (t, y, context) => first.velocity!(t, y, contextFor(first, context)), rest };
  throw new PushforwardError("ARGUMENT", "flow matching does not fit this flow", {
    expected: "a base without learned parameters, a continuous bijection, and then nothing that is learned",
    received: first.velocity ? `${other![0]} to learn` : first.describe().type,
    hint: "Train it by likelihood, or build it with cnf().",
  });
}
