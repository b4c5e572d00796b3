import type { Source } from "../setting.ts";
import type { Frame } from "./messages.ts";

/** The frame in which a reader draws. It does not depend on the points, so that it does not move below the pointer. */
const DRAWING_FRAME: Frame = { x: [-4, 4], y: [-4, 4] };

/** The frame that shows the rows of a source. */
export const frameOfSource = (source: Source, values: ArrayLike<number>): Frame =>
  source.kind === "points" && source.from === "drawn" ? DRAWING_FRAME : frameOf(values);

/** A square frame around the points, with a margin. */
export function frameOf(values: ArrayLike<number>): Frame {
  const range = (offset: number): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = offset; i < values.length; i += 2) {
      low = Math.min(low, values[i]!);
      high = Math.max(high, values[i]!);
    }
    return [low, high];
  };
  const ranges = [range(0), range(1)];
  const radius = 0.56 * Math.max(...ranges.map(([low, high]) => high - low), Number.MIN_VALUE);
  const [x, y] = ranges.map(([low, high]): [number, number] => {
    const center = (low + high) / 2;
    return [center - radius, center + radius];
  });
  return { x: x!, y: y! };
}
