import type { Tensor } from "../../src/graph/tensor.ts";

/** log p(z) + constant = -U(z) of rows z on the plane: maps [N, 2] to [N]. The energy U itself is its negative. */
export type LogDensity = (z: Tensor) => Tensor;

/** The paper plots the densities on the square [-4, 4]^2. */
export const PLOT_HALF_SIDE = 4;
const ENVELOPE_DEVIATION = 0.2;

/**
 * -U1 to -U4 for the energies U of Rezende and Mohamed 2015, "Variational inference with normalizing flows", Table 1.
 *
 * U2 to U4 do not decay along z1, so exp(-U) has an infinite integral. Here all four densities are therefore multiplied by the
 * envelope exp(-max(0, |z1| - 4)^2 / (2 0.2^2)). It is 1 for |z1| <= 4, where the densities are those of the paper, and has a
 * continuous gradient. With it, each density has less than 1e-9 of its mass outside [-6, 6]^2.
 */
export const logDensities: Readonly<Record<"U1" | "U2" | "U3" | "U4", LogDensity>> = {
  U1: withEnvelope((z) => {
    const [z1] = columns(z);
    const ring = gaussianExponent(z.square().sum(1).sqrt().sub(2), 0.4);
    return ring.add(logAddExp(gaussianExponent(z1.sub(2), 0.6), gaussianExponent(z1.add(2), 0.6)));
  }),
  U2: withEnvelope((z) => {
    const [z1, z2] = columns(z);
    return gaussianExponent(z2.sub(w1(z1)), 0.4);
  }),
  U3: withEnvelope((z) => {
    const [z1, z2] = columns(z);
    const residual = z2.sub(w1(z1));
    return logAddExp(gaussianExponent(residual, 0.35), gaussianExponent(residual.add(w2(z1)), 0.35));
  }),
  U4: withEnvelope((z) => {
    const [z1, z2] = columns(z);
    const residual = z2.sub(w1(z1));
    return logAddExp(gaussianExponent(residual, 0.4), gaussianExponent(residual.add(w3(z1)), 0.35));
  }),
};

const columns = (z: Tensor) => [0, 1].map((i) => z.slice(1, i, i + 1).reshape(["N"]));

/** -(x / deviation)^2 / 2: the log-density of a Gaussian without its constant, as the energies of the paper have it. */
function gaussianExponent(x: Tensor, deviation: number): Tensor {
  return x.div(deviation).square().mul(-0.5);
}

/** log(exp(a) + exp(b)), also where both exponentials underflow. */
function logAddExp(a: Tensor, b: Tensor): Tensor {
  return a.maximum(b).add(a.sub(b).abs().neg().exp().log1p());
}

// The functions w1, w2 and w3 of the paper: the curve around which the mass lies, and the offsets of a second curve.
const w1 = (z1: Tensor) => z1.mul(Math.PI / 2).sin();
const w2 = (z1: Tensor) => gaussianExponent(z1.sub(1), 0.6).exp().mul(3);
const w3 = (z1: Tensor) => z1.sub(1).div(0.3).sigmoid().mul(3);

function withEnvelope(logDensity: LogDensity): LogDensity {
  return (z) => {
    const [z1] = columns(z);
    return logDensity(z).add(gaussianExponent(z1.abs().sub(PLOT_HALF_SIDE).maximum(0), ENVELOPE_DEVIATION));
  };
}
