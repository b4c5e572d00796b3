import type { Bijection } from "../bijections/bijection.ts";
import { ContextEmbedding } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { PushforwardError } from "../errors.ts";
import { brief } from "../parse.ts";

/** Throws `ARGUMENT` unless these are the parts of a flow, such as when they are swapped. */
export function checkParts(base: Distribution, bijection?: Bijection, embedding?: ContextEmbedding): void {
  if (!hasMethods(base, ["logProb", "sample"])) throw refused("its base", "a distribution", base);
  if (bijection !== undefined && !hasMethods(bijection, ["forward", "inverse"]))
    throw refused("its bijection", "a bijection", bijection);
  if (embedding !== undefined && !(embedding instanceof ContextEmbedding))
    throw refused("its embedding", "a ContextEmbedding", embedding);
}

/** Throws `ARGUMENT` unless the first argument of a function is a flow. */
export function checkFlow(owner: string, flow: unknown): void {
  if (hasMethods(flow, ["toLatent", "parameters"])) return;
  throw new PushforwardError("ARGUMENT", `${owner} did not get a flow`, {
    expected: "a Flow",
    received: named(flow),
  });
}

const hasMethods = (value: unknown, methods: readonly string[]): boolean =>
  methods.every(
    (method) => typeof (value as Record<string, unknown> | null | undefined)?.[method] === "function",
  );

const refused = (part: string, expected: string, received: unknown): PushforwardError =>
  new PushforwardError("ARGUMENT", `a flow of a base, a bijection and an embedding did not get ${part}`, {
    expected,
    received: named(received),
  });

/** A value by its class, which says more than its fields. */
const named = (value: unknown): string => {
  const name = typeof value === "object" && value !== null ? value.constructor?.name : undefined;
  return name !== undefined && name !== "Object" && name !== "Array" ? `a ${name}` : brief(value);
};
