import { PushforwardError } from "../check/index.ts";

/** The size of one axis: a number, or `"N"`, the batch axis, whose size is known only when the graph runs. */
export type Dimension = number | "N";

/** Sizes of all axes. One may be `"N"`: in inputs and outputs of a graph it is the first, and only `transpose` moves it. */
export type Shape = readonly Dimension[];

export const isDimension = (size: unknown): size is Dimension =>
  size === "N" || (Number.isSafeInteger(size) && (size as number) >= 0);

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}

/** Number of elements, if N is `batch`. */
export function sizeOf(shape: Shape, batch = 1): number {
  return shape.reduce<number>((product, d) => product * (d === "N" ? batch : d), 1);
}

/** The shape with the number of rows in place of `"N"`. */
export function resolveShape(shape: Shape, batch: number): number[] {
  return shape.map((d) => (d === "N" ? batch : d));
}

/** NumPy's broadcasting: shapes are aligned at their last axes, and an axis of size 1 is repeated. */
export function broadcastShapes(operation: string, ...shapes: Shape[]): Shape {
  const result = numpyShape(shapes);
  if (!result) {
    throw new PushforwardError(
      "SHAPE",
      `${operation} cannot broadcast ${shapes.map(formatShape).join(" with ")}`,
      {
        hint: "Two axes must be equal, or one of them must be 1.",
      },
    );
  }
  requireBatchAxisInPlace(
    result,
    shapes,
    () => `${operation} would move the batch axis of ${shapes.map(formatShape).join(" with ")}`,
  );
  return result;
}

/** The shape after NumPy's broadcasting; undefined if two sizes do not match. */
function numpyShape(shapes: readonly Shape[]): Shape | undefined {
  const rank = Math.max(...shapes.map((s) => s.length));
  const result: Dimension[] = new Array(rank).fill(1);
  for (const shape of shapes) {
    const missing = rank - shape.length;
    for (const [i, d] of shape.entries()) {
      if (result[i + missing] === 1) result[i + missing] = d;
      else if (d !== 1 && d !== result[i + missing]) return undefined;
    }
  }
  return result;
}

/**
 * Inserts axes of size 1 after the leading batch axes of elementwise operands whose sizes do not match when they are aligned at
 * the last axes, as in NumPy: [N] with [N, 8] becomes [N, 1] with [N, 8], and [N] with [5] becomes [N, 1] with [5]. Returns the
 * shapes as they are if the sizes match without these axes, or do not match with them.
 */
export function alignBatchAxes(shapes: readonly Shape[]): readonly Shape[] {
  if (shapes.length < 2 || !shapes.some(([first]) => first === "N") || isAligned(shapes)) return shapes;
  const rank = Math.max(...shapes.map((shape) => (shape[0] === "N" ? shape.length - 1 : shape.length)));
  const aligned = shapes.map((shape) =>
    shape[0] === "N"
      ? ["N" as const, ...new Array(rank + 1 - shape.length).fill(1), ...shape.slice(1)]
      : shape,
  );
  return isAligned(aligned) ? aligned : shapes;
}

function isAligned(shapes: readonly Shape[]): boolean {
  const result = numpyShape(shapes);
  return result !== undefined && batchAxisIsInPlace(result, shapes);
}

/** Throws unless the batch axes of `shapes` are at the same position as that of the result. */
export function requireBatchAxisInPlace(
  result: Shape,
  shapes: readonly Shape[],
  message: () => string,
): void {
  if (batchAxisIsInPlace(result, shapes)) return;
  throw new PushforwardError("SHAPE", message(), { hint: "The batch axis N must stay where it is." });
}

function batchAxisIsInPlace(result: Shape, shapes: readonly Shape[]): boolean {
  const axis = result.indexOf("N");
  const inPlace = shapes.every((shape) => !shape.includes("N") || shape.indexOf("N") === axis);
  return inPlace && result.lastIndexOf("N") === axis;
}

/** The position of an axis that may be counted from the end by a negative number. Throws `SHAPE` if there is none. */
export function normalizeAxis(operation: string, axis: number, shape: Shape): number {
  const position = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || position < 0 || position >= shape.length) {
    throw new PushforwardError("SHAPE", `${operation} has no axis ${axis} in shape ${formatShape(shape)}`);
  }
  return position;
}

/** The size of an axis. Throws `SHAPE` for the batch axis, with the message that begins with `action`. */
export function knownSize(action: string, axis: number, shape: Shape): number {
  const size = shape[axis];
  if (size !== "N") return size;
  throw new PushforwardError("SHAPE", `${action} the batch axis of ${formatShape(shape)}`, {
    hint: "The number of rows is known only when the graph runs.",
  });
}

/** The sorted positions of the axes of a reduction: all axes by default. Throws `SHAPE` for a repeated axis. */
export function normalizeAxes(
  operation: string,
  axes: number | readonly number[] | undefined,
  shape: Shape,
): number[] {
  const chosen = axes === undefined ? shape.map((_, i) => i) : typeof axes === "number" ? [axes] : axes;
  const positions = chosen.map((axis) => normalizeAxis(operation, axis, shape)).sort((a, b) => a - b);
  if (new Set(positions).size < positions.length) {
    throw new PushforwardError("SHAPE", `${operation} has an axis twice: [${chosen}]`);
  }
  return positions;
}
