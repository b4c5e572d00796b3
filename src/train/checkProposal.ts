import { PushforwardError } from "../check/index.ts";
import type { Flow } from "../flows/index.ts";

/** Throws `ARGUMENT` if a flow has only a bound of its log-density: weights p~(x) / q(x) would be too large by an unknown factor. */
export function requireExactDensity(flow: Flow): void {
  if (!flow.isBound) return;
  throw new PushforwardError("ARGUMENT", "the log-density of the flow is only a lower bound", {
    expected: "a flow with an exact log-density",
    received: `a flow with the base ${flow.base.describe().type}`,
    hint: "Use a flow with an exact log-density: without dequantization, and not a variational autoencoder.",
  });
}

/** Throws `ARGUMENT` unless all features of a flow are real numbers, whose samples have gradients. */
export function requireSampleGradients(flow: Flow): void {
  if (!flow.atoms?.some(({ length }) => length > 0)) return;
  throw new PushforwardError("ARGUMENT", "samples of the flow have no gradients", {
    expected: "a flow whose features are all continuous",
    received: "a flow with discrete or constant features",
    hint: "Remove constant and discrete features, or use importance(flow, logDensity, n), which needs no gradients.",
  });
}
