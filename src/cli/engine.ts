import { availableParallelism } from "node:os";
import { PushforwardError } from "../check/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import { choice, integerFrom } from "./options.ts";

/**
 * Threads beyond the number of cores only take memory. They are allowed because rounding depends on the number of threads: with as many
 * threads, a smaller machine reproduces the results of a larger one.
 */
const MAX_THREADS = Math.max(64, 2 * availableParallelism());

const PROVIDER =
  "The execution provider of ONNX Runtime that computes. Default: the CPU. pushforward doctor tells which ones work.";

/** The options of a command that computes. */
export const engine = {
  threads: integerFrom(
    1,
    { valueName: "N", description: "The number of threads that compute. Default: one for each core." },
    MAX_THREADS,
  ),
  provider: choice(["cuda", "webgpu"], { valueName: "NAME", description: PROVIDER }),
};

/** The options of a command that computes in float64. */
export const engineWithFloat64 = {
  threads: engine.threads,
  provider: choice(["cuda"], {
    valueName: "NAME",
    description: `${PROVIDER} webgpu has no float64, which is needed here.`,
  }),
};

/** The values of `engine`. */
export interface EngineValues {
  readonly threads: number | undefined;
  readonly provider: "cuda" | "webgpu" | undefined;
}

/** The options of the library for these values. */
export const engineOf = ({ threads, provider }: EngineValues): EngineOptions => ({
  ...(threads !== undefined && { threads }),
  ...(provider !== undefined && { providers: [provider] }),
});

/**
 * Checks the provider before a command reads data or a server starts. Throws `ARGUMENT` if threads are given too, and `ENGINE` if the
 * provider does not work on this machine.
 */
export async function checkEngine({ threads, provider }: Partial<EngineValues>): Promise<void> {
  if (provider === undefined) return;
  if (threads !== undefined) {
    throw new PushforwardError("ARGUMENT", "--threads cannot be combined with --provider", {
      hint: `Leave --threads out: one thread sends all rows to ${provider}.`,
    });
  }
  const { requireProvider } = await import("../runtime/index.ts");
  await requireProvider(provider);
}
