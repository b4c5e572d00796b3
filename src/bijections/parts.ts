import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import { type Bijection, contextFor, type DataRows } from "./bijection.ts";

/** One of the maps that a bijection applies one after the other, and its path of property names. */
export interface Part {
  readonly path: string;
  readonly bijection: Bijection;
}

/** The maps of which a bijection is composed, down to those that are not composed of others; the first is next to the base. */
export function flattened(bijection: Bijection, path = ""): Part[] {
  const { parts } = bijection;
  if (!parts) return [{ path, bijection }];
  return parts.flatMap((part) => flattened(part.bijection, path ? `${path}.${part.path}` : part.path));
}

/** Rows that are enough to take scales and mixture components from. */
const MAX_ROWS = 20_000;

/** The rows as they leave a bijection at its latent side; of many rows a random sample. */
export async function latentRows(bijection: Bijection, rows: DataRows): Promise<DataRows> {
  let passed = sampled(rows);
  for (const part of flattened(bijection).reverse()) passed = await mapped(part.bijection, "inverse", passed);
  return passed;
}

/** The rows as they leave a bijection at its data side; of many rows a random sample. */
export async function dataRows(bijection: Bijection, rows: DataRows): Promise<DataRows> {
  let passed = sampled(rows);
  for (const part of flattened(bijection)) passed = await mapped(part.bijection, "forward", passed);
  return passed;
}

/** A random sample of 20,000 rows, in their order, if there are more. */
export function sampled(data: DataRows): DataRows {
  const { rows, values, weights, context } = data;
  if (rows <= MAX_ROWS) return data;
  const order = new Random(0).split("initialize").permutation(rows);
  const chosen = order.subarray(0, MAX_ROWS).sort();
  const take = (numbers: Float64Array): Float64Array => {
    const width = numbers.length / rows;
    const out = new Float64Array(MAX_ROWS * width);
    chosen.forEach((row, i) => {
      out.set(numbers.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  };
  return {
    ...data,
    rows: MAX_ROWS,
    values: take(values),
    ...(weights && { weights: take(weights) }),
    ...(context && { context: take(context) }),
  };
}

async function mapped(part: Bijection, direction: "forward" | "inverse", rows: DataRows): Promise<DataRows> {
  const { context } = rows;
  const given = context && part.context > 0 ? [context] : [];
  const map = compile(
    (x, context) => part[direction](x, contextFor(part, context)).value,
    [["N", part.features], ...given.map(({ length }) => ["N", length / rows.rows] as const)],
    { precision: "float64" },
  );
  const values = (await map(rows.values, ...given)) as Float64Array;
  await map.release();
  return { ...rows, values };
}
