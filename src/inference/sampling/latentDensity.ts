import type { Flow } from "../../flows/index.ts";
import { grad, scalar, type Tensor } from "../../graph/index.ts";
import { compile, type EngineOptions, engineOptionsOf, inFloat64 } from "../../runtime/index.ts";
import { throwIfAborted } from "../interruption.ts";
import type { EvaluateRows } from "./chainProgram.ts";

/** More rows than this are evaluated in several calls, which bounds memory. */
const MAX_ROWS_PER_CALL = 1024;

/** A log-density and its gradient, compiled for chains. */
interface CompiledDensity extends AsyncDisposable {
  readonly evaluate: EvaluateRows;
}

/**
 * Compiles a log-density [N, D] -> [N] and its gradient in float64, because float32 rounding of a sum over many observations would
 * change acceptance probabilities. `logProposal` is the log-density of independence proposals. `evaluate` throws `INTERRUPTED` when the signal
 * is aborted.
 */
export function compileDensity(
  logDensity: (x: Tensor) => Tensor,
  features: number,
  { providers, signal }: EngineOptions & { readonly signal?: AbortSignal },
  logProposal: (x: Tensor) => Tensor = () => scalar(0).broadcastTo(["N"]),
): CompiledDensity {
  const compiled = compile(
    (x) => {
      const value = logDensity(x);
      return { logDensity: value, gradient: grad(value.sum(), [x])[0], logProposal: logProposal(x) };
    },
    { x: ["N", features] },
    { ...inFloat64(engineOptionsOf({ providers })), embedParameters: true },
  );
  return {
    async evaluate(rows) {
      const count = rows.length / features;
      const result = {
        logDensity: new Float64Array(count),
        gradient: new Float64Array(rows.length),
        logProposal: new Float64Array(count),
      };
      for (let start = 0; start < count; start += MAX_ROWS_PER_CALL) {
        await throwIfAborted(signal);
        const end = start + MAX_ROWS_PER_CALL;
        const part = await compiled(rows.subarray(start * features, end * features));
        result.logDensity.set(part.logDensity, start);
        result.gradient.set(part.gradient, start * features);
        result.logProposal.set(part.logProposal, start);
      }
      return result;
    },
    [Symbol.asyncDispose]: () => compiled.release(),
  };
}

/**
 * The log-density of the latent z of a flow x = f(z) if x has the log-density log p: log p(f(z)) + log |det df/dz|. If the flow has learned p,
 * this is close to the base distribution, even where p has a difficult shape.
 */
export const pulledBack =
  (flow: Flow, logDensity: (x: Tensor) => Tensor) =>
  (z: Tensor): Tensor => {
    const { value, logDet } = flow.bijection.forward(z);
    return logDensity(value).add(logDet);
  };
