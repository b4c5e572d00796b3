import { describe, expect, test } from "vitest";
import { BASE_NAMES } from "../app/bases.ts";
import { FAMILY_NAMES, familyOf } from "../app/families.ts";
import { programOf } from "../app/program.ts";
import {
  DEFAULT_SETTING,
  fromFragment,
  MAX_POINTS_IN_LINK,
  type Setting,
  toFragment,
} from "../app/setting.ts";
import { targetOf } from "../app/target.ts";

const points: Setting = {
  ...DEFAULT_SETTING,
  source: { kind: "points", from: "drawn", values: Array.from({ length: 60 }, (_, i) => (i - 30) / 8) },
  seed: 7,
};

describe("a link", () => {
  const families = FAMILY_NAMES.map((family) => ({
    ...DEFAULT_SETTING,
    family,
    ...familyOf(family).defaults,
  }));

  const largeSeed: Setting = { ...DEFAULT_SETTING, seed: 2 ** 40 };

  const reverse: Setting = { ...DEFAULT_SETTING, objective: "reverse" };

  const withBases = BASE_NAMES.map((base): Setting => ({ ...DEFAULT_SETTING, base }));

  test.each([points, reverse, largeSeed, ...families, ...withBases])(
    "holds the whole setting of $family with the base $base",
    (setting) => {
      expect(fromFragment(`#${toFragment(setting)}`)).toEqual(setting);
    },
  );

  test("is not offered for more points than an address can hold", () => {
    const values = new Array(2 * MAX_POINTS_IN_LINK + 2).fill(0.5);
    expect(toFragment({ ...points, source: { kind: "points", from: "table", values } })).toBeUndefined();
  });

  test.each([
    "",
    "#",
    "#data=nothing&family=constructor&layers=1e9&width=-1&seed=x&learningRate=NaN&rows=1",
    "#points=1_x",
    "#base=uniform",
  ])("with the fields %j that are missing or not valid has the defaults", (fragment) => {
    expect(fromFragment(fragment)).toEqual(DEFAULT_SETTING);
  });
});

test("the reverse target of a sorted table is spread over all of it", () => {
  const values = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? i / 2 : 0));
  const { centers, deviation } = targetOf(values);
  expect(centers).toHaveLength(400);
  expect([centers[0], centers[2], centers[398]]).toEqual([0, 5, 995]);
  expect(deviation).toBe(34.8);
});

test("the program of points contains them", () => {
  expect(programOf(points, 12, [])).toMatchInlineSnapshot(`
    "import { Chain, fit, Flow, nsf, Standardize } from "pushforward";
    import { saveModel } from "pushforward/files";

    // Points as x0, y0, x1, y1, ...
    const rows = [
      -3.75, -3.625, -3.5, -3.375, -3.25, -3.125, -3, -2.875, -2.75, -2.625, -2.5, -2.375,
      -2.25, -2.125, -2, -1.875, -1.75, -1.625, -1.5, -1.375, -1.25, -1.125, -1, -0.875,
      -0.75, -0.625, -0.5, -0.375, -0.25, -0.125, 0, 0.125, 0.25, 0.375, 0.5, 0.625,
      0.75, 0.875, 1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2, 2.125,
      2.25, 2.375, 2.5, 2.625, 2.75, 2.875, 3, 3.125, 3.25, 3.375, 3.5, 3.625,
    ];

    const { base, bijection } = nsf(2, { kind: "coupling", transforms: 4, hidden: [32, 32], seed: 7 });
    const flow = new Flow(base, new Chain([bijection, new Standardize({ features: 2 })]));

    const { validationLogDensity } = await fit(flow, rows, {
      epochs: 12,
      optimizer: { learningRate: 0.005 },
      seed: 7,
      // WebAssembly on one thread, as the page trains on the CPU. Without these lines training is faster, and
      // its numbers differ by rounding.
      threads: 1,
      providers: ["wasm"],
    });

    console.log(-validationLogDensity, "nats on held-out points");
    await saveModel("model.safetensors", { flow, columns: ["x", "y"] });
    "
  `);
});
