import type { Flow } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { compile } from "../../src/runtime/compile.ts";
import type { LogDensity } from "./energies.ts";

/** Half the side of the square of integration. */
const HALF_SIDE = 6;

/** Nodes per evaluation, which bounds the memory. */
const CHUNK_NODES = 10_000;

/** Midpoints of `size` x `size` cells of [-halfSide, halfSide]^2, row by row: [size^2, 2]. */
export function gridNodes(size: number, halfSide = HALF_SIDE): Float64Array {
  const coordinate = (i: number) => halfSide * ((2 * i + 1) / size - 1);
  return Float64Array.from({ length: 2 * size * size }, (_, k) => {
    const node = Math.floor(k / 2);
    return coordinate(k % 2 === 0 ? node % size : Math.floor(node / size));
  });
}

/** log of the integral of exp(logDensity) over [-halfSide, halfSide]^2, in float64. */
export async function logNormalizer(
  logDensity: LogDensity,
  size = 1200,
  halfSide = HALF_SIDE,
): Promise<number> {
  const sum = compile(
    (z) => {
      const values = logDensity(z);
      const largest = values.max().stopGradient();
      return values.sub(largest).exp().sum().log().add(largest);
    },
    [["N", 2]],
    { precision: "float64" },
  );
  const [logSum] = await sum(gridNodes(size, halfSide));
  await sum.release();
  return logSum + 2 * Math.log((2 * halfSide) / size);
}

/**
 * KL(q || p) in nats for p = exp(logDensity) / Z, in float64. The integral of log q(x) - log p(x) is taken over the noise that the
 * flow transforms to x, so that no inverse is needed and the nodes are dense where q is high.
 *
 * The noise is standard normal on [-6, 6]^2, which omits a mass of 4e-9. For a base distribution with uniform noise, the
 * nodes are mapped by the normal distribution function.
 */
export async function divergence(
  flow: Flow,
  logDensity: LogDensity,
  logZ: number,
  size = 400,
): Promise<number> {
  const nodes = gridNodes(size);
  const cellWidth = (2 * HALF_SIDE) / size;
  const difference = compile(
    (normal) => {
      const { samples: value, logProb } = flow.sampleAndLogProb(noiseOf(flow, normal));
      const weights = normal
        .square()
        .sum(1)
        .mul(-0.5)
        .exp()
        .mul(cellWidth ** 2 / (2 * Math.PI));
      return logProb.sub(logDensity(value)).mul(weights).sum();
    },
    [["N", 2]],
    { precision: "float64", embedParameters: true },
  );
  let sum = logZ;
  for (let start = 0; start < nodes.length; start += 2 * CHUNK_NODES)
    sum += (await difference(nodes.subarray(start, start + 2 * CHUNK_NODES)))[0];
  await difference.release();
  return sum;
}

function noiseOf(flow: Flow, normal: Tensor) {
  const [noise] = flow.base.noise;
  if (flow.base.noise.length !== 1 || noise.size !== 2)
    throw new Error("The base distribution must have two noise variables per row.");
  return [noise.kind === "normal" ? normal : normal.mul(Math.SQRT1_2).erf().add(1).mul(0.5)];
}
