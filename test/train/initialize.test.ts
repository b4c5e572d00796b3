import { expect, test } from "vitest";
import { Actnorm, type DataRows } from "../../src/bijections/index.ts";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import {
  KernelDensity,
  LatentClasses,
  MixedGaussianMixture,
  MixedMade,
} from "../../src/tables/densities/index.ts";
import { initialize } from "../../src/train/index.ts";
import { categorical, continuous } from "../distributions/mixedColumns.ts";

/** A layer that records the rows that it is fitted to. */
class Recorded extends Actnorm {
  fitted: DataRows | undefined;

  override fitToData(rows: DataRows): void {
    this.fitted = rows;
    super.fitToData(rows);
  }
}

test.each([
  { features: 1024, rows: 3000, expected: 2048 },
  { features: 1024, rows: 50, expected: 50 },
  { features: 2 ** 15, rows: 120, expected: 100 },
])(
  "of $rows rows of $features bytes, $expected are converted to numbers",
  async ({ features, rows, expected }) => {
    // Each row has equal bytes, so the rows that were converted can be recognized.
    const values = Uint8Array.from({ length: rows * features }, (_, i) => Math.floor(i / features) % 256);
    const layer = new Recorded({ features });
    await initialize(
      new Flow(new StandardNormal({ features }), layer),
      new InMemoryDataset({ features, values }),
    );

    const { fitted } = layer;
    expect(fitted!.rows).toBe(expected);
    const firstColumn = Array.from({ length: expected }, (_, row) => fitted!.values[row * features]);
    expect(firstColumn).toEqual(
      Array.from({ length: expected }, (_, i) => Math.floor((i * rows) / expected) % 256),
    );
  },
);

test("all rows are used if they are stored as numbers", async () => {
  const features = 1024;
  const layer = new Recorded({ features });
  const values = new Float64Array(3000 * features).map((_, i) => i % 7);
  await initialize(
    new Flow(new StandardNormal({ features }), layer),
    new InMemoryDataset({ features, values }),
  );
  expect(layer.fitted!.rows).toBe(3000);
});

const columns = [categorical, continuous];

test.each([
  ["a kernel density", () => new KernelDensity({ columns, centers: 20 }, new Random(0))],
  ["latent classes", () => new LatentClasses({ columns, classes: 2 }, new Random(0))],
  ["a Gaussian mixture of mixed columns", () => new MixedGaussianMixture({ columns, components: 2 })],
  ["an autoregressive network", () => new MixedMade({ columns }, new Random(0))],
])("%s is the same whatever the scale of the weights of rows", async (_, build) => {
  const rows = 60;
  const normal = new Random(1).normal(new Float64Array(rows));
  const values = Float64Array.from({ length: 2 * rows }, (_, i) => {
    const n = Math.floor(i / 2);
    return i % 2 === 0 ? n % 3 : normal[n] + (n % 3);
  });
  const fitted = async (scale?: number) => {
    const model = build();
    const weights = scale && Float64Array.from({ length: rows }, (_, n) => scale * (n % 4));
    await initialize(
      new Flow(model),
      new InMemoryDataset({ features: 2, values, ...(weights && { weights }) }),
    );
    return [...parametersOf(model).values()].flatMap(({ numbers }) => [...numbers]);
  };
  const expected = await fitted(1);
  (await fitted(1e-5)).forEach((number, i) => {
    expect(number).toBeCloseTo(expected[i], 4);
  });
  const unweighted = await fitted();
  expect(unweighted.some((number, i) => Math.abs(number - expected[i]) > 1e-2)).toBe(true);
});
