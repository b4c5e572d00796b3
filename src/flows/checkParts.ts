import type { Bijection } from "../bijections/index.ts";
import { brief, PushforwardError } from "../check/index.ts";
import { ContextEmbedding, type Distribution } from "../distributions/index.ts";

/** Throws `ARGUMENT` unless the arguments are a distribution, a bijection and an embedding, since callers may swap them. */
export function checkParts(base: Distribution, bijection?: Bijection, embedding?: ContextEmbedding): void {
  if (!hasMethods(base, ["logProb", "sample"])) throw invalidPart("its base", "a distribution", base);
  if (bijection !== undefined && !hasMethods(bijection, ["forward", "inverse"]))
    throw invalidPart("its bijection", "a bijection", bijection);
  if (embedding !== undefined && !(embedding instanceof ContextEmbedding))
    throw invalidPart("its embedding", "a ContextEmbedding", embedding);
}

/** Throws `ARGUMENT` unless `flow` is a flow. `caller` is the function that takes it. */
export function checkFlow(caller: string, flow: unknown): void {
  if (hasMethods(flow, ["toLatent", "parameters"])) return;
  throw new PushforwardError("ARGUMENT", `the argument of ${caller} is not a flow`, {
    expected: "a Flow",
    received: describeClass(flow),
  });
}

export const hasMethods = (value: unknown, methods: readonly string[]): boolean =>
  methods.every(
    (method) => typeof (value as Record<string, unknown> | null | undefined)?.[method] === "function",
  );

const invalidPart = (part: string, expected: string, received: unknown): PushforwardError =>
  new PushforwardError("ARGUMENT", `new Flow(base, bijection, embedding) got a wrong argument for ${part}`, {
    expected,
    received: describeClass(received),
  });

/** The class of a value, or the value itself as JSON if it is plain data. */
const describeClass = (value: unknown): string => {
  const name = typeof value === "object" && value !== null ? value.constructor?.name : undefined;
  return name !== undefined && name !== "Object" && name !== "Array" ? `a ${name}` : brief(value);
};
