import { PushforwardError } from "../errors.ts";
import { formatShape, type Shape, sameShape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Throws `SHAPE` unless a result of `method` of `part`, which may be a class of the user, has one of the shapes. */
export function checkResultShape(
  part: object,
  method: string,
  { shape }: Tensor,
  ...expected: readonly Shape[]
): void {
  if (expected.some((each) => sameShape(each, shape))) return;
  const isRowValue = expected[0].length === 1;
  throw new PushforwardError("SHAPE", `${method} of ${part.constructor.name} has a wrong shape`, {
    expected: expected.map((each) => (each.length > 0 ? formatShape(each) : "a scalar")).join(" or "),
    received: formatShape(shape),
    hint: isRowValue ? "Sum over the features with .sum(-1)." : "Return all features of each row.",
  });
}
