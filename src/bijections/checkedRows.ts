import { PushforwardError } from "../errors.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import type { Bijection } from "./bijection.ts";
import type { CheckRows } from "./bijectionGraphs.ts";
import type { CheckBijectionOptions } from "./checkBijection.ts";

/** The number of rows that are drawn if the options have none. */
const ROWS = 24;

/**
 * The rows of the options of `checkBijection`, or random rows in the bijection's domain. Throws `SHAPE` for arrays that do not have whole rows,
 * or that have different numbers of rows.
 */
export async function checkedRows(bijection: Bijection, options: CheckBijectionOptions): Promise<CheckRows> {
  const { features, context, support } = bijection;
  requireWholeRows("z", options.z, features);
  requireWholeRows("x", options.x, features);
  if (context > 0) requireWholeRows("context", options.context, context);
  const count = (options.z ?? options.x) ? (options.z ?? options.x)!.length / features : ROWS;
  const random = new Random(5);
  const normal = (name: string, size: number, scale: number) =>
    random
      .split(name)
      .normal(new Float64Array(count * size))
      .map((v, i) => scale * v * (Math.floor(i / size) % 4 === 0 ? 3 : 1));
  // A map onto a part of space compresses distant points so much that floats cannot distinguish them.
  const scale = support ? 1 / 3 : 1;
  const z = options.z ? Float64Array.from(options.z) : normal("z", features, scale);
  const contexts = options.context ? Float64Array.from(options.context) : normal("context", context, 1);
  const candidates = options.x ? Float64Array.from(options.x) : normal("x", features, scale);
  const x =
    support && !options.x ? await samples(bijection, options.z ? z : candidates, contexts) : candidates;
  for (const [name, received, expected] of [
    ["z", z.length, count * features],
    ["x", x.length, count * features],
    ["context", contexts.length, count * context],
  ] as const) {
    if (received === expected) continue;
    throw new PushforwardError("SHAPE", `${name} has a different number of rows from the other arrays`, {
      expected: `${expected} numbers`,
      received: `${received}`,
    });
  }
  return { z, x, context: contexts };
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
