import { expect, it, vi } from "vitest";

const loaded = vi.hoisted(() => [] as string[]);
vi.mock("@observablehq/plot", async (original) => {
  loaded.push("plot");
  return original();
});
vi.mock("linkedom", async (original) => {
  loaded.push("linkedom");
  return original();
});
vi.mock("@resvg/resvg-js", async (original) => {
  loaded.push("resvg");
  return original();
});

it("loads drawing libraries only when a figure is drawn", async () => {
  const { trainingFigure, svgToPng } = await import("../../src/report/index.ts");
  expect(loaded).toEqual([]);
  const svg = await trainingFigure({
    epochs: [{ epoch: 1, trainLogDensity: 0, validationLogDensity: 0 }],
    bestEpoch: 1,
  });
  expect(loaded.sort()).toEqual(["linkedom", "plot"]);
  await svgToPng(svg, { scale: 1 });
  expect(loaded.sort()).toEqual(["linkedom", "plot", "resvg"]);
});
