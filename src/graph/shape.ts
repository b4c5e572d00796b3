import { PushforwardError } from "../errors.ts";

/** The size of one axis: a number, or `"N"`, the batch axis, whose size is known only when the graph runs. */
export type Dimension = number | "N";

/** Sizes of all axes. One of them may be `"N"`: what goes in and out has it first, and only `transpose` moves it. */
export type Shape = readonly Dimension[];

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}

/** Number of elements, with `batch` in place of `"N"`. */
export function sizeOf(shape: Shape, batch = 1): number {
  return shape.reduce<number>((product, d) => product * (d === "N" ? batch : d), 1);
}

/** Numbers in place of `"N"`. */
export function resolveShape(shape: Shape, batch: number): number[] {
  return shape.map((d) => (d === "N" ? batch : d));
}

/** NumPy's broadcasting: aligned from the right, a 1 stretches. */
export function broadcastShapes(operation: string, ...shapes: Shape[]): Shape {
  const rank = Math.max(...shapes.map((s) => s.length));
  const result: Dimension[] = new Array(rank).fill(1);
  for (const shape of shapes) {
    const skip = rank - shape.length;
    shape.forEach((d, i) => {
      const axis = i + skip;
      if (result[axis] === 1) result[axis] = d;
      else if (d !== 1 && d !== result[axis]) {
        throw new PushforwardError(
          "SHAPE",
          `${operation} cannot broadcast ${shapes.map(formatShape).join(" with ")}`,
          {
            hint: "Two axes fit when they are equal or one of them is 1.",
          },
        );
      }
    });
  }
  keepBatch(
    result,
    shapes,
    () => `${operation} moves the batch axis in ${shapes.map(formatShape).join(" with ")}`,
  );
  return result;
}

/** Throws if the batch axis of `shapes` is not where that of the result is. */
export function keepBatch(result: Shape, shapes: readonly Shape[], message: () => string): void {
  const axis = result.indexOf("N");
  const kept = shapes.every((shape) => !shape.includes("N") || shape.indexOf("N") === axis);
  if (kept && result.lastIndexOf("N") === axis) return;
  throw new PushforwardError("SHAPE", message(), { hint: "The batch axis N must stay where it is." });
}

/** Turns a possibly negative axis into its position, or throws. */
export function normalizeAxis(operation: string, axis: number, shape: Shape): number {
  const position = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || position < 0 || position >= shape.length) {
    throw new PushforwardError("SHAPE", `${operation} has no axis ${axis} in shape ${formatShape(shape)}`);
  }
  return position;
}
