import type { Frame, Motion } from "../engine/messages.ts";

/** How much of step k of a motion is done at a depth, from 0 to 1. */
const shareOf = ({ depths }: Motion, k: number, depth: number): number =>
  Math.min(1, Math.max(0, (depth - depths[k]!) / (depths[k + 1]! - depths[k]!)));

/** The positions after `depth` layers, linearly interpolated between two positions of the motion. */
export function positionsAt(motion: Motion, depth: number): Float32Array {
  const { positions, depths } = motion;
  const k = Math.min(
    depths.findLastIndex((each) => each <= depth),
    depths.length - 2,
  );
  const share = shareOf(motion, k, depth);
  const [from, to] = [positions[k]!, positions[k + 1]!];
  return from.map((value, i) => value + share * (to[i]! - value));
}

/**
 * The sums of the log-determinants of the first `depth` layers, of which the last one counts in part. The last layer of the motion is the
 * standardization. It is left out, because it would give all points the same color if the units of the data are large or small.
 */
export function logVolumesAt(motion: Motion, depth: number): Float32Array {
  const { logDets } = motion;
  const sums = new Float32Array(logDets[0]!.length);
  logDets.forEach((logDet, k) => {
    const share = k < logDets.length - 1 ? shareOf(motion, k, depth) : 0;
    if (share > 0)
      logDet.forEach((value, i) => {
        sums[i]! += share * value;
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
