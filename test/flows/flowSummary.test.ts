import { expect, test } from "vitest";
import { flowSummary, glow, maf } from "../../src/flows/index.ts";

test("a flow is summarized by its layers, with the number of repetitions of one or of several", () => {
  expect(flowSummary(maf(2, { transforms: 3 }).describe())).toMatchInlineSnapshot(
    `"standard normal -> 3 x autoregressive (affine)"`,
  );
  expect(flowSummary(maf(2, { transforms: 3, orders: 2, ensemble: true }).describe())).toMatchInlineSnapshot(
    `"ensemble (standard normal -> 3 x autoregressive (affine))"`,
  );
  expect(flowSummary(glow(2, { transforms: 3 }).describe())).toMatchInlineSnapshot(
    `"standard normal -> 3 x (coupling (affine) -> lu linear -> actnorm)"`,
  );
  expect(flowSummary(glow({ image: [4, 4, 1], steps: 3, width: 4 }).describe())).toMatchInlineSnapshot(
    `"standard normal -> factor out (3 x (image coupling (affine), per pixel (lu linear), per pixel (actnorm)), squeeze) -> image coupling (affine) -> 3 x (image coupling (affine) -> per pixel (lu linear) -> per pixel (actnorm)) -> squeeze -> sigmoid"`,
  );
});
