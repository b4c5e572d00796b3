import { ImageModel } from "../../../src/images/model/index.ts";
import { decodeModel } from "../../../src/tables/model/index.ts";

/** What a page computes with a model of images, as plain arrays. */
export interface PageResult {
  readonly logProb: readonly number[];
  readonly samples: readonly number[];
  /** The milliseconds of the fastest call with one image, which other processes disturb least. */
  readonly scoring: number;
  readonly drawing: number;
}

/** Scores images of these classes, draws as many, and measures calls with one image. */
async function useImages(
  bytes: readonly number[],
  pixels: readonly number[],
  classes: readonly number[],
): Promise<PageResult> {
  const model = ImageModel.from(await decodeModel(Uint8Array.from(bytes)));
  const rows = Float64Array.from(pixels);
  const first = rows.subarray(0, model.features);
  const logProb = await model.logProb(rows, { classes });
  const samples = await model.sample(classes.length, { seed: 3, temperature: 0.8, classes });
  const scoring = await fastest(() => model.logProb(first, { classes: classes.slice(0, 1) }));
  const drawing = await fastest(() => model.sample(1, { classes: classes.slice(0, 1) }));
  return { logProb: [...logProb], samples: [...samples], scoring, drawing };
}

async function fastest(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

declare global {
  interface Window {
    useImages: typeof useImages;
  }
}

window.useImages = useImages;
