import { selectRows } from "../dataset/index.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/index.ts";
import { type Bijection, contextFor, type DataRows } from "./bijection.ts";

/** One map of a composition, and its path of property names in the composition, such as `bijections.2`. */
export interface Part {
  readonly path: string;
  readonly bijection: Bijection;
}

/**
 * The maps whose composition is `bijection`, where nested compositions are replaced by their maps. The first map is next to the
 * base distribution.
 */
export function flatten(bijection: Bijection, path = ""): Part[] {
  const { parts } = bijection;
  if (!parts) return [{ path, bijection }];
  return parts.flatMap((part) => flatten(part.bijection, path ? `${path}.${part.path}` : part.path));
}

/** Scales and mixture components are fitted to at most this many rows: more would not change them noticeably. */
const MAX_ROWS = 20_000;
/** The time of a layer grows with rows times features, so this limits their product if rows are wide, such as images. */
const MAX_NUMBERS = 2 ** 20;
/** The limit on rows times features leaves at least this many rows. */
const MIN_ROWS = 1000;
/** Rows are mapped in chunks of about this many numbers, because networks of images have hundreds of hidden units per feature. */
const CHUNK_NUMBERS = 2 ** 16;

/** Draws a sample of the data rows (`sampleIndices`) and maps it to latent rows by `inverse`. */
export async function latentRows(bijection: Bijection, rows: DataRows): Promise<DataRows> {
  let current = subsample(rows);
  for (const part of flatten(bijection).reverse())
    current = await mapRows(part.bijection, "inverse", current);
  return current;
}

/** Draws a sample of the latent rows (`sampleIndices`) and maps it to data rows by `forward`. */
export async function dataRows(bijection: Bijection, rows: DataRows): Promise<DataRows> {
  let current = subsample(rows);
  for (const part of flatten(bijection)) current = await mapRows(part.bijection, "forward", current);
  return current;
}

/** The indices of a random sample of 20,000 rows, or of fewer if rows are wide, in ascending order; undefined if there are not more rows. */
export function sampleIndices({
  rows,
  features,
}: Pick<DataRows, "rows" | "features">): Int32Array | undefined {
  const count = Math.min(MAX_ROWS, Math.max(MIN_ROWS, Math.floor(MAX_NUMBERS / features)));
  if (rows <= count) return undefined;
  return new Random(0).split("initialize").permutation(rows).subarray(0, count).sort();
}

/** The rows that `sampleIndices` selects, or all rows. */
function subsample(data: DataRows): DataRows {
  const { rows, values, weights, context } = data;
  const chosen = sampleIndices(data);
  if (!chosen) return data;
  const take = (numbers: Float64Array) => selectRows(numbers, chosen, numbers.length / rows);
  return {
    ...data,
    rows: chosen.length,
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
  const { features } = part;
  const values = new Float64Array(rows.values.length);
  const chunk = Math.max(1, Math.floor(CHUNK_NUMBERS / features));
  try {
    for (let start = 0; start < rows.rows; start += chunk) {
      const slice = (numbers: Float64Array) => {
        const width = numbers.length / rows.rows;
        return numbers.subarray(start * width, (start + chunk) * width);
      };
      values.set(await map(slice(rows.values), ...contexts.map(slice)), start * features);
    }
  } finally {
    await map.release();
  }
  return { ...rows, values };
}
