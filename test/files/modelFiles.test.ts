import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { expect, test, vi } from "vitest";
import { Actnorm, Chain } from "../../src/bijections/index.ts";
import { type CustomKind, StandardNormal } from "../../src/distributions/index.ts";
import { Flow, nsf } from "../../src/flows/index.ts";
import { loadModel, saveModel } from "../../src/open/index.ts";
import { encodeWithChecksum } from "../../src/parts/checksum.ts";
import { encodeModel } from "../../src/tables/model/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

const loaded = vi.hoisted(() => [] as string[]);
vi.mock("@duckdb/node-api", async (original) => {
  loaded.push("duckdb");
  return original();
});

const { path: at } = temporaryDirectory();
const flow = nsf(2, { transforms: 1, hidden: [4], context: 1 });

test("saveModel and loadModel preserve a model, without loading DuckDB", async () => {
  const path = at("flow.safetensors");
  await writeFile(path, "something old");
  await saveModel(path, { flow });
  expect(new Uint8Array(await readFile(path))).toEqual(encodeModel({ flow }));
  expect((await readdir(dirname(path))).filter((name) => name.includes("tmp"))).toEqual([]);
  const model = await loadModel(path);
  expect(model).toMatchObject({ columns: ["x1", "x2"], given: ["c1"] });
  expect(await model.flow.logProb([1, 2], [3])).toEqual(await flow.logProb([1, 2], [3]));
  expect(loaded).toEqual([]);
});

test("models with custom classes are loaded with their kinds", async () => {
  class Own extends Actnorm {
    override describe() {
      return { type: "own", features: this.features };
    }
  }
  const kinds: CustomKind[] = [{ bijection: "own", build: ({ features }) => new Own({ features }) }];
  const own = new Flow(new StandardNormal({ features: 2 }), new Chain([new Own({ features: 2 })]));
  const path = at("own.safetensors");
  await expect(saveModel(path, { flow: own })).rejects.toMatchObject({ code: "ARGUMENT" });
  await saveModel(path, { flow: own }, { kinds });
  expect((await loadModel(path, { kinds })).flow.describe()).toEqual(own.describe());
  await expect(loadModel(path)).rejects.toMatchObject({
    code: "MODEL",
    message: expect.stringContaining(`${path}: `),
  });
});

test("errors contain the path of the file", async () => {
  const damaged = at("damaged.safetensors");
  await writeFile(damaged, encodeModel({ flow }).subarray(0, 300));
  await expect(loadModel(damaged)).rejects.toMatchObject({
    code: "MODEL",
    message: expect.stringContaining(damaged),
  });
  await writeFile(damaged, encodeWithChecksum(new Map(), { pushforward: '{"format":7,"columns":5}' }));
  await expect(loadModel(damaged)).rejects.toMatchObject({
    message: expect.stringContaining(damaged),
    path: "flow",
    expected: "an object",
    received: "nothing",
  });
  await expect(loadModel(at("flw.safetensors"))).rejects.toMatchObject({
    code: "FILE",
    hint: "Did you mean flow.safetensors?",
  });
  await expect(saveModel(at("no/flow.safetensors"), { flow })).rejects.toMatchObject({ code: "FILE" });
});
