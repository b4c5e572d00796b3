import { PushforwardError } from "../check/index.ts";
import { formatShape, input, Tensor } from "../graph/index.ts";

/** An unnormalized log-density as a function of tensors: rows x [N, D] -> log p~(x) in nats, [N]. */
export type TargetDensity = (x: Tensor) => Tensor;

/** Returns the density with a check of its output shape, and traces it once to check it now. Throws `SHAPE`. */
export function checkedDensity(logDensity: TargetDensity, features: number): TargetDensity {
  const checked = (x: Tensor) => {
    const result: unknown = logDensity(x);
    const fits = result instanceof Tensor && result.rank === 1 && result.shape[0] === "N";
    if (fits && result.type === "float") return result;
    throw new PushforwardError("SHAPE", "the log-density does not return a number for each row", {
      expected: `[N] for x of shape ${formatShape(x.shape)}`,
      received: result instanceof Tensor ? `${formatShape(result.shape)} (${result.type})` : typeof result,
      hint: "Sum over the features only, as x.square().sum(-1) does.",
    });
  };
  checked(input("x", ["N", features]));
  return checked;
}
