import { beforeAll, expect, it } from "vitest";
import { Random } from "../../src/random/index.ts";
import { workplace } from "./command.ts";

const { path, write, pushforward, failure, json } = workplace();

/** x and y on a line with noise, and a payment that is 0 in a third of the rows. */
function points(rows: number): string {
  const normal = new Random(3).normal(new Float64Array(2 * rows));
  const lines = Array.from({ length: rows }, (_, n) => {
    const [x, y] = [normal[2 * n], normal[2 * n] + 0.3 * normal[2 * n + 1]];
    return [x, y]
      .map((value) => value.toFixed(6))
      .concat(n % 3 === 0 ? "0" : (y + 9).toFixed(5))
      .join();
  });
  return ["x,y,payment", ...lines, ""].join("\n");
}

const models: Record<string, string> = {};
let table: string;

beforeAll(async () => {
  table = write("points.csv", points(400));
  const fit = async (name: string, ...options: string[]) => {
    models[name] = path(`${name}.safetensors`);
    const { code, err } = await pushforward(["fit", table, ...options, "-o", models[name]]);
    expect(err).not.toContain("Error");
    expect(code).toBe(0);
  };
  const nice = ["--flow", "nice", "--transforms", "2", "--hidden", "8", "--epochs"];
  await fit("short", "--columns", "x,y", ...nice, "1");
  await fit("long", "--columns", "x,y", ...nice, "40");
  await fit("payments", ...nice, "1");
  await fit("default", "--no-kernel", "--epochs", "1");
}, 60_000);

it("compares two models row by row", async () => {
  const [comparison] = await json("compare", models.long, models.short, table);
  const [first] = await json("evaluate", models.long, table);
  const [second] = await json("evaluate", models.short, table);
  const { rows, difference } = comparison as { rows: number; difference: Record<string, number> };
  expect(rows).toBe(400);
  expect(comparison.first).toEqual({
    meanLogDensity: first.meanLogDensity,
    standardError: first.standardError,
  });
  expect(difference.mean).toBeCloseTo(Number(first.meanLogDensity) - Number(second.meanLogDensity), 10);
  expect(difference.standardError).toBeLessThan(Number(second.standardError));
});

it("says which model describes the rows better", async () => {
  const { out } = await pushforward(["compare", models.short, models.long, table]);
  const shape = out.replace(/-?\d+\.\d+/g, "#");
  expect(shape).toMatchInlineSnapshot(`
    "A      # ± # nats, short.safetensors
    B      # ± # nats, long.safetensors
    A - B  # ± # nats; A is higher in #% of 400 rows
    B describes these rows better: the difference is # standard errors.
    "
  `);
  const same = await pushforward(["compare", models.short, models.short, table]);
  expect(same.out).toContain("These rows do not show which model is better.");
  const equal = write("equal.csv", "x,y\n0.1,0.2\n0.1,0.2\n");
  const { out: ofEqualRows } = await pushforward(["compare", models.short, models.long, equal]);
  expect(ofEqualRows).toContain("These rows do not show which model is better.");
});

it("says of which model a warning is, and which log-densities are bounds", async () => {
  const labelled = write(
    "labelled.csv",
    points(60)
      .replace(/^x,y,payment/, "x,y,kind")
      .replaceAll(/,[\d.]+$/gm, (payment) => (payment === ",0" ? ",a" : ",b")),
  );
  const [bound, exact] = [path("bound.safetensors"), path("exact.safetensors")];
  const dequantized = ["--flow", "nice", "--transforms", "1", "--hidden", "4"];
  for (const words of [
    [...dequantized, "-o", bound],
    ["--no-kernel", "--budget", "small", "-o", exact],
  ])
    expect((await pushforward(["fit", labelled, "--epochs", "1", ...words])).code).toBe(0);
  const missing = write("missing.csv", "x,y,kind\n0.1,0.2,a\n0.1,0.2,c\n-0.4,0.1,b\n");
  const { err } = await pushforward(["compare", bound, exact, missing]);
  const lines = err.trimEnd().split("\n");
  expect(
    lines.every((line) => /^(Warning: )?[AB]: /.test(line)),
    err,
  ).toBe(true);
  const [comparison] = await json("compare", bound, exact, missing);
  expect(comparison).toMatchObject({ first: { isBound: true } });
  expect(comparison.second).not.toHaveProperty("isBound");
});

it("refuses models whose log-densities are not comparable", async () => {
  expect(await failure("compare", models.short, models.payments, table)).toMatchInlineSnapshot(`
    "2
    Error: The models have different columns: expected x, y, received x, y, payment.
    Log-densities of different columns are not comparable: fit both models to the same columns."
  `);
  expect(await failure("compare", models.default, models.payments, table)).toMatchInlineSnapshot(`
    "2
    Error: The log-densities of 134 rows are not comparable: in column "payment" one model has a probability for their values, and the other a density: received 0 in row 1.
    Fit both as default models with the same seed, or leave these rows out in a query."
  `);
});

it("compares rows in which all values have a density under both models", async () => {
  const rows = `FROM '${table}' WHERE payment > 0`;
  const { code, out } = await pushforward(["compare", models.default, models.payments, rows]);
  expect([code, out.split("\n").length]).toEqual([0, 5]);
});
