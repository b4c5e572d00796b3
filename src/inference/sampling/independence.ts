import type { RandomStream } from "../../random/index.ts";
import type { Point } from "./chainProgram.ts";

/**
 * A Metropolis-Hastings transition whose proposals are independent of the current point: the proposal y is accepted with the probability
 * min(1, p(y) q(x) / (p(x) q(y))). With a flow as q it moves between modes that the flow covers.
 */
export function independenceTransition(current: Point, proposal: Point, random: RandomStream): Point {
  const logRatio = proposal.logDensity - proposal.logProposal - (current.logDensity - current.logProposal);
  return Math.log(random.uniform()) < logRatio ? proposal : current;
}

/**
 * The indices of the draws of q that each chain of independence proposals visits, from the logarithms of their weights p / q. The draws are
 * divided into one block for each chain, which starts at the first draw of its block with a weight above 0, and proposes the draws in order.
 */
export function independenceChains(
  logWeights: Float64Array,
  chains: number,
  random: RandomStream,
): Int32Array[] {
  const length = Math.floor(logWeights.length / chains);
  return Array.from({ length: chains }, (_, c) => {
    const first = c * length;
    // A chain cannot start where the density is 0. Without any other draw in its block, it stays at the first one.
    const start = logWeights.subarray(first, first + length).findIndex(Number.isFinite);
    let current = first + Math.max(0, start);
    return Int32Array.from({ length }, (_, i) => {
      const proposal = first + i;
      if (Math.log(random.uniform()) < logWeights[proposal] - logWeights[current]) current = proposal;
      return current;
    });
  });
}
