import { describe, expect, it } from "vitest";
import { densityNodes, pairFigure } from "../../src/report/index.ts";
import { gaussians, notNumbers, open, panelNames, table, texts, tickTexts } from "./figures.ts";

function gaussianTables(columns: number, rows = 400) {
  const random = gaussians(columns);
  const row = () => Array.from({ length: columns }, random);
  return { columns: [..."abcdefgh"].slice(0, columns), data: table(rows, row), samples: table(rows, row) };
}

const logDensityOf = (points: Float64Array, dimensions: number) =>
  Float64Array.from({ length: points.length / dimensions }, (_, row) => {
    const squares = points
      .subarray(row * dimensions, (row + 1) * dimensions)
      .reduce((sum, value) => sum + value * value, 0);
    return -0.5 * squares - (dimensions / 2) * Math.log(2 * Math.PI);
  });

describe("one column", () => {
  it("draws the exact density over a histogram of the same area", async () => {
    const tables = gaussianTables(1, 2000);
    const { x, points } = densityNodes(tables);
    const figure = open(await pairFigure({ ...tables, logDensity: { x, values: logDensityOf(points, 1) } }));
    expect(panelNames(figure)).toEqual(["data and density: a"]);
    expect(texts(figure)).toEqual(expect.arrayContaining(["a", "density", "the model's exact density"]));
    expect(notNumbers(figure)).toEqual([]);
    expect(figure.querySelectorAll("[aria-label=area] path").length).toBe(1);
    const bars = vertices(figure.querySelector("[aria-label=area] path")!);
    const [toX, toY] = [axisScale(figure, "x"), axisScale(figure, "y")];
    expect(area(bars.map(([x, y]) => [toX(x), toY(y)]))).toBeCloseTo(1, 2);
    // The peak of the curve stands at 0.399 of an axis that the ticks tell.
    const curve = vertices(figure.querySelector("[aria-label=line] path")!);
    expect(toY(Math.min(...curve.map(([, y]) => y)))).toBeCloseTo(1 / Math.sqrt(2 * Math.PI), 2);
  });

  it("draws the samples' histogram without an exact density", async () => {
    const figure = open(await pairFigure(gaussianTables(1)));
    expect(panelNames(figure)).toEqual(["data and samples: a"]);
    expect(texts(figure)).toContain("samples");
  });
});

describe("two columns", () => {
  it("draws data and samples on the same axes under the same contours", async () => {
    const tables = gaussianTables(2);
    const { x, y, points } = densityNodes(tables);
    const figure = open(
      await pairFigure({ ...tables, title: "Two", logDensity: { x, y, values: logDensityOf(points, 2) } }),
    );
    expect(panelNames(figure)).toEqual(["data: a, b", "samples: a, b"]);
    expect(texts(figure)).toEqual(expect.arrayContaining(["Two", "Data", "Samples", "a", "b"]));
    expect(notNumbers(figure)).toEqual([]);
    expect(tickTexts(figure, 0, "x")).toEqual(tickTexts(figure, 1, "x"));
    const [left, right] = [...figure.querySelectorAll("[aria-label=contour]")];
    expect(left!.innerHTML).toBe(right!.innerHTML);
    const [data, samples] = [...figure.querySelectorAll("[aria-label=points]")].map(
      (group) => group.innerHTML,
    );
    expect(data!.match(/h0/g)).toHaveLength(400);
    expect(data).not.toBe(samples);
  });

  it("draws the contours of a Gaussian as ellipses with 10, 30, 50, 70, 90 and 99% of the mass", async () => {
    // The second column is 3 times as wide as the first, and about 10: rows and columns must not be confused.
    const random = gaussians(4);
    const draw = () => table(3000, () => [random(), 10 + 3 * random()]);
    const tables = { columns: ["a", "b"], data: draw(), samples: draw() };
    const { x, y, points } = densityNodes(tables);
    const standard = points.map((value, i) => (i % 2 ? (value - 10) / 3 : value));
    const figure = open(
      await pairFigure({ ...tables, logDensity: { x, y, values: logDensityOf(standard, 2) } }),
    );
    const ellipses = [...figure.querySelector("[aria-label=contour]")!.querySelectorAll("path")];
    const [toX, toY] = [axisScale(figure, "x"), axisScale(figure, "y")];
    const radii = ellipses.map((path) =>
      vertices(path).map(([px, py]) => Math.hypot(toX(px), (toY(py) - 10) / 3)),
    );
    const expected = [0.99, 0.9, 0.7, 0.5, 0.3, 0.1].map((mass) => Math.sqrt(-2 * Math.log(1 - mass)));
    expect(radii).toHaveLength(6);
    radii.forEach((radius, k) => {
      // One node of the grid is 0.05 wide, and the outermost may touch the frame.
      expect(Math.min(...radius)).toBeGreaterThan(expected[k]! - 0.05);
      expect(Math.max(...radius)).toBeLessThan(expected[k]! + 0.05);
    });
  });

  it("draws a density that is -Infinity outside its support", async () => {
    const tables = gaussianTables(2);
    const { x, y, points } = densityNodes(tables);
    const values = logDensityOf(points, 2).map((value) => (value < -3 ? Number.NEGATIVE_INFINITY : value));
    const figure = open(await pairFigure({ ...tables, logDensity: { x, y, values } }));
    expect(notNumbers(figure)).toEqual([]);
    expect(figure.querySelectorAll("[aria-label=contour]")).toHaveLength(2);
  });

  it("does not draw an exact density for columns in another order", async () => {
    const tables = gaussianTables(2);
    const { x, y, points } = densityNodes(tables);
    const logDensity = { x, y, values: logDensityOf(points, 2) };
    const figure = open(await pairFigure({ ...tables, logDensity, show: ["b", "a"] }));
    expect(panelNames(figure)).toEqual(["data: b, a", "samples: b, a"]);
    expect(texts(figure).join()).toContain("90% of the samples");
  });

  it("does not change its axes for one value of 1e9", async () => {
    const tables = gaussianTables(2);
    const figure = open(await pairFigure(tables));
    tables.data[7] = 1e9;
    const outlying = open(await pairFigure(tables));
    for (const which of ["x", "y"] as const)
      expect(tickTexts(outlying, 0, which)).toEqual(tickTexts(figure, 0, which));
    expect(texts(outlying).join()).toContain("(0.2 and 1.2% off the axes)");
    expect(outlying.querySelector("[aria-label=points]")!.innerHTML.match(/h0/g)).toHaveLength(399);
  });

  it("shows the data also if samples are far away, have gaps or a constant column", async () => {
    const tables = gaussianTables(2);
    const far = open(await pairFigure({ ...tables, samples: tables.samples.map((value) => value + 1e6) }));
    expect(far.querySelectorAll("[aria-label=contour]")).toHaveLength(0);
    expect(texts(far).join()).toContain("100.0% off the axes");
    const gaps = open(
      await pairFigure({
        ...tables,
        samples: tables.samples.map((value, i) => (i % 3 ? value : Number.NaN)),
      }),
    );
    expect(notNumbers(gaps)).toEqual([]);
    const constant = open(
      await pairFigure({ ...tables, samples: tables.samples.map((value, i) => (i % 2 ? value : 0.5)) }),
    );
    expect(notNumbers(constant)).toEqual([]);
    expect(constant.querySelectorAll("[aria-label=contour]").length).toBeGreaterThan(0);
  });
});

describe("more columns", () => {
  it("draws a matrix: data below the diagonal, samples above, histograms on it", async () => {
    const figure = open(await pairFigure(gaussianTables(3)));
    expect(panelNames(figure)).toEqual([
      ...["histogram: a", "samples: b, a", "samples: c, a"],
      ...["data: a, b", "histogram: b", "samples: c, b"],
      ...["data: a, c", "data: b, c", "histogram: c"],
    ]);
    expect(figure.querySelectorAll("[aria-label=contour]")).toHaveLength(6);
    expect(figure.querySelectorAll("[aria-label=area]")).toHaveLength(3);
    expect(notNumbers(figure)).toEqual([]);
    for (const name of ["a", "b", "c"]) expect(texts(figure).filter((text) => text === name)).toHaveLength(2);
  });

  it("shows the first six of eight columns and says so, or the chosen columns", async () => {
    const tables = gaussianTables(8);
    const first = open(await pairFigure(tables));
    expect(panelNames(first)).toHaveLength(36);
    expect(texts(first)[1]).toContain("6 of 8 columns");
    const chosen = open(await pairFigure({ ...tables, show: ["h", "a"] }));
    expect(panelNames(chosen)).toEqual(["data: h, a", "samples: h, a"]);
    expect(texts(chosen)[1]).toContain("2 of 8 columns");
  });

  it("draws columns of any magnitude, constant columns and unusual names", async () => {
    const random = gaussians(9);
    const row = () => [1.7e9 + random(), 3, -1e-7 * random(), 1e15 * random()];
    const columns = [
      "seconds",
      'a & b < "c"',
      "<script>",
      "a name much longer than any panel is wide, by far",
    ];
    const figure = open(await pairFigure({ columns, data: table(300, row), samples: table(300, row) }));
    expect(notNumbers(figure)).toEqual([]);
    expect(texts(figure)).toEqual(expect.arrayContaining(['a & b < "c"', "<script> (×10⁻⁹)", "×10¹⁵"]));
    expect(figure.querySelectorAll("script")).toHaveLength(0);
    expect(panelNames(figure)).toContain('histogram: a & b < "c"');
  });

  it("draws at most 1500 points per panel of a matrix", async () => {
    const figure = open(await pairFigure(gaussianTables(3, 5000)));
    const groups = [...figure.querySelectorAll("[aria-label=points]")];
    expect(groups).toHaveLength(6);
    for (const group of groups) {
      const dots = group.innerHTML.match(/h0/g)!.length;
      expect(dots).toBeGreaterThan(1450);
      expect(dots).toBeLessThanOrEqual(1500);
    }
  });
});

it("returns equal strings for equal inputs", async () => {
  const tables = gaussianTables(3);
  expect(await pairFigure(tables)).toBe(await pairFigure(tables));
});

it("has messages for invalid inputs", async () => {
  const tables = gaussianTables(2);
  await expect(
    pairFigure({ ...tables, data: tables.data.slice(1) }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the data do not match the columns: expected one or more rows of 2 numbers, received 799 numbers.]`,
  );
  await expect(pairFigure({ ...tables, show: ["z"] })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option show names a column that does not exist: expected a, b, received z.]`,
  );
  await expect(pairFigure({ ...tables, show: [] })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option show is empty: expected a, b.]`,
  );
  await expect(
    pairFigure({ ...tables, samples: tables.samples.fill(Number.NaN) }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: column "a" cannot be drawn: expected finite values in data and samples, received none in the samples.]`,
  );
  const grid = { x: [0, 1], y: [0, 1], values: new Float64Array(3) };
  await expect(
    pairFigure({ ...gaussianTables(2), logDensity: grid }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `
    [PushforwardError: the grid of log-densities does not match the columns: expected x and values for one column; x, y and x.length * y.length values for two; none for more, received 2 columns, x of 2, y of 2 and 3 values.
    Evaluate the log-density at the points of densityNodes.]
  `,
  );
  const holed = { x: [0, 1], y: [0, 1], values: Float64Array.of(0, 0, Number.NaN, 0) };
  await expect(
    pairFigure({ ...gaussianTables(2), logDensity: holed }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the grid contains an invalid log-density: expected finite numbers, or -Infinity outside the support, received NaN.]`,
  );
});

/** Area of a polygon (the shoelace formula). */
function area(corners: [number, number][]): number {
  const cross = corners.map(([x, y], k) => {
    const [nextX, nextY] = corners[(k + 1) % corners.length]!;
    return x * nextY - nextX * y;
  });
  return Math.abs(cross.reduce((sum, value) => sum + value, 0)) / 2;
}

/** Corners of a path of straight lines. */
function vertices(path: Element): [number, number][] {
  const pairs = path.getAttribute("d")!.matchAll(/(-?[\d.]+),(-?[\d.]+)/g);
  return [...pairs].map(([, x, y]) => [Number(x), Number(y)]);
}

/** Pixels to data units, from the first and last tick of the first panel. */
function axisScale(figure: Document, which: "x" | "y"): (pixel: number) => number {
  const labels = [
    ...figure.querySelector(`[aria-label="${which}-axis tick label"]`)!.querySelectorAll("text"),
  ];
  const ticks = [labels[0]!, labels.at(-1)!].map((label) => ({
    value: Number(label.textContent!.replace("−", "-")),
    pixel: Number(
      label.getAttribute("transform")!.match(/translate\(([^,]+),([^)]+)\)/)![which === "x" ? 1 : 2],
    ),
  }));
  const [from, to] = ticks as [(typeof ticks)[0], (typeof ticks)[0]];
  return (pixel) => from.value + ((to.value - from.value) * (pixel - from.pixel)) / (to.pixel - from.pixel);
}
