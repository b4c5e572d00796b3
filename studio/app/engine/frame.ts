import type { Source } from "../setting.ts";
import type { Frame } from "./messages.ts";

/** The frame in which points are drawn. It does not depend on the points, so that it stays where it is while they are drawn. */
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

/** The x coordinate of the center of a column of a raster with `size` cells on a side. */
export const cellX = ({ x }: Frame, size: number, column: number): number =>
  x[0] + ((x[1] - x[0]) * (column + 0.5)) / size;

/** The y coordinate of the center of a row; rows are counted from the top. */
export const cellY = ({ y }: Frame, size: number, row: number): number =>
  y[1] - ((y[1] - y[0]) * (row + 0.5)) / size;
