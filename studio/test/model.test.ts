import { encodeModel, fitTable, forTables, maf, type TableRow } from "pushforward";
import { describe, expect, test } from "vitest";
import { csvSample } from "../../src/tables/io/csvSample.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { temporaryDirectory } from "../../test/data/temporaryFiles.ts";
import { axisOf, jitter, sliderOf } from "../app/model/axis.ts";
import { expectedText } from "../app/model/expectedText.ts";
import { histogram } from "../app/model/histogram.ts";
import { openModel } from "../app/model/openModel.ts";
import { rowNumber, rowsOf } from "../app/model/rows.ts";
import { recordsOf } from "../app/records.ts";
import { checkAppearance, WINDOWS } from "./appearance.ts";
import { describePage } from "./page.ts";
import { column, openNumberModel } from "./tableModels.ts";

const files = temporaryDirectory();

const recipe = { name: "maf", flow: (features: number) => maf(features, { transforms: 1, hidden: [4] }) };

describe("text of a table", () => {
  test("quoted fields may contain separators, line breaks and quotes", () => {
    expect(recordsOf('a,"b c",d\r\n"1,5","say ""hi""\nthere",\n\n2, 3 ,"4"\n')).toEqual([
      ["a", "b c", "d"],
      ["1,5", 'say "hi"\nthere', ""],
      ["2", "3", "4"],
    ]);
    // The line breaks of classic Mac OS.
    expect(recordsOf('a,b\r"1",2\r')).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
    expect(recordsOf("a;b\n1,5;2")).toEqual([
      ["a", "b"],
      ["1,5", "2"],
    ]);
    expect(recordsOf(" 1  2 \n3 4")).toEqual([
      ["1", "2"],
      ["3", "4"],
    ]);
  });

  test("the separator is one that the line of names has outside of quotes, and that gives the columns of a model", () => {
    const table = [
      ["price; EUR", "n"],
      ["1", "2"],
    ];
    expect(recordsOf('"price; EUR",n\n1,2')).toEqual(table);
    expect(recordsOf("price; EUR,n\n1,2", ["n", "price; EUR"])).toEqual(table);
    expect(recordsOf("body mass\n1,5", ["body mass"])).toEqual([["body mass"], ["1,5"]]);
  });

  test.each(["\nn\n1\n\n3\n", '"n"\n1\n\n3\n'])(
    "an empty line of a single column is a missing value: %j",
    (text) => {
      expect(rowsOf(text, [column("n", "number")])).toEqual({
        total: 3,
        rows: [{ n: 1 }, { n: null }, { n: 3 }],
      });
    },
  );

  test("fields become values of the type of their column, in any order of the columns", () => {
    const columns = [
      column("x", "number"),
      column("flag", "label", [true, false]),
      column("city", "label", ["Bern", "NA"]),
      column("size", "label", [1, 2]),
      column("day", "time"),
    ];
    const text = "day,city,x,flag,size,other\n2024-02-29,NA,1.5,TRUE,2,?\n,,NA,false,,\n,,,unknown,,\n";
    expect(rowsOf(text, columns)).toEqual({
      total: 3,
      rows: [
        { x: 1.5, flag: true, city: "NA", size: 2, day: "2024-02-29" },
        { x: null, flag: false, city: null, size: null, day: null },
        { x: null, flag: null, city: null, size: null, day: null },
      ],
    });
    expect(() => rowsOf("x,flag\n1,true", columns)).toThrow("Missing: city, size, day.");
  });
});

test("rows of a long table are evenly spaced, and keep their numbers", () => {
  const text = ["n", ...Array.from({ length: 12_000 }, (_, i) => i + 1)].join("\n");
  const table = rowsOf(text, [column("n", "number")]);
  expect(table.rows).toHaveLength(5000);
  for (const row of [0, 1, 2, 4999]) expect(rowNumber(table, row)).toBe(table.rows[row]!.n);
  const sample = ["n", ...table.rows.map(({ n }) => n)].join("\n");
  expect(rowsOf(sample, [column("n", "number")], 12_000)).toEqual(table);
});

test("day-first dates of a table that the command opens are those of its model", async () => {
  const days = Array.from({ length: 60 }, (_, i) =>
    new Date(Date.UTC(2024, 0, i + 1)).toISOString().slice(0, 10),
  );
  const { model } = await fitTable(
    days.map((day, i) => ({ day, x: Math.sin(i) })),
    { recipe, epochs: 1, testFraction: 0.3 },
  );
  const dayFirst = days.map((day, i) => `${day.split("-").toReversed().join("/")},${Math.sin(i)}`);
  const table = await openTable(files.write("days.csv", ["day,x", ...dayFirst].join("\n")));
  const text = new TextDecoder().decode(await csvSample(table, 5000));
  await table.close();
  const opened = await openModel(encodeModel(model.contents));
  const { rows } = rowsOf(text, opened.summary.columns);
  expect(rows.map(({ day }) => day)).toEqual(days);
  expect((await opened.anomalies(rows, 3)).rows).toHaveLength(3);
  await opened.release();
});

describe("the axis of a column", () => {
  test("shows numbers without the farthest outliers, and places dates and labels", () => {
    const rows = Array.from({ length: 1001 }, (_, i) => ({ x: i === 500 ? 1e9 : i, day: "2024-01-01" }));
    const { range } = axisOf(column("x", "number"), rows);
    expect(range[0]).toBeCloseTo(-45.6, 0);
    expect(range[1]).toBeLessThan(1100);
    const time = axisOf(column("day", "time"), rows);
    expect(time.place("1970-01-02")).toBe(86_400_000);
    expect(time.place("1970-01-01 00:00:01")).toBe(1000);
    expect(time.place("00:01:00")).toBe(60_000);
    const utc = Date.parse("2024-05-01T08:00:00Z");
    for (const text of ["2024-05-01T10:00:00+02:00", "2024-05-01 10:00:00+0200", "2024-05-01T08:00:00Z"])
      expect(time.place(text)).toBe(utc);
    const label = axisOf(column("city", "label", ["Bern", "Zug"]), []);
    expect([label.place("Zug"), label.place("Rom"), label.place(null)]).toEqual([1, Number.NaN, Number.NaN]);
  });

  test.each([
    [
      "years",
      ["2015-03-01", "2020-10-01"],
      ["2016-01-01", "2018-01-01", "2020-01-01"],
      ["2016", "2018", "2020"],
    ],
    ["days", ["2024-02-27", "2024-03-02"], ["2024-02-28", "2024-03-01"], undefined],
    [
      "times",
      ["2024-02-29 08:00", "2024-02-29 20:00"],
      ["2024-02-29 10:00Z", "2024-02-29 15:00Z", "2024-02-29 20:00Z"],
      ["10:00", "15:00", "20:00"],
    ],
    ["a single date", ["2024-02-29"], ["2000-01-01", "2020-01-01", "2040-01-01"], ["2000", "2020", "2040"]],
  ])("of %s has ticks where its labels say", (_, days, places, texts = places) => {
    const { ticks } = axisOf(
      column("day", "time"),
      days.map((day) => ({ day })),
    );
    expect(ticks).toEqual(places.map((place, i) => ({ at: Date.parse(place), text: texts[i] })));
  });

  test("has a slider with the values that the column can have", () => {
    const axis = { range: [-1.2, 7.6], ticks: [], place: Number } as const;
    expect(sliderOf(column("x", "number"), axis)).toEqual({
      min: -1.2,
      max: 7.6,
      step: expect.closeTo(0.044),
    });
    const half = { ...column("x", "number"), lattice: { first: 0.5, step: 3, last: 6.5 } };
    expect(sliderOf(half, axis)).toEqual({ min: 0.5, max: 6.5, step: 3 });
    expect(sliderOf(half, { ...axis, range: [1, 4] })).toEqual({ min: 3.5, max: 4, step: 3 });
  });

  test("has histograms that count the rows with a value", () => {
    const city = column("city", "label", ["Bern", "Zug"]);
    const rows = ["Bern", "Zug", "Zug", null].map((value) => ({ city: value }));
    expect(histogram(axisOf(city, rows), city, rows)).toEqual([0.25, 0.5]);
  });
});

test("points of rows with the same two labels fill a square evenly", () => {
  const [rows, cells] = [800, 5];
  const counts = new Array<number>(cells ** 2).fill(0);
  for (let row = 0; row < rows; row++) {
    const [x, y] = [0, 1].map((coordinate) => Math.floor(cells * (jitter(row, coordinate) + 0.5)));
    counts[cells * y! + x!]!++;
  }
  const expected = rows / cells ** 2;
  expect(Math.min(...counts)).toBeGreaterThan(0.75 * expected);
  expect(Math.max(...counts)).toBeLessThan(1.25 * expected);
});

test("the expected values of a column have the probability that its value is missing", () => {
  const labels = [
    { value: "Bern", probability: 0.62 },
    { value: "Zug", probability: 0.001 },
  ];
  expect(expectedText({ labels, missing: 0.38 })).toBe("Bern 62\u00a0%, missing 38\u00a0%");
  const rare = [
    { value: "female", probability: 0.995 },
    { value: "male", probability: 0.005 },
  ];
  expect(expectedText({ labels: rare, missing: 0 })).toBe("female 100\u00a0%");
  expect(expectedText({ median: 2, interval: [-1.234567, 12_345_678], missing: 0 })).toBe(
    "−1.2346 to 12345678",
  );
});

/** Rows in which the second number is the first one plus 1. */
const tableOf = (first: string, second: string): TableRow[] =>
  Array.from({ length: 60 }, (_, i) => ({ [first]: Math.sin(i), [second]: Math.sin(i) + 1 }));

test("a model without calibration rows has no p-values, and a conditional model of a table is not opened", async () => {
  const { model } = await fitTable(tableOf("a", "b"), { recipe, epochs: 1, testFraction: 0 });
  const { summary } = await openModel(encodeModel(model.contents));
  expect(summary.hasCalibration).toBe(false);
  const flow = forTables(maf(2, { transforms: 1, hidden: [4], context: 1 }));
  const { table, columns } = model.contents;
  await expect(openModel(encodeModel({ flow, table, columns, given: ["year"] }))).rejects.toThrow(
    "This model is conditional on year.",
  );
});

describePage("the page of a trained model", (site) => {
  test("anomalies without reasons are shown, and columns with the names of properties of objects", async () => {
    const rows = tableOf("constructor", "b");
    const { model } = await fitTable(rows, { recipe, epochs: 1, testFraction: 0.3 });
    await using visit = await site.visit("#open");
    const { page } = visit;
    const csv = ["constructor,b", ...rows.map((row) => Object.values(row).join())].join("\n");
    await page.locator("input[type=file]").setInputFiles([
      { name: "a.safetensors", mimeType: "", buffer: Buffer.from(encodeModel(model.contents)) },
      { name: "a.csv", mimeType: "text/csv", buffer: Buffer.from(csv) },
    ]);
    await page.getByText("60 rows in a.csv").waitFor();
    // The model of one epoch is nearly normal, and has tails beyond the sines of the table.
    await page.getByText(/^800 rows, \d+ outside of the figure$/).waitFor();
    expect(await page.locator(".card").count()).toBe(2);
    expect(await page.locator(".card.given").count()).toBe(0);
    await page.getByRole("button", { name: "Find anomalies" }).click();
    await expect.poll(() => page.locator("tbody button").count()).toBe(10);
    await page.locator("tbody button").first().click();
    expect(visit.problems).toEqual([]);
  });

  test("real and generated rows of the example are compared, given values, and anomalies are found", {
    timeout: 150_000,
  }, async () => {
    await using visit = await site.visit("#open");
    const { page } = visit;
    await page.getByRole("button", { name: "Open the example: penguins" }).click();
    await page.getByText("344 rows in penguins.csv").waitFor();

    const figure = page.locator("[data-figure=generated] canvas");
    const picture = () => figure.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    await expect.poll(picture).not.toBe("data:,");
    const before = await picture();
    await page.getByLabel("Value of species").selectOption("Gentoo");
    await page.getByLabel("Value of flipper_length_mm").fill("225");
    await expect.poll(() => page.getByText("given 2 values").isVisible()).toBe(true);
    await expect.poll(picture).not.toBe(before);

    await page.getByRole("button", { name: "Find anomalies" }).click();
    await page.locator("tbody button").first().click();
    const reason = await page.locator("tbody tr").first().locator("td").nth(2).textContent();
    await expect.poll(() => page.getByLabel("Horizontal axis").inputValue()).toBe(reason);

    for (const window of WINDOWS) {
      await page.setViewportSize({ width: window.width, height: 900 });
      await page.emulateMedia({ colorScheme: window.scheme });
      await checkAppearance(page, "model", window);
    }

    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
    for (const [axis, name] of [
      ["Horizontal", "species"],
      ["Vertical", "island"],
    ] as const)
      await page.getByLabel(`${axis} axis`).selectOption(name);
    for (const name of ["species", "flipper_length_mm"])
      await page.getByRole("button", { name: `Remove the value of ${name}` }).click();
    await expect.poll(picture).toBe(before);
    expect(visit.problems).toEqual([]);
  });

  test("a flow over numbers is shown, and an error explains files that it cannot open", async () => {
    await using visit = await site.visit("#open");
    const { page } = visit;
    const { bytes, input } = await openNumberModel(page);
    await input.setInputFiles({ name: "other.csv", mimeType: "text/csv", buffer: Buffer.from("a,c\n1,2\n") });
    await expect.poll(() => page.getByRole("status").textContent()).toContain("Missing: b.");
    await input.setInputFiles({ name: "broken.safetensors", mimeType: "", buffer: bytes.subarray(0, 200) });
    await expect.poll(() => page.getByRole("status").textContent()).toContain("truncated");
    // A table that is opened with this file is for its model, not for the one before.
    await input.setInputFiles([
      { name: "table.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n1,2\n") },
      { name: "broken.safetensors", mimeType: "", buffer: bytes.subarray(0, 200) },
    ]);
    await expect.poll(() => page.getByRole("status").textContent()).toMatch(/^Opening|truncated/);
    await expect.poll(() => page.getByRole("status").textContent()).toContain("truncated");
    expect(await page.getByText("1 rows in").count()).toBe(0);
    expect(visit.problems).toEqual([]);
  });

  test.each([
    ["http://%5B", "Invalid URL"],
    ["https://example.org/table.csv", "is on another host"],
  ])("says why a link to %s is not opened", async (address, problem) => {
    await using visit = await site.visit(`#open=${address}`);
    await expect.poll(() => visit.page.getByRole("status").textContent()).toContain(problem);
    expect(visit.problems).toEqual([]);
  });

  test("says that its worker, or the page itself, could not be loaded", async () => {
    await using visit = await site.visit();
    const { page } = visit;
    await page.route(/model\.worker/, (route) => route.abort());
    await page.getByText("Model", { exact: true }).first().click();
    await page.getByRole("button", { name: /^Open the example/ }).click();
    const message = page.getByText("A part of the page could not be loaded.");
    await message.waitFor();
    await page.route(/Reader/, (route) => route.abort());
    await page.getByText("Read", { exact: true }).click();
    await page.getByRole("alert").and(message).waitFor();
    await page.route(/engine\.worker/, (route) => route.abort());
    await page.goto(`${site.address}?again`);
    await message.waitFor();
    expect(await visit.button("Train").isDisabled()).toBe(true);
  });

  test("keeps its model, table, given values and anomalies while other pages are visited", {
    timeout: 120_000,
  }, async () => {
    const rows = tableOf("a", "b");
    const { model } = await fitTable(rows, { recipe, epochs: 1, testFraction: 0.3 });
    const csv = ["a,b", ...rows.map((row) => Object.values(row).join())].join("\n");
    await using visit = await site.visit();
    const { page } = visit;
    let opened = 0;
    await page.route("**/files/*", (route) => {
      opened++;
      const isModel = route.request().url().endsWith("safetensors");
      return route.fulfill({ body: isModel ? Buffer.from(encodeModel(model.contents)) : csv });
    });
    await page.goto(`${site.address}#open=files/m.safetensors&open=files/t.csv`);
    await page.getByText("60 rows in t.csv").waitFor();
    await page.getByRole("button", { name: "Find anomalies" }).click();
    await expect.poll(() => page.locator("tbody button").count()).toBe(10);
    const pages = page.getByRole("navigation", { name: "Pages" });
    await pages.getByText("Train").click();
    await visit.button("Train").waitFor();
    for (let visits = 0; visits < 2; visits++) {
      await pages.getByText("Model").click();
      await page.getByText("60 rows in t.csv").waitFor();
      expect(await page.locator("tbody button").count()).toBe(10);
      expect(page.url()).toContain("#open=files/m.safetensors&open=files/t.csv");
    }
    expect(opened).toBe(2);
    await page.reload();
    await page.getByText("60 rows in t.csv").waitFor();
    expect(visit.problems).toEqual([]);
  });

  test("is the only current page when it is opened from a chapter, which can be opened again", async () => {
    await using visit = await site.visit("#read=splines");
    const { page } = visit;
    const pages = page.getByRole("navigation", { name: "Pages" });
    const current = () => pages.locator("[aria-current]").allTextContents();
    await expect.poll(current).toEqual(["Read"]);
    await pages.getByText("Model").click();
    await page.getByRole("button", { name: /^Open the example/ }).waitFor();
    expect(await current()).toEqual(["Model"]);
    expect(await page.title()).toBe("Trained models – pushforward studio");
    await pages.getByText("Read").click();
    await expect.poll(() => page.url()).toContain("read=splines");
    expect(await current()).toEqual(["Read"]);
    expect(await page.title()).toBe("Splines – pushforward studio");
    // A reader of the next chapter begins at its heading.
    await page.getByRole("link", { name: /^Next/ }).click();
    await expect.poll(() => page.title()).toBe("Glow and images – pushforward studio");
    const heading = page.getByRole("heading", { name: "Glow and images" });
    await expect.poll(() => heading.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(visit.problems).toEqual([]);
  });
});
