import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { correlated, QUICK, quickModel, start, workplace } from "./command.ts";

const place = workplace();
const { path, write, pushforward, json, failure } = place;

let data: string;
let model: string;
let rows: Record<string, unknown>;
beforeAll(async () => {
  data = write("data.csv", correlated(60));
  model = await quickModel(place, data, "model");
  [rows] = (await json("evaluate", model, data)) as [Record<string, unknown>];
});

it("reads several files, or all files that match a pattern, as one table", async () => {
  const [header, ...lines] = correlated(60).trimEnd().split("\n");
  for (const part of [0, 1, 2])
    write(`part${part}.csv`, [header, ...lines.slice(20 * part, 20 * part + 20), ""].join("\n"));
  expect(await json("evaluate", model, path("part*.csv"))).toEqual([rows]);
  const parts = [0, 1, 2].map((part) => path(`part${part}.csv`));
  expect(await json("evaluate", model, ...parts)).toEqual([rows]);
  expect((await pushforward(["score", model, ...parts, "-o", path("parts.csv")])).code).toBe(0);
  await pushforward(["score", model, data, "-o", path("whole.csv")]);
  expect(readFileSync(path("parts.csv"))).toEqual(readFileSync(path("whole.csv")));
  for (const [name, tables] of [
    ["whole", [data]],
    ["parts", parts],
  ] as const) {
    const fitted = await pushforward(["fit", ...tables, ...QUICK, "-o", path(`${name}.safetensors`)]);
    expect(fitted.code).toBe(0);
  }
  expect(readFileSync(path("parts.safetensors"))).toEqual(readFileSync(path("whole.safetensors")));
});

it("scores each file by itself into a directory, with the directories below a common one", async () => {
  const [header, ...lines] = correlated(60).trimEnd().split("\n");
  for (const [i, name] of ["year=1/a.csv", "year=2/a.csv", "year=2/b.csv"].entries()) {
    mkdirSync(path(`parts/${name}/..`), { recursive: true });
    write(`parts/${name}`, [header, ...lines.slice(20 * i, 20 * i + 20), ""].join("\n"));
  }
  const onStopMessage = vi.fn();
  const words = ["score", model, path("parts/*/*.csv"), "-o", path("scored/")];
  const { code, err } = await pushforward(words, { onStopMessage });
  expect({ code, err }).toMatchInlineSnapshot(`
    {
      "code": 0,
      "err": "Wrote 20 rows with log_density to scored/year=1/a.csv
    Wrote 20 rows with log_density to scored/year=2/a.csv
    Wrote 20 rows with log_density to scored/year=2/b.csv
    Wrote 60 rows in 3 files
    ",
    }
  `);
  expect(onStopMessage).toHaveBeenLastCalledWith({
    what: `Stopped; the files that were finished are in ${path("scored/")}`,
    hint: "Run the command again.",
  });
  await pushforward(["score", model, data, "-o", path("all.csv")]);
  const scored = ["year=1/a.csv", "year=2/a.csv", "year=2/b.csv"].flatMap((name) =>
    readFileSync(path(`scored/${name}`), "utf8")
      .trimEnd()
      .split("\n")
      .slice(1),
  );
  expect(scored).toEqual(readFileSync(path("all.csv"), "utf8").trimEnd().split("\n").slice(1));
  const twice = [path("parts/year=1/a.csv"), path("parts/year=2/../year=1/a.csv")];
  expect((await pushforward(["score", model, ...twice, "-o", path("once/")])).err).toMatch(
    /\nWrote 20 rows in 1 file\n$/,
  );
  const [outer, inner] = [path("parts/year=2/a.csv"), path("parts/year=2/deep/year=2/a.csv")];
  mkdirSync(dirname(inner), { recursive: true });
  copyFileSync(outer, inner);
  const replacing = await failure("score", model, outer, inner, "-o", path("parts/year=2/deep/year=2/"));
  expect(replacing).toContain("a.csv would be replaced by the scores of parts/year=2/a.csv.");
  rmSync(path("parts/year=2/deep"), { recursive: true });
  expect([
    await failure("score", model, path("parts/*/*.csv"), "-o", path("parts/")),
    await failure("score", model, "SELECT 1 AS a, 2 AS b", "-o", path("scored/")),
    await failure("score", model, "-", "-o", path("scored/")),
    await failure("score", model, path("nothing/*.csv"), "-o", path("scored/")),
  ]).toMatchInlineSnapshot(`
    [
      "2
    Error: parts/year=1/a.csv would be replaced by its scores.
    Write them to another directory.",
      "2
    Error: The output scored/ is a directory: expected a file for the result of a query.
    Give the name of a file: -o scored.parquet",
      "2
    Error: The output scored/ is a directory: expected a file for the rows of standard input.
    Give the name of a file: -o scored.parquet",
      "2
    Error: No file matches nothing/*.csv.
    Check the pattern.",
    ]
  `);
});

describe("standard input", () => {
  it.each([
    ["gzipped CSV", () => gzipSync(correlated(60))],
    ["CSV with tabs", () => correlated(60).replaceAll(",", "\t")],
    [
      "JSON Lines",
      () =>
        correlated(60)
          .split("\n")
          .slice(1, -1)
          .map((line) => `{"a": ${line.replace(",", ', "b": ')}}\n`)
          .join(""),
    ],
  ])("is read as %s", async (_, input) => {
    const { out, err } = await start(["evaluate", model, "-", "--json"], { input: input() }).ended;
    expect(err).toBe("");
    expect(JSON.parse(out)).toEqual(rows);
  });

  it("is named in errors, but not in the commands to run next", async () => {
    const refused = await start(["evaluate", model, "-"], { input: "a,b\n1,2\n3\n" }).ended;
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toMatchInlineSnapshot(`
      "Error: Standard input is malformed in line 3: expected 2 fields as in the first line, received 1 (3).
      Correct or remove the line. If the file begins with a title or comments, remove those lines.
      "
    `);
    const fitted = await start(["fit", "-", ...QUICK, "-o", path("in.safetensors")], {
      input: correlated(60),
    }).ended;
    expect(fitted.out).toContain(`score ${path("in.safetensors")} DATA -o scored.csv`);
  });
});

describe("--na", () => {
  const gaps = () =>
    correlated(60)
      .replace("\n0.0000,", "\nNA,")
      .replace(/,[^,\n]*\n$/, ",-999.0\n");

  it("reads values as missing in every command that takes a table", async () => {
    const table = write("gaps.csv", gaps());
    const refused = await pushforward(["fit", table, ...QUICK, "-o", path("na.safetensors")]);
    expect(refused.err).toContain("or read it as missing (--na NA).");
    const fitted = await pushforward([
      "fit",
      table,
      ...QUICK,
      "-o",
      path("na.safetensors"),
      "--na",
      "NA,-999",
    ]);
    expect(fitted.err).toContain("2 of 60 rows are left out because a value is missing");
    expect(fitted.out).toContain(`score na.safetensors gaps.csv --na NA,-999 -o scored.csv`);
    expect(await json("evaluate", model, table, "--na", "NA,-999")).toMatchObject([{ rows: 58 }]);
    const scored = await pushforward(["score", model, table, "--na", "NA,-999", "-o", path("scored.csv")]);
    expect(scored.err).toContain("2 of 60 rows have no log-density because a value is missing");
  });

  it("applies to a table in --given too", async () => {
    const conditional = await quickModel(place, data, "conditional", "--given", "b");
    const given = write("given.csv", "b\n1\n-999\n");
    const { code, out, err } = await pushforward(["sample", conditional, "--given", given, "--na", "-999"]);
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n")).toHaveLength(2);
    expect(err).toMatchInlineSnapshot(`
      "Warning: 1 of 2 rows in --given is left out because a value is missing.
      "
    `);
  });
});

it("learns all columns except those of --exclude", async () => {
  const table = write("three.csv", "a,b,place\n1,2,Rome\n2,4,Oslo\n4,1,Lima\n");
  const learn = async (...options: string[]) => {
    const [done] = (await json("fit", table, ...QUICK, "-o", path("three.safetensors"), ...options)).slice(
      -1,
    );
    return done?.columns;
  };
  expect(await learn("--exclude", "place")).toEqual(["a", "b"]);
  expect(await learn("--columns", "a,b", "--exclude", "a")).toEqual(["b"]);
  expect(await learn("--exclude", "a", "--given", "place")).toEqual(["b"]);
});
