import { Random, toys } from "pushforward";
import { expect, test } from "vitest";
import { BASE_NAMES } from "../app/bases.ts";
import { ViewedFlow } from "../app/engine/viewedFlow.ts";
import { latentGrid } from "../app/latentGrid.ts";
import { DEFAULT_SETTING } from "../app/setting.ts";
import { logVolumesAt } from "../app/views/interpolate.ts";

/** Points with the mean (1000, -20) and the standard deviations 3 and 0.01. */
const points = new Random(0)
  .normal(new Float64Array(1000))
  .map((value, i) => (i % 2 === 0 ? 1000 + 3 * value : -20 + 0.01 * value));

const setting = { ...DEFAULT_SETTING, layers: 2, width: 8 };

test.each(BASE_NAMES)(
  "before training, a flow with the base %s has its mass where the points are",
  async (base) => {
    const viewed = new ViewedFlow({ ...setting, base });
    await viewed.initialize(points);
    const latent = (await viewed.toLatent({ points })).positions.at(-1)!;
    const mean = (offset: number) =>
      latent.filter((_, i) => i % 2 === offset).reduce((sum, value) => sum + value, 0) / 500;
    expect([mean(0), mean(1)]).toEqual([expect.closeTo(0, 2), expect.closeTo(0, 2)]);
    await viewed.release();
  },
);

test("a flow is initialized again for other rows, and loses trained parameters", async () => {
  const viewed = new ViewedFlow({ ...setting, base: "mixture" });
  const parameters = () => [...viewed.flow.parameters().values()].flatMap(({ numbers }) => [...numbers]);
  await viewed.initialize(points);
  const first = parameters();
  await viewed.initialize(toys.circles(300, { seed: 0 }));
  expect(parameters()).not.toEqual(first);
  for (const parameter of viewed.flow.parameters().values()) parameter.take(parameter.numbers.map(() => 0.5));
  await viewed.initialize(points);
  expect(parameters()).toEqual(first);
  // These are fewer points than training needs.
  await viewed.initialize(points.slice(0, 2));
  expect(parameters()).not.toEqual(first);
  await viewed.release();
});

test("the colors of the grid do not depend on the units of the points", async () => {
  const viewed = new ViewedFlow(setting);
  await viewed.initialize(points.map((value) => 1000 * value));
  const motion = await viewed.toData({ points: latentGrid.points });
  const volumes = logVolumesAt(motion, viewed.layers.length);
  expect(Math.max(...volumes.map(Math.abs))).toBeLessThan(1e-5);
  await viewed.release();
});
