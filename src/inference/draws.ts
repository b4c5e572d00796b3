import { sizeOf, type Tensor } from "../graph/index.ts";
import { compile, type EngineOptions, engineOptionsOf, inFloat64 } from "../runtime/index.ts";
import { type Declarations, elementNames, type ProbabilisticModel } from "./model.ts";

/** Draws of each parameter: [n, ...shape] in row-major order. */
export type Draws<D extends Declarations> = { readonly [Name in keyof D]: Float64Array };

/** The maximum number of rows in a call. More rows are mapped in chunks, to bound memory. */
export const MAX_ROWS_PER_CALL = 4096;

/** Maps unconstrained rows u [n, features] to the values of a model's parameters, in float64. */
export async function constrainedDraws<D extends Declarations>(
  { parameters, features, constrain }: ProbabilisticModel<D>,
  rows: Float64Array,
  { providers }: EngineOptions = {},
): Promise<Draws<D>> {
  const names = Object.keys(parameters);
  // A list, whose outputs are numbered: a parameter may have the name of an input of the graph.
  await using compiled = compile(
    (u): readonly Tensor[] => {
      const { values } = constrain(u);
      return names.map((name) => values[name]);
    },
    { u: ["N", features] },
    inFloat64(engineOptionsOf({ providers })),
  );
  const n = rows.length / features;
  const draws = Object.values(parameters).map(({ shape }) => new Float64Array(n * sizeOf(shape)));
  for (let start = 0; start < n; start += MAX_ROWS_PER_CALL) {
    const part = await compiled(rows.subarray(start * features, (start + MAX_ROWS_PER_CALL) * features));
    draws.forEach((values, p) => {
      values.set(part[p], start * (values.length / n));
    });
  }
  return Object.fromEntries(names.map((name, p) => [name, draws[p]])) as Draws<D>;
}

/** The draws as a table: a column for each number of the parameters, with its name of `elementNames`, and rows [n, columns]. */
export function drawTable<D extends Declarations>(
  parameters: D,
  draws: Draws<D>,
): { readonly columns: string[]; readonly rows: Float64Array } {
  const columns = elementNames(parameters);
  const sizes = Object.values(parameters).map(({ shape }) => sizeOf(shape));
  const arrays: readonly Float64Array[] = Object.keys(parameters).map((name) => draws[name]);
  const rows = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let first = 0;
  arrays.forEach((values, p) => {
    const size = sizes[p];
    for (let k = 0; k < values.length; k++)
      rows[Math.floor(k / size) * columns.length + first + (k % size)] = values[k];
    first += size;
  });
  return { columns, rows };
}
