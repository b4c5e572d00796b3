import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import { type Bijection, contextFor, type DataRows } from "./bijection.ts";

/** One of the maps of which a bijection is the composition, and its path of property names in it. */
export interface Part {
  readonly path: string;
  readonly bijection: Bijection;
}

/** The maps of which a bijection is the composition, with nested ones inlined; the first is next to the base distribution. */
export function flatten(bijection: Bijection, path = ""): Part[] {
  const { parts } = bijection;
  if (!parts) return [{ path, bijection }];
  return parts.flatMap((part) => flatten(part.bijection, path ? `${path}.${part.path}` : part.path));
}

/** Scales and mixture components are fitted to at most this many rows: more would not change them noticeably. */
const MAX_ROWS = 20_000;

/** The latent rows of data rows, or of a random sample of at most 20,000 of them. */
export async function latentRows(bijection: Bijection, rows: DataRows): Promise<DataRows> {
  let current = sampleRows(rows);
  for (const part of flatten(bijection).reverse())
    current = await mapRows(part.bijection, "inverse", current);
  return current;
}

/** The data rows of latent rows, or of a random sample of at most 20,000 of them. */
export async function dataRows(bijection: Bijection, rows: DataRows): Promise<DataRows> {
  let current = sampleRows(rows);
  for (const part of flatten(bijection)) current = await mapRows(part.bijection, "forward", current);
  return current;
}

/** At most 20,000 rows: a random sample in the original order if there are more. */
export function sampleRows(data: DataRows): DataRows {
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

/** Applies one direction of a bijection to rows, in float64. */
async function mapRows(part: Bijection, direction: "forward" | "inverse", rows: DataRows): Promise<DataRows> {
  const { context } = rows;
  const contexts = context && part.context > 0 ? [context] : [];
  const map = compile(
    (x, context) => part[direction](x, contextFor(part, context)).value,
    [["N", part.features], ...contexts.map(({ length }) => ["N", length / rows.rows] as const)],
    { precision: "float64" },
  );
  const values = (await map(rows.values, ...contexts)) as Float64Array;
  await map.release();
  return { ...rows, values };
}
