import { type Continuous, compile, Random, type Tensor } from "pushforward";
import { expect, test } from "vitest";
import { ViewedFlow } from "../app/engine/viewedFlow.ts";
import { familyOf } from "../app/families.ts";
import { DEFAULT_SETTING } from "../app/setting.ts";
import { logVolumesAt, positionsAt } from "../app/views/interpolate.ts";

const points = new Random(1).normal(new Float64Array(20));

/** A flow of a family with random parameters. */
function perturbed(family: "continuous" | "realNVP"): ViewedFlow {
  const setting = { ...DEFAULT_SETTING, family, ...familyOf(family).defaults, layers: 3, width: 16 };
  const viewed = new ViewedFlow(setting);
  for (const [name, parameter] of viewed.flow.parameters()) {
    const noise = new Random(2).split(name).normal(new Float64Array(parameter.numbers.length));
    parameter.take(parameter.numbers.map((value, i) => value + 0.5 * noise[i]!));
  }
  return viewed;
}

const closeTo = (values: ArrayLike<number>, digits: number) =>
  Array.from(values, (value) => expect.closeTo(value, digits));

test.each(["continuous", "realNVP"] as const)(
  "the motion of a %s flow ends at its samples",
  async (family) => {
    const viewed = perturbed(family);
    const motion = await viewed.toData({ points });
    const depth = viewed.layers.length;
    const back = await viewed.toLatent({ points: Float64Array.from(positionsAt(motion, depth)) });
    expect([...back.positions.at(-1)!]).toEqual(closeTo(points, 4));
    const logDets = logVolumesAt(motion, depth).map((value) => -value);
    const expected = Float32Array.from(logDets, (_, n) =>
      back.logDets.reduce((sum, each) => sum + each[n]!, 0),
    );
    expect([...logDets]).toEqual(closeTo(expected, 4));
    expect([...positionsAt(motion, 0)]).toEqual([...Float32Array.from(points)]);
    await viewed.release();
  },
);

test("points within a continuous layer are where its velocity has moved them, and not on a straight line", async () => {
  const viewed = perturbed("continuous");
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
