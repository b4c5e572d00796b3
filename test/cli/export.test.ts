import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { Standardize } from "../../src/bijections/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow, forTables, maf } from "../../src/index.ts";
import { saveModel } from "../../src/open/index.ts";
import { modelOfAllKinds, rowsOfAllKinds } from "../flows/exportedTable.ts";
import { workplace } from "./command.ts";

const { path, write, pushforward, failure } = workplace();
const model = modelOfAllKinds();

beforeAll(async () => {
  const columns = ["lon", "lat"];
  await saveModel(path("numbers.safetensors"), {
    flow: forTables(maf(2, { transforms: 2, hidden: [4] })),
    columns,
  });
  const years = Standardize.of([2020, 0], [1e-6, 1]);
  await saveModel(path("fine.safetensors"), {
    flow: new Flow(new StandardNormal({ features: 2 }), years),
    columns,
  });
  await saveModel(path("table.safetensors"), model.contents);
});

const describeFiles = (directory: string) =>
  JSON.parse(readFileSync(path(`${directory}/model.json`), "utf8"));

describe("export", () => {
  test("writes the files of a model of numbers, and their description", async () => {
    const command = "export numbers.safetensors -o all --what latent,data,density,sampler --license MIT";
    const { code, err } = await pushforward(
      command.split(" ").map((word) => (/\.|^all$/.test(word) ? path(word) : word)),
    );
    expect({ code, err }).toEqual({
      code: 0,
      err: "Wrote latent.onnx, data.onnx, density.onnx, sampler.onnx, model.json to all\n",
    });
    const described = describeFiles("all");
    expect(Object.keys(described)).toEqual(["latent.onnx", "data.onnx", "density.onnx", "sampler.onnx"]);
    expect(described["density.onnx"].inputs).toEqual([
      { name: "x", meaning: "rows of the data", columns: ["lon", "lat"] },
    ]);
    const session = (name: string) => InferenceSession.create(path(`all/${name}.onnx`));
    const x = new Tensor("float32", Float32Array.of(0.5, -1, 2, 0.25), [2, 2]);
    const { z } = await (await session("latent")).run({ x });
    const { x: mapped } = await (await session("data")).run({ z: z! });
    Array.from(mapped!.data as Float32Array, (value, i) => expect(value).toBeCloseTo(x.data[i] as number, 5));
  });

  test("writes the files of a table and of an engine", async () => {
    const { code, err } = await pushforward([
      ..."export --what density --precision float64 --for dask".split(" "),
      path("table.safetensors"),
      "-o",
      path("table"),
    ]);
    expect({ code, err }).toEqual({
      code: 0,
      err: "Wrote density.onnx, model.json, score_dask.py to table\n",
    });
    expect(readFileSync(path("table/score_dask.py"), "utf8")).toMatch(
      /^"""Scores CSV files with density.onnx on Dask/,
    );
    expect(describeFiles("table")["density.onnx"].precision).toBe("float64");
  });

  test("writes a Python file that reads tables as pushforward does", async ({ skip }) => {
    const directory = path("table");
    await pushforward(["export", path("table.safetensors"), "-o", directory, "--for", "dask"]);
    const rows = rowsOfAllKinds(40, 3).map((row, n) => ({
      ...row,
      // Times without seconds, and booleans that are missing only in later rows, where a guess of the type would be wrong.
      hour: String(row.hour).slice(0, 5),
      isMember: n % 8 === 7 ? null : row.isMember,
    }));
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))] as (keyof (typeof rows)[number])[];
    const field = (value: unknown) =>
      value instanceof Date ? value.toISOString() : JSON.stringify(value ?? "");
    write(
      "rows.csv",
      [names, ...rows.map((row) => names.map((name) => row[name]))]
        .map((each) => each.map(field).join())
        .join("\n"),
    );
    const program = `
import sys
sys.path.insert(0, sys.argv[1])
import pandas as pd
import score_dask
density = sys.argv[1] + "/density.onnx"
table = pd.read_csv(sys.argv[2], dtype=score_dask.column_types(density), keep_default_na=False, na_values=[""])
print(*score_dask.log_density(density, table))`;
    const { status, stdout, stderr } = spawnSync(
      process.env.PYTHON ?? "/usr/bin/python3",
      ["-c", program, directory, path("rows.csv")],
      { encoding: "utf8" },
    );
    if (stderr.includes("ModuleNotFoundError")) skip("pandas or onnxruntime is missing");
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const received = stdout
      .trim()
      .split(" ")
      .map((text) => (text === "nan" ? Number.NaN : Number(text.replace("inf", "Infinity"))));
    const expected = await model.score(rows, { threads: 1 });
    expect(received).toHaveLength(rows.length);
    expect(received).toEqual(
      Array.from(expected, (value) => (Number.isFinite(value) ? expect.closeTo(value, 4) : value)),
    );
    expect(received.filter(Number.isFinite).length).toBeGreaterThan(20);
  });

  test("says what a model cannot export", async () => {
    const out = ["-o", path("none")];
    expect(
      await failure("export", path("table.safetensors"), ...out, "--what", "latent"),
    ).toMatchInlineSnapshot(`
      "2
      Error: --what latent needs a single flow of numeric columns: expected density or sampler, which are all that a default model, or a flow fitted with kinds of columns, exports.
      Fit a single flow: pushforward fit DATA --flow maf"
    `);
    expect(await failure("export", path("fine.safetensors"), ...out)).toMatchInlineSnapshot(`
      "2
      Error: float32 is too coarse for fine.safetensors: received column 0 of center 2020 and standard deviation 0.000001.
      Add --precision float64."
    `);
    expect(
      await failure("export", path("fine.safetensors"), ...out, "--what", "sampler", "--for", "dask"),
    ).toMatchInlineSnapshot(`
      "2
      Error: --for dask needs the density: expected density in --what, received sampler.
      Write --what density,sampler"
    `);
    expect(
      await failure("export", path("fine.safetensors"), ...out, "--what", "density", "--noise", "generated"),
    ).toMatchInlineSnapshot(`
      "2
      Error: --noise generated needs the sampler: expected sampler in --what, received density.
      Leave it out, or export the sampler too."
    `);
    expect(
      await failure("export", path("fine.safetensors"), ...out, "--what", "densty"),
    ).toMatchInlineSnapshot(`
      "2
      Error: --what cannot be densty: expected one of density, sampler, latent, data.
      Did you mean density?"
    `);
    expect(
      await failure("export", path("table.safetensors"), "-o", path("table/model.json")),
    ).toMatchInlineSnapshot(`
      "2
      Error: Cannot make the directory table/model.json: a file has this name.
      Choose another name, or remove the file."
    `);
  });
});
