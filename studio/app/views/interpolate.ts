import type { Frame, Trajectories } from "../engine/messages.ts";

/** The positions after `depth` layers, linearly interpolated between two layers. */
export function positionsAt({ positions }: Trajectories, depth: number): Float32Array {
  const before = Math.min(Math.floor(depth), positions.length - 2);
  const share = depth - before;
  const [from, to] = [positions[before]!, positions[before + 1]!];
  return from.map((value, i) => value + share * (to[i]! - value));
}

/** The sums of the log-determinants of the first `depth` layers, of which the last one counts in part. */
export function logVolumesAt({ logDets }: Trajectories, depth: number): Float32Array {
  const sums = new Float32Array(logDets[0]!.length);
  logDets.forEach((logDet, k) => {
    const part = Math.min(1, Math.max(0, depth - k));
    if (part > 0)
      logDet.forEach((value, i) => {
        sums[i]! += part * value;
      });
  });
  return sums;
}

/** The frame between two frames. */
export function frameBetween(from: Frame, to: Frame, share: number): Frame {
  const mix = (a: Frame["x"], b: Frame["x"]) =>
    [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])] as const;
  return { x: mix(from.x, to.x), y: mix(from.y, to.y) };
}
