import type { Flow } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { Energy } from "./energies.ts";

/** Half the side of the square that integrals go over. */
const REACH = 6;

/** Nodes at a time, so that memory stays bounded. */
const CHUNK = 10_000;

/** Midpoints of `size` x `size` cells of [-reach, reach]^2, row by row: [size^2, 2]. */
export function squareNodes(size: number, reach = REACH): Float64Array {
  const at = (i: number) => reach * ((2 * i + 1) / size - 1);
  return Float64Array.from({ length: 2 * size * size }, (_, k) => {
    const node = Math.floor(k / 2);
    return at(k % 2 === 0 ? node % size : Math.floor(node / size));
  });
}

/** log of the integral of exp(energy) over [-reach, reach]^2, in float64. */
export async function logNormalizer(energy: Energy, size = 1200, reach = REACH): Promise<number> {
  const sum = compile(
    (z) => {
      const logDensity = energy(z);
      const largest = logDensity.max().stopGradient();
      return logDensity.sub(largest).exp().sum().log().add(largest);
    },
    [["N", 2]],
    { precision: "float64" },
  );
  const [logSum] = await sum(squareNodes(size, reach));
  await sum.release();
  return logSum + 2 * Math.log((2 * reach) / size);
}

/**
 * KL(q || p) in nats for p = exp(energy) / Z: the integral of log q(x) - log p(x) over the noise that the flow makes rows of,
 * so that no inverse is needed, and that the nodes are dense where q is high. In float64.
 *
 * The nodes are those of a standard normal on [-6, 6]^2, which leaves out a mass of 4e-9; a base that takes uniform numbers
 * gets their normal distribution function.
 */
export async function divergence(flow: Flow, energy: Energy, logZ: number, size = 400): Promise<number> {
  const nodes = squareNodes(size);
  const cell = (2 * REACH) / size;
  const difference = compile(
    (normal) => {
      const { samples: value, logProb } = flow.sampleAndLogProb(noiseFrom(flow, normal));
      const weights = normal
        .square()
        .sum(1)
        .mul(-0.5)
        .exp()
        .mul(cell ** 2 / (2 * Math.PI));
      return logProb.sub(energy(value)).mul(weights).sum();
    },
    [["N", 2]],
    { precision: "float64", embedParameters: true },
  );
  let sum = logZ;
  for (let start = 0; start < nodes.length; start += 2 * CHUNK)
    sum += (await difference(nodes.subarray(start, start + 2 * CHUNK)))[0];
  await difference.release();
  return sum;
}

function noiseFrom(flow: Flow, normal: Tensor) {
  const [noise] = flow.base.noise;
  if (flow.base.noise.length !== 1 || noise.size !== 2)
    throw new Error("a base with other noise than two numbers a row");
  return [noise.kind === "normal" ? normal : normal.mul(Math.SQRT1_2).erf().add(1).mul(0.5)];
}
