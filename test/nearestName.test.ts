import { expect, it } from "vitest";
import { nearestName } from "../src/check/nearestName.ts";

it("returns the name with the fewest changed letters, unless its only letter changes", () => {
  expect(nearestName("shp", ["kind", "shop"])).toBe("shop");
  expect(nearestName("kk", ["k", "x"])).toBe("k");
  expect(nearestName("q", ["A", "Q"])).toBe("Q");
  expect(nearestName("Q", ["A", "C"])).toBeUndefined();
  expect(nearestName("", ["A"])).toBeUndefined();
});
