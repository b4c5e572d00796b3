import { type Bijection, type CheckRows, formatSupport, type Support } from "../bijections/index.ts";
import { PushforwardError } from "../check/index.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/index.ts";
import type { CheckBijectionOptions } from "./checkBijection.ts";

/** The number of rows that are drawn if the options have none. */
const ROWS = 24;

/**
 * The rows that the options of `checkBijection` give. If they give none, the contexts are random normal rows, and so are z, mapped into the
 * `domain` of the bijection, and x; for a bijection with a `support`, x is `forward` of random rows.
 *
 * @throws SHAPE for arrays that do not have whole rows, or that have different numbers of rows; ARGUMENT without z for a bijection with a
 *   domain into which rows cannot be mapped.
 */
export async function checkedRows(bijection: Bijection, options: CheckBijectionOptions): Promise<CheckRows> {
  const { features, context, support, domain } = bijection;
  const arrays = [
    ["z", options.z, features],
    ["x", options.x, features],
    ["context", options.context, context],
  ] as const;
  for (const [name, values, size] of arrays) if (size > 0) requireWholeRows(name, values, size);
  const counts = arrays.flatMap(([, values, size]) => (values && size > 0 ? values.length / size : []));
  const count = counts[0] ?? ROWS;
  for (const [name, values, size] of arrays) {
    if (!values || values.length === count * size) continue;
    throw new PushforwardError("SHAPE", `${name} has a different number of rows from the other arrays`, {
      expected: `${count * size} numbers`,
      received: `${values.length}`,
    });
  }
  const random = new Random(5);
  const normal = (name: string, size: number, scale: number) =>
    random
      .split(name)
      .normal(new Float64Array(count * size))
      .map((v, i) => scale * v * (Math.floor(i / size) % 4 === 0 ? 3 : 1));
  // A map onto or from a part of space compresses distant points so much that floats cannot distinguish them.
  const scale = support || domain ? 1 / 3 : 1;
  const latent = (name: string) => intoDomain(domain, normal(name, features, scale));
  const z = options.z ? Float64Array.from(options.z) : latent("z");
  const contexts = options.context ? Float64Array.from(options.context) : normal("context", context, 1);
  if (options.x) return { z, x: Float64Array.from(options.x), context: contexts };
  const x = support
    ? await samples(bijection, options.z ? z : latent("x"), contexts)
    : normal("x", features, scale);
  return { z, x, context: contexts };
}

/** Maps numbers into a domain. Throws `ARGUMENT` for a domain that is not a product of intervals. */
function intoDomain(domain: Support | undefined, values: Float64Array): Float64Array {
  if (!domain) return values;
  if (domain === "positive") return values.map(Math.exp);
  if (typeof domain === "object" && "min" in domain) {
    const { min, max } = domain;
    return values.map((v) => min + (max - min) / (1 + Math.exp(-v)));
  }
  throw new PushforwardError(
    "ARGUMENT",
    "checkBijection needs z for a bijection that is not defined everywhere",
    {
      expected: `rows z with ${formatSupport(domain)}`,
      received: "no z",
    },
  );
}

function requireWholeRows(name: string, values: ArrayLike<number> | undefined, size: number): void {
  if (!values || (values.length > 0 && values.length % size === 0)) return;
  throw new PushforwardError("SHAPE", `${name} does not have whole rows`, {
    expected: `a multiple of ${size} numbers`,
    received: `${values.length}`,
  });
}

/** forward(z) in float64. */
async function samples(bijection: Bijection, z: Float64Array, context: Float64Array): Promise<Float64Array> {
  const { features, context: size } = bijection;
  const map = compile(
    (z, context) => bijection.forward(z, context).value,
    [["N", features] as const, ...(size > 0 ? [["N", size] as const] : [])],
    { precision: "float64" },
  );
  try {
    return Float64Array.from(await map(z, ...(size > 0 ? [context] : [])));
  } finally {
    await map.release();
  }
}
