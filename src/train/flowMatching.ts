import { type Bijection, contextFor, flatten, type VelocityField } from "../bijections/index.ts";
import { PushforwardError } from "../check/index.ts";
import type { Flow } from "../flows/index.ts";
import { drawForRows, scalar, type Tensor } from "../graph/index.ts";
import { checkParametersReachable, trainableParameters } from "../nn/index.ts";

/** Standard deviation of a conditional path around its data point at t = 1. */
const SIGMA = 1e-4;

/**
 * The loss of flow matching for each row x [N, D], with straight conditional paths (Lipman et al. 2023, "Flow matching for
 * generative modeling"; optimal transport from a point z of the base to x):
 *
 *     |v(t, (1 - (1 - s) t) z + t x) - (x - (1 - s) z)|^2 with s = 10^-4, t uniform, z drawn from the base.
 *
 * Training integrates no differential equation. Throws `ARGUMENT` unless the flow is continuous and has no trainable parameters
 * outside of its velocity field and embedding.
 */
export function flowMatchingLoss(flow: Flow, x: Tensor, context?: Tensor): Tensor {
  const { velocity, outerBijections } = splitFlow(flow);
  const noise = flow.base.noise.map(({ kind, size }) => drawForRows(kind, size));
  const embedded = flow.embed(context);
  const data = outerBijections.reduceRight(
    (value, part) => part.inverse(value, contextFor(part, embedded)).value,
    x,
  );
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
  checkParametersReachable(flow, [loss], [x, context]);
  return loss;
}

/** The velocity field of the bijection next to the base, and the bijections between it and the data. */
function splitFlow(flow: Flow): { velocity: VelocityField; outerBijections: Bijection[] } {
  const [first, ...outerBijections] = flatten(flow.bijection).map(({ bijection }) => bijection);
  const trained = new Set(trainableParameters([first, flow.embedding]).values());
  const untrained = [...flow.parameters()].find(([, p]) => p.trainable && !trained.has(p));
  if (first.velocity && !untrained)
    return {
      velocity: (t, y, context) => first.velocity!(t, y, contextFor(first, context)),
      outerBijections,
    };
  throw new PushforwardError("ARGUMENT", "flow matching cannot train this flow", {
    expected: "a continuous bijection next to the base, and no other trainable parameters",
    received: first.velocity ? `the trainable parameter ${untrained![0]}` : first.describe().type,
    hint: "Train it by maximum likelihood, or build it with cnf().",
  });
}
