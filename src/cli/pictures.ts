import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { InMemoryDataset } from "../dataset/index.ts";
import { writeError, writeFileAtomically } from "../files/atomicFile.ts";
import { densityNodes, pairFigure, svgToPng, trainingFigure } from "../report/index.ts";
import { logDensities } from "./scoring.ts";
import type { Trained } from "./training.ts";

/** Samples that histograms and contours are drawn from. */
const SAMPLES = 5000;

/** Makes the directory of the pictures before any work is done. */
export async function prepareDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw writeError(error, path);
  });
}

export interface PictureData {
  readonly columns: readonly string[];
  /** Columns that are left out of the pictures. */
  readonly constants: ReadonlyMap<number, number>;
  readonly rows: InMemoryDataset;
  readonly seed: number;
  readonly threads: number | undefined;
  /** A Gaussian's mean log-density on the validation rows. */
  readonly gaussian?: number;
}

/** Draws data beside samples, and the training curve, and gives the paths of both. */
export async function drawPictures(
  directory: string,
  trained: Trained,
  data: PictureData,
): Promise<string[]> {
  const pictures = {
    "samples.png": await samplesFigure(trained, data),
    "training.png": await curve(trained, data),
  };
  const paths: string[] = [];
  for (const [name, svg] of Object.entries(pictures)) {
    const path = join(directory, name);
    await writeFileAtomically(path, await svgToPng(svg));
    paths.push(path);
  }
  return paths;
}

async function samplesFigure(
  { flow }: Trained,
  { columns: all, constants, rows, seed, threads }: PictureData,
): Promise<string> {
  const conditional = flow.context > 0;
  const n = conditional ? Math.min(rows.rows, SAMPLES) : SAMPLES;
  const context = rows.context.subarray(0, n * flow.context);
  const samples = await flow.sample(n, { threads, seed, ...(conditional && { context }) });
  const columns = all.filter((_, i) => !constants.has(i));
  const drawn = new InMemoryDataset({ features: all.length, values: samples });
  const [data, other] = [rows, drawn].map((each) => each.withoutColumns(constants).values);
  const tables = { columns, data: data!, samples: other! };
  if (conditional || columns.length > 2) return pairFigure(tables);
  const { x, y, points } = densityNodes(tables);
  const nodes = points.length / columns.length;
  const whole = new Float64Array(nodes * all.length);
  for (let node = 0, next = 0; node < nodes; node++) {
    for (let i = 0; i < all.length; i++) whole[node * all.length + i] = constants.get(i) ?? points[next++]!;
  }
  const values = await logDensities(flow, whole, context, { threads });
  return pairFigure({ ...tables, logDensity: y ? { x, y, values } : { x, values } });
}

function curve(
  { epochs, bestEpoch, validationLogDensity }: Trained,
  { gaussian }: PictureData,
): Promise<string> {
  // The start counts as epoch 0, and may have been the best.
  const start = { epoch: 0, trainLogDensity: Number.NaN, validationLogDensity };
  return trainingFigure({
    epochs: bestEpoch === 0 ? [start, ...epochs] : epochs,
    bestEpoch,
    ...(gaussian !== undefined && { baseline: { label: "Gaussian", value: gaussian } }),
  });
}
