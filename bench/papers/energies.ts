import type { Tensor } from "../../src/graph/tensor.ts";

/** An unnormalized log-density of the plane, -U(z) and an envelope: [N, 2] -> [N]. */
export type Energy = (z: Tensor) => Tensor;

/** Within this distance from 0 along z1 an energy is as it was published; beyond, it ends within SHOULDER or so. */
export const EDGE = 4;
const SHOULDER = 0.2;

/**
 * U1 to U4 of Rezende and Mohamed 2015, "Variational inference with normalizing flows", Table 1, negated.
 *
 * U2 to U4 go on along z1 without an end, and have no normalizer; the paper shows them on [-4, 4]^2. Here all four have the
 * factor exp(-max(0, |z1| - 4)^2 / (2 0.2^2)): nothing changes for |z1| <= 4, gradients are continuous, and of the mass less
 * than 1e-9 is outside [-6, 6]^2.
 */
export const energies: Readonly<Record<"U1" | "U2" | "U3" | "U4", Energy>> = {
  U1: enveloped((z) => {
    const [z1] = columns(z);
    const ring = squared(z.square().sum(1).sqrt().sub(2), 0.4);
    return ring.add(logSum(squared(z1.sub(2), 0.6), squared(z1.add(2), 0.6)));
  }),
  U2: enveloped((z) => {
    const [z1, z2] = columns(z);
    return squared(z2.sub(w1(z1)), 0.4);
  }),
  U3: enveloped((z) => {
    const [z1, z2] = columns(z);
    const away = z2.sub(w1(z1));
    return logSum(squared(away, 0.35), squared(away.add(w2(z1)), 0.35));
  }),
  U4: enveloped((z) => {
    const [z1, z2] = columns(z);
    const away = z2.sub(w1(z1));
    return logSum(squared(away, 0.4), squared(away.add(w3(z1)), 0.35));
  }),
};

const columns = (z: Tensor) => [0, 1].map((i) => z.slice(1, i, i + 1).reshape(["N"]));

/** -(x / deviation)^2 / 2 */
function squared(x: Tensor, deviation: number): Tensor {
  return x.div(deviation).square().mul(-0.5);
}

/** log(exp(a) + exp(b)), where both underflow too. */
function logSum(a: Tensor, b: Tensor): Tensor {
  return a.maximum(b).add(a.sub(b).abs().neg().exp().log1p());
}

const w1 = (z1: Tensor) => z1.mul(Math.PI / 2).sin();
const w2 = (z1: Tensor) => squared(z1.sub(1), 0.6).exp().mul(3);
const w3 = (z1: Tensor) => z1.sub(1).div(0.3).sigmoid().mul(3);

function enveloped(energy: Energy): Energy {
  return (z) => {
    const [z1] = columns(z);
    return energy(z).add(squared(z1.abs().sub(EDGE).maximum(0), SHOULDER));
  };
}
