import { checkOptions, listOfTexts, seedValue } from "../check/index.ts";
import { InMemoryDataset } from "../dataset/index.ts";
import type { Flow, RunOptions } from "../flows/index.ts";
import { runRules } from "../runtime/index.ts";
import { logDensities } from "../tables/evaluate/index.ts";
import { drawnSamples } from "./drawnSamples.ts";
import { densityNodes, pairFigure } from "./pairFigure.ts";

/** Options of `samplesFigure`. */
export interface SamplesFigureOptions extends RunOptions {
  /** Names of the features. Default: those of the flow, or x1, x2... */
  readonly columns?: readonly string[] | undefined;
  /** Seed of the samples. Default 0. */
  readonly seed?: number | undefined;
}

/**
 * Rows of data beside samples of a flow, as an SVG document; see `pairFigure`. With one or two features and no context it
 * also shows the exact density. Features with one value in all rows are left out. The samples of a conditional flow have the
 * contexts of the first rows.
 *
 * @throws ARGUMENT for options that are not valid; NUMERIC if the exact density of a point is NaN; and what `pairFigure` throws.
 */
export async function samplesFigure(
  flow: Flow,
  rows: InMemoryDataset,
  options: SamplesFigureOptions = {},
): Promise<string> {
  checkOptions("samplesFigure", options, { ...runRules, columns: listOfTexts, seed: seedValue });
  const { columns: names, seed = 0, ...run } = options;
  const { features } = flow;
  const allNames = names ?? flow.columns ?? Array.from({ length: features }, (_, i) => `x${i + 1}`);
  const constants = rows.constants.values;
  const columns = allNames.filter((_, i) => !constants.has(i));
  const drawn = new InMemoryDataset({ features, values: await drawnSamples(flow, rows, { ...run, seed }) });
  const figure = {
    columns,
    data: rows.withoutColumns(constants).values,
    samples: drawn.withoutColumns(constants).values,
  };
  if (flow.context > 0 || columns.length > 2) return pairFigure(figure);
  const { x, y, points } = densityNodes(figure);
  const nodes = withConstantColumns(points, columns.length, features, constants);
  const values = await logDensities(flow, nodes, run);
  return pairFigure({ ...figure, logDensity: y ? { x, y, values } : { x, values } });
}

/** Inserts the values of constant features into points [n, width] of the other features. */
function withConstantColumns(
  points: ArrayLike<number>,
  width: number,
  features: number,
  constants: ReadonlyMap<number, number>,
): InMemoryDataset {
  const values = new Float64Array((points.length / width) * features);
  for (let i = 0, next = 0; i < values.length; i++) {
    values[i] = constants.get(i % features) ?? points[next++]!;
  }
  return new InMemoryDataset({ features, values });
}
