import { expect, it } from "vitest";
import { correlated, QUICK, workplace } from "./command.ts";

const { path, write, list, failure, pushforward } = workplace();

/** The error of `fit` for a table. It may leave no file behind. */
async function fitting(source: string, ...options: string[]): Promise<string> {
  const before = list();
  const quick = options.includes("--flow") ? [] : QUICK;
  const text = await failure("fit", source, "-o", path("model.safetensors"), ...quick, ...options);
  expect(list()).toEqual(before);
  return text;
}

it("refuses a table that is missing, empty, or too short", async () => {
  write("quakes.csv", "a,b\n1,2\n");
  expect(await fitting(path("quaks.csv"))).toMatchInlineSnapshot(`
    "2
    Error: There is no file quaks.csv.
    Did you mean quakes.csv?"
  `);
  expect(await fitting(path("nothing.parquet"))).toMatchInlineSnapshot(`
    "2
    Error: There is no file nothing.parquet.
    Check the path."
  `);
  expect(await fitting(write("empty.csv", ""))).toMatchInlineSnapshot(`
    "2
    Error: empty.csv is empty: expected a table.
    Correct the table or the query, and run the command again."
  `);
  expect(await fitting(write("header.csv", "a,b\n"))).toMatchInlineSnapshot(`
    "2
    Error: header.csv has too few rows to fit: expected at least 2 rows, received 0.
    Give a table with more rows."
  `);
  expect(await fitting(path("quakes.csv"))).toMatchInlineSnapshot(`
    "2
    Error: quakes.csv has too few rows to fit: expected at least 2 rows, received 1.
    Give a table with more rows."
  `);
  expect(await fitting(write("one.csv", "a,b\n1,2\n,3\n4,\n"))).toMatchInlineSnapshot(`
    "2
    Error: one.csv has too few rows to fit: expected at least 2 complete rows, received 1 (2 more have a missing value).
    Fill in missing values, or choose columns without missing values: --columns a,b"
  `);
  expect(
    await fitting(write("picture.csv", new Uint8Array([137, 80, 78, 71, 0, 1, 2]))),
  ).toMatchInlineSnapshot(`
    "2
    Error: --flow nsf cannot learn images: expected one of glow, realnvp, nice, tarflow, image-transformer, vae.
    For example: --flow glow"
  `);
});

it("refuses tables of constants, and columns that are infinite or not numeric", async () => {
  const constant = write("constant.csv", "a,b\n1,2\n1,2\n1,2\n");
  expect(await fitting(constant)).toMatchInlineSnapshot(`
    "2
    Error: All columns of constant.csv are constant: expected at least two different values, received 1, 2 in all 3 rows.
    Give a column that varies."
  `);
  expect(await fitting(constant, "--columns", "b")).toMatchInlineSnapshot(`
    "2
    Error: The column "b" of constant.csv is constant: expected at least two different values, received 2 in all 3 rows.
    Give a column that varies."
  `);
  expect(await fitting(write("infinite.csv", "a,b\n1,2\n2,inf\n3,4\n"))).toMatchInlineSnapshot(`
    "2
    Error: The column "b" of infinite.csv is infinite in row 2: expected finite numbers, received Infinity.
    Correct the value, or replace it by an empty field, which counts as missing."
  `);
  expect(
    await fitting(write("text.csv", "a,place,b\n1,Rome,2\n2,Oslo,3\n3,Lima,5\n"), "--flow", "cnf"),
  ).toMatchInlineSnapshot(`
    "2
    Error: text.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "place" (VARCHAR).
    Choose among the numeric columns: --columns a,b, or learn them for each label: --given place"
  `);
  expect(await fitting(write("stray.csv", "a,b\n1,2\nn/a,3\n3,5\n"))).toMatchInlineSnapshot(`
    "2
    Error: stray.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" ('n/a' in row 2).
    Correct the value, or read it as missing (--na n/a). Choose among the numeric columns: --columns b"
  `);
  expect(
    await fitting(write("comma.csv", 'place,"x,y",b\nRome,1,2\nOslo,2,3\n'), "--flow", "cnf"),
  ).toMatchInlineSnapshot(`
    "2
    Error: comma.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "place" (VARCHAR).
    Choose among the numeric columns: --columns '"x,y",b', or learn them for each label: --given place"
  `);
});

it("refuses columns that cannot be chosen", async () => {
  const table = write("choice.csv", "lon,lat,mag\n1,2,3\n2,4,1\n3,1,2\n");
  expect(await fitting(table, "--columns", "lon,latt")).toMatchInlineSnapshot(`
    "2
    Error: choice.csv has no column "latt": expected one of "lon", "lat", "mag".
    Did you mean "lat"?"
  `);
  expect(await fitting(table, "--columns", "lon,lon")).toMatchInlineSnapshot(`
    "2
    Error: The column "lon" is chosen twice.
    Choose each column once."
  `);
  expect(await fitting(table, "--exclude", "latt")).toMatchInlineSnapshot(`
    "2
    Error: choice.csv has no column "latt": expected one of "lon", "lat", "mag".
    Did you mean "lat"?"
  `);
  expect(await fitting(table, "--columns", "lon,lat", "--exclude", "lat,lon")).toMatchInlineSnapshot(`
    "2
    Error: --exclude leaves no column of choice.csv to learn.
    Name fewer columns in --exclude."
  `);
  expect(await fitting(table, "--exclude", "mag", "--given", "mag")).toMatchInlineSnapshot(`
    "2
    Error: The column "mag" is both in --exclude and in --given.
    Remove it from one of them."
  `);
  expect(await fitting(table, "--given", "depth")).toMatchInlineSnapshot(`
    "2
    Error: choice.csv has no column "depth": expected one of "lon", "lat", "mag".
    Correct the name."
  `);
  expect(await fitting(table, "--columns", "lon,mag", "--given", "mag")).toMatchInlineSnapshot(`
    "2
    Error: The column "mag" is both in --columns and in --given.
    Remove it from one of them: --columns lon"
  `);
  expect(await fitting(table, "--given", "lon,lat,mag")).toMatchInlineSnapshot(`
    "2
    Error: --given leaves no column of choice.csv to learn.
    Name fewer columns in --given."
  `);
  const given = write("given.csv", "a,b\n1,7\n2,7\n3,7\n");
  expect(await fitting(given, "--given", "b")).toMatchInlineSnapshot(`
    "2
    Error: The column "b" of given.csv is constant: expected at least two different values, received 7 in all 3 rows.
    Leave it out of --given."
  `);
});

it("refuses tables with duplicate column names, and malformed tables", async () => {
  expect(await fitting(write("twice.csv", "a,b,a\n1,2,3\n4,5,6\n"))).toMatchInlineSnapshot(`
    "2
    Error: Two columns of twice.csv have the same name: expected names that differ in more than upper and lower case, received "a" in columns 1 and 3.
    Rename one of them in the first line of the file."
  `);
  expect(await fitting(write("ragged.csv", "a,b\n1,2\n3,4,5\n"))).toMatchInlineSnapshot(`
    "2
    Error: ragged.csv is malformed in line 3: expected 2 fields as in the first line, received 3 (3,4,5).
    Correct or remove the line. If the file begins with a title or comments, remove those lines."
  `);
  expect(await fitting("SELECT nothing FROM 'no.csv'")).toMatchInlineSnapshot(`
    "2
    Error: DuckDB cannot read the query (No files found that match the pattern "no.csv").
    Correct the table or the query, and run the command again."
  `);
});

it("learns columns with any name", async () => {
  const names = ['"x, y"', '"say ""hi"""', "größe", "select * from t; --", "a'b", " c "];
  const rows = correlated(30)
    .split("\n")
    .slice(1, -1)
    .map((line, i) => [line, line, i % 7, (i * i) % 11].join(","));
  const table = write("names.csv", [names.join(","), ...rows, ""].join("\n"));
  const model = path("names.safetensors");
  const { code, err } = await pushforward(["fit", table, ...QUICK, "-o", model]);
  expect(err.split("\n").filter((line) => line.startsWith("Error"))).toEqual([]);
  expect(code).toBe(0);
  const chosen = ["--columns", '"x, y",größe,"say ""hi"""', "--given", "select * from t; --"];
  expect((await pushforward(["fit", table, ...QUICK, "-o", model, ...chosen])).code).toBe(0);
  const inspected = JSON.parse((await pushforward(["inspect", model, "--json"])).out);
  expect(inspected).toMatchObject({ columns: ["x, y", "größe", 'say "hi"'], given: ["select * from t; --"] });
  const scored = await pushforward(["score", model, table, "-o", path("names.scored.csv")]);
  expect(scored.err).toContain("Wrote 30 rows with log_density to names.scored.csv\n");
  const { out } = await pushforward(["sample", model, "-n", "2", "--given", "select * from t; --=3"]);
  expect(out.split("\n")[0]).toBe('"x, y",größe,"say ""hi""",select * from t; --');
});

it("warns of columns of text that are mostly numbers, and refuses spreadsheets", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${Math.sin(i)},${i % 9 === 0 ? "?" : i % 5}`);
  const table = write("words.csv", ["a,b", ...rows, ""].join("\n"));
  const { code, err } = await pushforward(["fit", table, "--epochs", "1", "-o", path("words.safetensors")]);
  expect(code).toBe(0);
  expect(err).toContain(`Warning: The column "b": mostly numbers, but also '?', so taken as labels`);
  const commas = rows.map((row) => row.replace(",", ";").replace(".", ","));
  const european = write(
    "european.csv",
    ["a;b", ...commas.map((row) => row.replace(/;.*/, ";Bern")), ""].join("\n"),
  );
  expect(
    await failure("fit", european, "--exclude", "b", "-o", path("e.safetensors")),
  ).toMatchInlineSnapshot(`
    "2
    Error: european.csv has no column that a model can learn: received "a": text whose values are nearly all different (40 in 40 rows).
    The column "a": numbers with commas, left out: --decimal "," reads decimal commas of a CSV file."
  `);
  const book = write("book.xlsx", "PK");
  expect(await failure("fit", book, "-o", path("book.safetensors"))).toContain(
    "book.xlsx is a spreadsheet, which cannot be read",
  );
});
