import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeTable, openTable } from "../../src/tables/io/index.ts";

// Public tables that the project does not ship. PUSHFORWARD_DATA names a folder that has them: mixed/adult-train.csv.gz and so on.

const folder = process.env.PUSHFORWARD_DATA;
const path = (name: string) => join(folder ?? "", name);

/** The kind of each column. */
async function kinds(name: string, na: readonly string[] = []) {
  const table = await openTable(path(name), { na });
  const columns = await describeTable(table).finally(() => table.close());
  return Object.fromEntries(columns.map(({ name, options }) => [name, options.kind]));
}

const skipped = folder === undefined ? " (set PUSHFORWARD_DATA to run them)" : "";

describe.skipIf(folder === undefined)(`kinds of columns of public tables${skipped}`, () => {
  const table = (name: string, test: (name: string) => Promise<void>) =>
    it.skipIf(!existsSync(path(name)))(name, () => test(name));

  table("mixed/adult-train.csv.gz", async (name) => {
    expect(await kinds(name, ["?"])).toEqual({
      age: "integer",
      workclass: "categorical",
      fnlwgt: "positive",
      education: "categorical",
      education_num: "integer",
      marital_status: "categorical",
      occupation: "categorical",
      relationship: "categorical",
      race: "categorical",
      sex: "categorical",
      capital_gain: "integer",
      capital_loss: "integer",
      hours_per_week: "integer",
      native_country: "categorical",
      income: "categorical",
    });
  });

  table("mixed/beijing-pm25.csv.gz", async (name) => {
    expect(await kinds(name)).toEqual({
      timestamp: "timestamp",
      "pm2.5": "integer",
      DEWP: "integer",
      // A few values are interpolated to thirds.
      TEMP: "continuous",
      PRES: "continuous",
      cbwd: "categorical",
      Iws: "lattice",
      Is: "integer",
      Ir: "integer",
    });
  });

  table("misc/penguins.json", async (name) => {
    expect(await kinds(name)).toEqual({
      Species: "categorical",
      Island: "categorical",
      "Beak Length (mm)": "lattice",
      "Beak Depth (mm)": "lattice",
      "Flipper Length (mm)": "integer",
      "Body Mass (g)": "lattice",
      Sex: "categorical",
    });
  });

  table("mixed/german-credit.csv.gz", async (name) => {
    const found = await kinds(name);
    const integers = Object.keys(found).filter((column) => found[column] === "integer");
    expect(integers).toEqual([
      "duration_months",
      "amount",
      "installment_rate",
      "residence_since",
      "age",
      "existing_credits",
      "dependents",
      "credit_risk",
    ]);
    expect(Object.values(found).every((kind) => kind === "integer" || kind === "categorical")).toBe(true);
  });

  table("mixed/horse-colic.csv.gz", async (name) => {
    const opened = await openTable(path(name), { na: ["?"] });
    const columns = await describeTable(opened).finally(() => opened.close());
    expect(columns.filter(({ options }) => options.kind === "exclude")).toEqual([]);
    expect(columns.filter(({ missing }) => missing! > 0.5).map(({ name }) => name)).toEqual([
      "nasogastric_ph",
      "abdomen_appearance",
      "abdomen_protein",
    ]);
  });

  table("uci/ionosphere.csv", async (name) => {
    const { a1, a2, class: label, ...others } = await kinds(name);
    expect([a1, a2, label]).toEqual(["integer", "constant", "categorical"]);
    // Most columns have many rows at -1 and at 1.
    expect(Object.values(others).filter((kind) => kind === "bounded").length).toBeGreaterThan(20);
  });

  table("uci/energy.csv", async (name) => {
    expect(await kinds(name)).toEqual({
      X1: "lattice",
      X2: "lattice",
      X3: "lattice",
      X4: "lattice",
      X5: "lattice",
      X6: "integer",
      X7: "lattice",
      X8: "integer",
      Y1: "continuous",
    });
  });
});
