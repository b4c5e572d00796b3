import { PushforwardError } from "../check/index.ts";
import { formatShape, type Shape, sameShape, type Tensor } from "../graph/index.ts";

/** Throws `SHAPE` unless a result of `method` of `part`, which may be a class of the user, has the expected shape. */
export function checkResultShape(part: object, method: string, { shape }: Tensor, expected: Shape): void {
  if (sameShape(expected, shape)) return;
  throw new PushforwardError("SHAPE", `${method} of ${part.constructor.name} has a wrong shape`, {
    expected: formatShape(expected),
    received: formatShape(shape),
    hint: expected.length === 1 ? "Sum over the features with .sum(-1)." : undefined,
  });
}
