import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { Random } from "../../src/index.ts";
import { workplace } from "./command.ts";

const { path, write, pushforward, outputs, json } = workplace();

/** b is about 10 a; kind is x or y. Row 5 of the last table has a tampered b, and row 9 no a. */
function table(rows: number, seed: number, isTampered = false): string {
  const normal = new Random(seed).normal(new Float64Array(2 * rows));
  const lines = Array.from({ length: rows }, (_, n) => {
    const a = normal[2 * n]!;
    const b = 10 * a + normal[2 * n + 1]! + (isTampered && n === 4 ? 200 : 0);
    return `${isTampered && n === 8 ? "" : a.toFixed(4)},${b.toFixed(4)},${n % 2 ? "x" : "y"}`;
  });
  return ["a,b,kind", ...lines, ""].join("\n");
}

let model: string;
let data: string;
beforeAll(async () => {
  const training = write("training.csv", table(300, 1));
  data = write("data.csv", table(12, 2, true));
  model = path("model.safetensors");
  const fitted = await pushforward([
    "fit",
    training,
    "--epochs",
    "8",
    "--no-kernel",
    "--threads",
    "1",
    "-o",
    model,
  ]);
  expect(fitted.code).toBe(0);
}, 60_000);

it("reports the most unusual rows with reasons, and writes all rows", async () => {
  const { code, out, err } = await pushforward([
    "anomalies",
    model,
    data,
    "-n",
    "1",
    "-o",
    path("scored.csv"),
  ]);
  expect(code).toBe(0);
  expect(err).toContain("Wrote 12 rows with p-values to scored.csv");
  const withoutNumbers = (text: string) => text.replace(/-?[\d.]+/g, "N").replace(/ +gain/, "  gain");
  const shown = out.replace(/score .*|expected .* gain .*/g, withoutNumbers);
  expect(shown).toMatchInlineSnapshot(`
    "The most unusual of 11 rows of data.csv. p-values from 30 calibration rows; the smallest possible is 0.032.
    1 row without a score: a value is missing in a column that had no missing values in training.

    Row 5  p = 0.032, score N
      b  199.67   expected N (N to N)  gain N nats
      a  -0.1113  expected N (N to N)  gain N nats

    If all rows were like those of the training table, about 0.35 of them would have p-values up to 0.032.
    "
  `);
  const [header, ...lines] = readFileSync(path("scored.csv"), "utf8").trimEnd().split("\n");
  expect(header).toBe("a,b,kind,anomaly_score,p_value,reason");
  expect(lines.length).toBe(12);
  expect(lines[4]).toMatch(/,b$/);
  expect(lines[8]).toMatch(/,,,$/);
});

it("writes the table to standard output with -o -, in place of the report", async () => {
  const { out } = await outputs("anomalies", model, data, "-o", "-");
  const [header, ...lines] = out.trimEnd().split("\n");
  expect(header).toBe("a,b,kind,anomaly_score,p_value,reason");
  expect(lines).toHaveLength(12);
  expect(out).not.toContain("unusual");
});

it("prints the same as one object with --json", async () => {
  const [found] = (await json("anomalies", model, data, "-n", "2")) as [Record<string, unknown>];
  expect(found).toMatchObject({ rows: 12, scored: 11, calibrationRows: 30, isTrainingTable: false });
  const [first] = found.anomalies as {
    row: number;
    pValue: number;
    reasons: { column: string; value: unknown }[];
  }[];
  expect([first!.row, first!.pValue, first!.reasons[0]!.column]).toEqual([5, 1 / 31, "b"]);
  expect(first!.reasons.map(({ column }) => column).sort()).toEqual(["a", "b", "kind"]);
});

it("selects by the false discovery rate", async () => {
  const { out } = await pushforward(["anomalies", model, data, "--fdr", "0.01"]);
  expect(out).toContain("0 rows of 11 selected by the false discovery rate.");
  expect(out).toContain("None of the 11 rows of data.csv is reported.");
  const [half] = await json("anomalies", model, data, "--fdr", "0.5");
  // The procedure of Benjamini and Hochberg: the most rows k whose largest p-value is at most k / 11 of the rate.
  const [all] = await json("anomalies", model, data, "-n", "11");
  const pValues = (all!.anomalies as { pValue: number }[]).map(({ pValue }) => pValue);
  const discoveries = 1 + pValues.findLastIndex((p, i) => p <= (0.5 * (i + 1)) / 11);
  expect(discoveries).toBeGreaterThanOrEqual(1);
  expect(half).toMatchObject({ discoveries });
  expect(half!.anomalies).toEqual((all!.anomalies as object[]).slice(0, discoveries));
});

it("recognizes the training table", async () => {
  const { out } = await pushforward(["anomalies", model, path("training.csv"), "-n", "1"]);
  expect(out).toContain("p-values of the rows that it was trained on are too large");
});

it("leaves out the most unusual rows of the training with --contamination", async () => {
  const [training, robust] = [path("training.csv"), path("robust.safetensors")];
  const fit = ["fit", training, "--epochs", "1", "--no-kernel", "--contamination", "0.1", "-o", robust];
  const { code, out, err } = await pushforward(fit);
  expect(code).toBe(0);
  expect(err).toContain("The second model is trained without the 27 most unusual rows of 270.");
  expect(out).toContain("--contamination left out the 27 most unusual rows of training and validation.");
  expect((await pushforward(["inspect", robust])).out).toContain("trained on  243 rows");
  const events = await json(...fit);
  expect([...new Set(events.map(({ model }) => model))]).toEqual([1, 2, "robust.safetensors"]);
  const { err: stopped } = await pushforward(fit, { interrupted: AbortSignal.abort() });
  expect(stopped).toContain("Stopped before the first epoch of the second model");
  const found = (await json("anomalies", robust, training, "-n", "1")) as [Record<string, unknown>];
  expect(found[0]).toMatchObject({ calibrationRows: 30, isTrainingTable: true });
  expect((await pushforward([...fit, "--flow", "nsf"])).err).toMatchInlineSnapshot(`
    "Error: --contamination cannot be combined with --flow nsf.
    Only the default model without --given has anomaly scores: leave one of them out.
    "
  `);
  const half = ["fit", path("missing.csv"), "--contamination", "0.5", "-o", robust];
  expect((await pushforward(half)).err).toMatchInlineSnapshot(`
    "Error: --contamination has an invalid value: expected a number above 0 and below 0.5, received 0.5.
    For example: --contamination 0.05
    "
  `);
});

it("refuses to write the table and the report to standard output", async () => {
  expect((await pushforward(["anomalies", model, data, "-o", "-", "--json"])).err).toMatchInlineSnapshot(`
    "Error: Standard output cannot have both the table and the report.
    Write the table to a file, for example: -o scored.csv --json
    "
  `);
});

it("explains what it needs", async () => {
  const untested = path("untested.safetensors");
  const fit = [
    "fit",
    path("training.csv"),
    "--epochs",
    "1",
    "--no-kernel",
    "--test-fraction",
    "0",
    "-o",
    untested,
  ];
  expect((await pushforward(fit)).code).toBe(0);
  expect((await pushforward(["anomalies", untested, data])).err).toMatchInlineSnapshot(`
    "Error: The model has no rows that calibrate p-values of anomalies.
    Fit it again with test rows: pushforward fit --test-fraction 0.1, or the option testFraction of fitTable.
    "
  `);
  const named = write("named.csv", "a,b,kind,reason\n1,10,x,unknown\n");
  expect(
    (await pushforward(["anomalies", model, named, "-o", path("named.parquet")])).err,
  ).toMatchInlineSnapshot(`
    "Error: named.csv already has a column "reason".
    Rename it, or leave it out with a query: "SELECT * EXCLUDE ("reason") FROM ..."
    "
  `);
});
