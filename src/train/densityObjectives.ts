import type { Flow } from "../flows/index.ts";
import { input, scalar, stack, substitute, type Tensor } from "../graph/index.ts";
import type { Loss, LossBatch } from "./batchLoss.ts";
import type { densitySettings } from "./densityOptions.ts";
import type { TargetDensity } from "./targetDensity.ts";

type Settings = Pick<ReturnType<typeof densitySettings>, "objective" | "annealing" | "stickTheLanding">;

/** How many samples of the flow are drawn for each row of a batch. */
export const samplesPerRow = (objective: Settings["objective"]): number =>
  objective?.type === "renyi" ? objective.samples : 1;

/** The loss of an objective for samples of the flow. It also reports the evidence lower bound of the density, without annealing. */
export function densityLoss(
  flow: Flow,
  logDensity: TargetDensity,
  { objective, annealing, stickTheLanding }: Settings,
): Loss {
  const detachesParameters = stickTheLanding || objective?.type === "renyi";
  return (batch) => {
    const draws = drawSamples(flow, batch, samplesPerRow(objective)).map(({ samples, logProb }) => ({
      samples,
      logP: logDensity(samples),
      logQ: detachesParameters ? logDensityWithDetachedParameters(flow, samples) : logProb,
    }));
    // The noise of the samples is drawn before the step is read, so that `fitDensity` can draw it again to explain a failure.
    const beta = annealing && scalar(1).minimum(batch.step.div(annealing.steps).add(annealing.start));
    const elbo = meanOf(draws.map(({ logP, logQ }) => logP.sub(logQ)));
    const annealed = draws.map((draw) => (beta ? { ...draw, logP: draw.logP.mul(beta) } : draw));
    const [{ samples, logP, logQ }] = annealed;
    switch (objective?.type) {
      case "renyi": {
        const logWeights = annealed.map((draw) => draw.logP.sub(draw.logQ));
        return { loss: renyiBound(stack(logWeights, 1), objective.alpha).neg(), elbo };
      }
      case "forwardKL": {
        const loss = forwardDivergence(flow, samples.stopGradient(), logP.stopGradient(), batch.weights);
        return { loss, elbo };
      }
      default:
        return { loss: logQ.sub(logP), elbo };
    }
  };
}

const meanOf = (tensors: readonly Tensor[]): Tensor =>
  tensors.reduce((sum, tensor) => sum.add(tensor)).div(tensors.length);

/**
 * The Renyi bound of log Z from log-weights log p~(x_k) - log q(x_k), [N, K], of K samples (Li and Turner 2016):
 *
 *     L = 1 / (1 - alpha) log(1 / K sum_k w_k^(1 - alpha)),
 *
 * for 0 <= alpha < 1. alpha = 0 is the importance-weighted bound (Burda et al. 2016), and alpha -> 1 the evidence lower bound. Returns [N].
 *
 * The gradient is doubly reparametrized: with v_k = w_k^(1 - alpha) / sum, it is
 *
 *     sum_k (alpha v_k + (1 - alpha) v_k^2) d log w_k / dx_k dx_k / dphi,
 *
 * where q in the weights is held fixed: `logWeights` must have no gradient through the parameters of q, only through x. Its expectation is
 * that of the gradient of the bound, but it has no noise where q equals p, and it does not degrade with K (Tucker et al. 2019, for
 * alpha = 0; with a factor that differentiates v_k, their derivation holds for every alpha).
 */
export function renyiBound(logWeights: Tensor, alpha: number): Tensor {
  const order = 1 - alpha;
  const count = logWeights.shape[1] as number;
  const powers = logWeights.mul(order);
  const logSum = powers.logsumexp(1);
  const bound = logSum.sub(Math.log(count)).div(order);
  const shares = powers.sub(logSum.reshape(["N", 1])).exp();
  const factors = shares.mul(alpha).add(shares.square().mul(order)).stopGradient();
  return withGradientOf(bound, factors.mul(logWeights).sum(1));
}

/**
 * An estimate of KL(p || q) up to log Z, from samples x [N, D] of q and log p~(x) [N]: sum_i v_i (log p~(x_i) - log q(x_i)) with
 * self-normalized importance weights v_i. The gradient is -sum_i v_i d log q(x_i) / dphi: the weights and samples are held fixed
 * (Bornschein and Bengio 2015). It is biased if few weights dominate. Returns a scalar. `rowWeights` [N] are 1 / N, and 0 for rows that
 * only pad a batch.
 */
export function forwardDivergence(flow: Flow, samples: Tensor, logP: Tensor, rowWeights: Tensor): Tensor {
  const logQ = flow.logProb(samples);
  const logWeights = logP.sub(logQ).add(rowWeights.log()).stopGradient();
  const shares = logWeights.sub(logWeights.logsumexp(0)).exp();
  return shares.mul(logP.sub(logQ)).sum();
}

/** The value of one tensor with the gradient of another. */
const withGradientOf = (value: Tensor, gradient: Tensor): Tensor =>
  gradient.add(value.sub(gradient).stopGradient());

/** `count` samples for each row of a batch, with their log-densities [N]. */
function drawSamples(flow: Flow, batch: LossBatch, count: number) {
  const noise = flow.base.noise.map(({ kind, size }) => ({ size, values: batch[kind](count * size) }));
  return Array.from({ length: count }, (_, k) =>
    flow.sampleAndLogProb(
      noise.map(({ size, values }) => (count === 1 ? values : values.slice(1, k * size, (k + 1) * size))),
    ),
  );
}

/** log q(x) with a gradient through x but not through the parameters of q: "sticking the landing" (Roeder et al. 2017). */
function logDensityWithDetachedParameters(flow: Flow, x: Tensor): Tensor {
  const rows = input("x", ["N", flow.features]);
  const parameters = [...flow.parameters().values()];
  const [fixed] = substitute(
    [flow.logProb(rows)],
    new Map<Tensor, Tensor>([[rows, x], ...parameters.map((p): [Tensor, Tensor] => [p, p.stopGradient()])]),
  );
  return fixed!;
}
