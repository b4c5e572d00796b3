import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import { encodeModel } from "../../src/tables/model/index.ts";
import { correlated, PENGUINS, quickModel, workplace } from "./command.ts";

const place = workplace();
const { path, write, pushforward, failure, json } = place;

it("tests a model of a table on the rows that the training held out, whose split the model file has", async () => {
  const model = path("penguins.safetensors");
  const split = ["--test-fraction", "0.15", "--validation-fraction", "0.2"];
  const fitted = await pushforward(["fit", PENGUINS, "--epochs", "1", "--no-kernel", ...split, "-o", model]);
  expect(fitted.code).toBe(0);
  expect(fitted.out).toMatch(
    /report penguins.safetensors \S+penguins.csv -o report.html +what the model is good for/,
  );
  const [numbers] = await json("report", model, PENGUINS, "--rows", "20", "-o", path("report.html"));
  expect(numbers!.about).toMatchInlineSnapshot(`
    [
      "The model was trained on this table, and its split is repeated from the seed. The held-out rows are its 52 test rows, and 58 validation rows, which also decided when training ended.",
    ]
  `);
  expect(numbers!.rows).toMatchObject({ compared: 20, impossible: 0 });
  expect(Object.keys(numbers!)).toMatchInlineSnapshot(`
    [
      "about",
      "findings",
      "columns",
      "rows",
      "logDensity",
      "baselines",
      "calibration",
      "conditionalCalibration",
      "twoSample",
      "trend",
      "precisionCoverage",
      "usefulness",
      "privacy",
      "rareRows",
    ]
  `);
  expect(readFileSync(path("report.html"), "utf8")).toMatch(/^<!doctype html>/);
});

describe("a flow", () => {
  let data: string;
  let model: string;
  beforeAll(async () => {
    data = write("numbers.csv", correlated(200));
    model = await quickModel(place, data, "flow");
  });

  it("has a report too, whose findings are printed", async () => {
    const words = ["report", model, data, "--rows", "20", "-o", path("flow.html")];
    const { code, out, err } = await pushforward(words);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^(failed|uncertain|passed) +[A-Z]/);
    expect(out).toContain("The model was trained on this table");
    expect(out).toContain("Report    flow.html");
  });

  it("is reported to standard output, with the findings on standard error", async () => {
    const { code, out, err } = await pushforward(["report", model, data, "--rows", "20", "-o", "-"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^<!doctype html>.*<\/html>\n$/s);
    expect(err).toMatch(/^(failed|uncertain|passed) /);
    expect(await failure("report", model, data, "--json", "-o", "-")).toMatchInlineSnapshot(`
      "2
      Error: Standard output cannot have both the page and the numbers.
      Write the page to a file, for example: -o report.html --json"
    `);
  });

  it("is tested on all rows of another table", async () => {
    const lines = correlated(300).split("\n");
    const other = write("other.csv", [lines[0], ...lines.slice(201)].join("\n"));
    const [numbers] = await json("report", model, other, "--rows", "20");
    expect(numbers!.about).toMatchInlineSnapshot(`
      [
        "The rows are not recognized as the table of the training, so all of them count as unseen rows, which misleads if the model was trained on some of them. One half is compared with generated rows, and the other half serves as reference rows, in place of the training rows.",
      ]
    `);
    expect(numbers).not.toHaveProperty("privacy");
    expect(numbers!.rows).toMatchObject({ heldOut: 50, compared: 20 });
  });
});

describe("a new table", () => {
  const rows = (count: number, unit: string) =>
    Array.from({ length: count }, (_, n) => `${Math.sin(12.9898 * n) * 2},${unit}`);
  let model: string;
  beforeAll(() => {
    const flow = new Flow(new StandardNormal({ features: 1 }));
    const unit = { kind: "constant", name: "unit", type: "text", gaps: false, value: "cm" } as const;
    const columns = ["size"];
    model = write("sizes.safetensors", encodeModel({ flow, columns, table: [realColumn("size"), unit] }));
  });

  it("may have impossible and incomplete rows, which the report counts", async () => {
    const lines = ["size,unit", ...rows(60, "cm"), ...rows(20, "mm"), ...rows(20, "")];
    const mixed = write("mixed.csv", [...lines, ""].join("\n"));
    const [numbers] = await json("report", model, mixed, "--rows", "20");
    const { heldOut, impossible, incomplete } = numbers!.rows as Record<string, number>;
    expect(heldOut! + impossible! + incomplete!).toBe(50);
    expect(Math.min(impossible!, incomplete!)).toBeGreaterThan(0);
    expect(numbers!.findings).toContainEqual({
      kind: "failed",
      about: "rows",
      text: `The model considers ${impossible} of 50 held-out rows impossible.`,
    });
  });

  it("needs rows that are possible", async () => {
    const millimeters = write("millimeters.csv", ["size,unit", ...rows(60, "mm"), ""].join("\n"));
    expect(await failure("report", model, millimeters, "-o", path("sizes.html"))).toMatchInlineSnapshot(`
      "2
      Error: 60 rows of millimeters.csv (the first is row 1) have a value of "unit" that the model considers impossible, such as mm (expected constant: cm). No row of millimeters.csv can be compared with the model.
      Check that the columns have the units of the training table, or give a table with other rows."
    `);
  });
});

it("refuses conditional models, and tables with too few rows", async () => {
  const data = write("few.csv", correlated(40));
  const conditional = await quickModel(place, data, "conditional", "--given", "a");
  expect(await failure("report", conditional, data)).toMatchInlineSnapshot(`
    "2
    Error: The model conditional.safetensors is conditional, and a report needs rows without a context: received columns given a.
    To compare log-densities: pushforward evaluate conditional.safetensors DATA"
  `);
  const model = await quickModel(place, data, "few");
  expect(await failure("report", model, data, "-o", data)).toMatchInlineSnapshot(`
    "2
    Error: few.csv is not the name of a page: expected a name that ends in .html.
    For example: -o report.html"
  `);
  expect(await failure("report", model, data, "--target", "nope")).toMatchInlineSnapshot(`
    "2
    Error: The model has no column "nope": expected one of a or b.
    Correct the name."
  `);
  expect(await failure("report", model, data, "-o", path("few.html"))).toMatchInlineSnapshot(`
    "2
    Error: There are too few held-out rows for a report: expected 10 rows or more with a finite log-density, received 8.
    Give a table with more rows."
  `);
  const other = write("other.csv", correlated(15));
  expect(await failure("report", model, other, "-o", path("few.html"))).toMatchInlineSnapshot(`
    "2
    Error: There are too few rows for a report: expected 20 rows or more with a finite log-density, because one half serves as reference rows, received 15.
    Give the table of the training, or a table with more rows."
  `);
});
