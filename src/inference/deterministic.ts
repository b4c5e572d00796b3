import { brief, PushforwardError } from "../check/index.ts";
import { formatShape, scalar, Tensor } from "../graph/index.ts";
import type { Constraint, EarlierValues } from "./constraint.ts";

/**
 * A function of the parameters that are declared before: [N, ...shape], where the shape [] is one number for each draw. Like a parameter, it
 * has draws and a summary, but it has no coordinates and no density. PyMC calls it `Deterministic`, and Stan a transformed parameter.
 *
 *     model({ z: vector(8), tau: positive(), theta: deterministic([8], ({ z, tau }) => z.mul(tau.reshape(["N", 1]))) }, ...)
 *
 * `model` throws `SHAPE` if the function returns another shape.
 *
 * @throws ARGUMENT when the shape is not a list of positive integers.
 */
export function deterministic<E extends EarlierValues>(
  shape: readonly number[],
  compute: (earlier: E) => Tensor,
): Constraint {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size > 0)) {
    throw new PushforwardError("ARGUMENT", "the shape of deterministic is not valid", {
      expected: "a list of positive integers, such as [8], or [] for a number",
      received: brief(shape),
    });
  }
  return {
    shape,
    size: 0,
    constrain(_u, earlier) {
      const value: unknown = compute(earlier as E);
      const expected = ["N", ...shape];
      if (
        value instanceof Tensor &&
        value.type === "float" &&
        formatShape(value.shape) === formatShape(expected)
      )
        return { value, logDet: scalar(0) };
      throw new PushforwardError("SHAPE", "the function returns a wrong shape", {
        expected: formatShape(expected),
        received: value instanceof Tensor ? formatShape(value.shape) : brief(value),
      });
    },
  };
}
