import { type Continuous, compile, Random, type Tensor } from "pushforward";
import { expect, test } from "vitest";
import { familyOf } from "../app/families.ts";
import { logVolumesAt, positionsAt } from "../app/views/interpolate.ts";
import { perturbed } from "./perturbed.ts";

const points = new Random(1).normal(new Float64Array(20));

const perturbedFlow = (family: "continuous" | "realNVP") =>
  perturbed({ family, ...familyOf(family).defaults, layers: 3, width: 16 }, 0.5);

const closeTo = (values: ArrayLike<number>, digits: number) =>
  Array.from(values, (value) => expect.closeTo(value, digits));

test.each(["continuous", "realNVP"] as const)(
  "the motion of a %s flow ends at its samples",
  async (family) => {
    const viewed = perturbedFlow(family);
    const motion = await viewed.toData({ points });
    const depth = viewed.layers.length;
    const back = await viewed.toLatent({ points: Float64Array.from(positionsAt(motion, depth)) });
    expect([...back.positions.at(-1)!]).toEqual(closeTo(points, 4));
    const logDets = logVolumesAt(motion, depth).map((value) => -value);
    // In this direction the standardization, which has no color, is the first layer.
    const [, ...colored] = back.logDets;
    const expected = Float32Array.from(logDets, (_, n) => colored.reduce((sum, each) => sum + each[n]!, 0));
    expect([...logDets]).toEqual(closeTo(expected, 4));
    expect([...positionsAt(motion, 0)]).toEqual([...Float32Array.from(points)]);
    await viewed.release();
  },
);

test("points within a continuous layer are where its velocity has moved them, and not on a straight line", async () => {
  const viewed = perturbedFlow("continuous");
  const motion = await viewed.toData({ points });
  expect(motion.depths).toEqual([0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 2]);
  const layer = viewed.layers[0] as Continuous;
  const velocity = compile(
    (t: Tensor, y: Tensor) => layer.velocity(t, y),
    [
      ["N", 1],
      ["N", 2],
    ],
  );
  // Heun's method with 200 steps, from the beginning to half of the time.
  const step = 0.5 / 200;
  let y = Float32Array.from(points);
  for (let k = 0; k < 200; k++) {
    const at = (time: number, place: Float32Array) =>
      velocity(new Float32Array(place.length / 2).fill(time), place) as Promise<Float32Array>;
    const first = await at(k * step, y);
    const second = await at(
      (k + 1) * step,
      y.map((value, i) => value + step * first[i]!),
    );
    y = y.map((value, i) => value + (step * (first[i]! + second[i]!)) / 2);
  }
  const middle = positionsAt(motion, 0.5);
  expect([...middle]).toEqual(closeTo(y, 3));
  const [start, end] = [positionsAt(motion, 0), positionsAt(motion, 1)];
  const distances = middle.map((value, i) => Math.abs(value - (start[i]! + end[i]!) / 2));
  expect(Math.max(...distances)).toBeGreaterThan(0.01);
  await viewed.release();
});
