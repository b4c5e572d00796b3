import type { Tensor } from "../../src/graph/tensor.ts";

/** An unnormalized log-density -U(z) on the plane: maps [N, 2] to [N]. */
export type Energy = (z: Tensor) => Tensor;

/** For |z1| <= EDGE the energies are as published; beyond, the density falls like a Gaussian of deviation EDGE_DEVIATION. */
export const EDGE = 4;
const EDGE_DEVIATION = 0.2;

/**
 * U1 to U4 of Rezende and Mohamed 2015, "Variational inference with normalizing flows", Table 1, negated.
 *
 * U2 to U4 do not decay along z1, so they cannot be normalized; the paper plots them on [-4, 4]^2. Here all four densities
 * have the factor exp(-max(0, |z1| - 4)^2 / (2 0.2^2)). It is 1 for |z1| <= 4, its gradient is continuous, and less than 1e-9
 * of the mass is outside [-6, 6]^2.
 */
export const energies: Readonly<Record<"U1" | "U2" | "U3" | "U4", Energy>> = {
  U1: withEnvelope((z) => {
    const [z1] = columns(z);
    const ring = logGaussian(z.square().sum(1).sqrt().sub(2), 0.4);
    return ring.add(logAddExp(logGaussian(z1.sub(2), 0.6), logGaussian(z1.add(2), 0.6)));
  }),
  U2: withEnvelope((z) => {
    const [z1, z2] = columns(z);
    return logGaussian(z2.sub(w1(z1)), 0.4);
  }),
  U3: withEnvelope((z) => {
    const [z1, z2] = columns(z);
    const residual = z2.sub(w1(z1));
    return logAddExp(logGaussian(residual, 0.35), logGaussian(residual.add(w2(z1)), 0.35));
  }),
  U4: withEnvelope((z) => {
    const [z1, z2] = columns(z);
    const away = z2.sub(w1(z1));
    return logAddExp(logGaussian(away, 0.4), logGaussian(away.add(w3(z1)), 0.35));
  }),
};

const columns = (z: Tensor) => [0, 1].map((i) => z.slice(1, i, i + 1).reshape(["N"]));

/** -(x / deviation)^2 / 2 */
function logGaussian(x: Tensor, deviation: number): Tensor {
  return x.div(deviation).square().mul(-0.5);
}

/** log(exp(a) + exp(b)) without underflow. */
function logAddExp(a: Tensor, b: Tensor): Tensor {
  return a.maximum(b).add(a.sub(b).abs().neg().exp().log1p());
}

const w1 = (z1: Tensor) => z1.mul(Math.PI / 2).sin();
const w2 = (z1: Tensor) => logGaussian(z1.sub(1), 0.6).exp().mul(3);
const w3 = (z1: Tensor) => z1.sub(1).div(0.3).sigmoid().mul(3);

function withEnvelope(energy: Energy): Energy {
  return (z) => {
    const [z1] = columns(z);
    return energy(z).add(logGaussian(z1.abs().sub(EDGE).maximum(0), EDGE_DEVIATION));
  };
}
