import { expect, test } from "vitest";
import { alternatingMask, Coupling, randomMask } from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";

test("masks alternate, or leave a random half of the features unchanged", () => {
  expect(alternatingMask(3)).toEqual([true, false, true]);
  expect(alternatingMask(4, false)).toEqual([false, true, false, true]);
  const masks = Array.from({ length: 50 }, (_, seed) => randomMask(5, new Random(seed)));
  for (const mask of masks) expect(mask.filter(Boolean).length).toBe(2);
  for (let feature = 0; feature < 5; feature++) {
    const kept = masks.filter((mask) => mask[feature]).length;
    expect(kept).toBeGreaterThan(8);
    expect(kept).toBeLessThan(32);
  }
});

test("refuses a mask that leaves nothing to transform or to condition on", () => {
  const build = (mask: boolean[]) => () => new Coupling({ mask }, new Random(0));
  expect(build([true, true])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a coupling is not valid at mask: expected at least one feature to transform (false), received [true,true].]`,
  );
  expect(build([false, false])).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: a coupling has no unchanged feature and no context to condition on.
    Use an autoregressive bijection, or set the mask of a feature to true.]
  `);
  expect(build([])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a coupling is not valid at mask: expected a list of at least 1, received [].]`,
  );
});
