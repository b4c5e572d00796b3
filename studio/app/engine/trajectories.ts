import type { Trajectories } from "./messages.ts";

/** Collects the outputs of a compiled function that are named position0, position1, ... and logDet0, logDet1, ... */
export function trajectoriesOf(
  points: Float64Array,
  outputs: Readonly<Record<string, Float32Array>>,
): Trajectories {
  const named = (name: string) =>
    Object.keys(outputs)
      .filter((key) => key.startsWith(name))
      .map((_, k) => outputs[`${name}${k}`]!);
  return { positions: [Float32Array.from(points), ...named("position")], logDets: named("logDet") };
}
