import { once } from "node:events";
import { connect } from "node:net";
import { tableFromIPC } from "@uwdata/flechette";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { ContextEmbedding, StandardNormal } from "../../src/distributions/index.ts";
import { Flow, forTables, type LoadedModel, maf, TableModel } from "../../src/index.ts";
import { serveApp } from "../../src/serve/http/app.ts";
import { arrow } from "../../src/serve/http/arrow.ts";
import { listen, type RunningServer } from "../../src/serve/http/listen.ts";
import { operationsOf, type ServedModel, servedModel } from "../../src/serve/servedModel.ts";
import { AnomalyScorer } from "../../src/tables/anomalies/anomalyScorer.ts";
import { decodeTable } from "../../src/tables/columns/decodeTable.ts";
import { encodeTable } from "../../src/tables/columns/encodeTable.ts";
import { modelOfAllKinds, modelOfRows, rowsOfAllKinds } from "../flows/exportedTable.ts";
import { perturb } from "../nn/perturb.ts";

const table = modelOfAllKinds();
const flow = forTables(maf(2, { transforms: 1, hidden: [4], context: 1 }));
perturb(flow.parameters(), 0.1);
flow.columns = ["a", "b"];
flow.contextColumns = ["c"];
const one = { threads: 1 };
const housesOf = (count: number, seed: number) =>
  rowsOfAllKinds(count, seed).map(({ city, children }) => ({
    city: city ?? null,
    children: children ?? null,
  }));
/** A model of the columns city and children, conditional on a number and a label. */
const conditional = modelOfRows(housesOf(100, 1), new ContextEmbedding({ numbers: 1, classes: [2] }));

/** A model of two columns with rows that anomalies are compared with. */
async function modelWithReference(): Promise<TableModel> {
  const model = modelOfRows(housesOf(100, 1));
  const { columns, flow } = model;
  const rows = (seed: number) => {
    const { values } = model.positionsOf(housesOf(60, seed));
    return new InMemoryDataset({ features: flow.features, values });
  };
  const split = { training: rows(1), validation: rows(2), test: rows(3) };
  const anomalies = await AnomalyScorer.fit(columns, flow, split, one);
  return new TableModel({ columns, flow, anomalies });
}

const models = new Map<string, ServedModel>([
  ["table", servedModel({ flow: table.flow, table: table.columns, columns: [], given: [] }, one)],
  ["flow", servedModel({ flow, columns: ["a", "b"], given: ["c"] }, one)],
  [
    "conditional",
    servedModel({ ...conditional.contents, given: ["age", "region"], labels: [["east", "west"]] }, one),
  ],
]);
let server: RunningServer;
const limits = { bytes: 40_000, bytesInFlight: 1_000_000, rows: 50 };

let compared: TableModel;

beforeAll(async () => {
  compared = await modelWithReference();
  models.set("compared", servedModel({ ...compared.contents, given: [] } as LoadedModel, one));
  server = await listen(serveApp(models, limits), { host: "127.0.0.1", port: 0, connections: 100 });
});
afterAll(() => server.close());

const request = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: isRaw ? (body as BodyInit) : JSON.stringify(body),
  });
  const type = response.headers.get("Content-Type") ?? "";
  const answer = type.includes("arrow")
    ? new Uint8Array(await response.arrayBuffer())
    : await response.text();
  return { status: response.status, answer: type.includes("json") ? JSON.parse(answer as string) : answer };
}

describe("a server of models", () => {
  test("scores rows as the model does, with null for missing log-densities", async () => {
    const rows = rowsOfAllKinds(3, 4);
    const sent = [...rows, { ...rows[0], share: 2 }, { ...rows[1], year: null }];
    const { status, answer } = await post("models/table/score", { rows: sent });
    const expected = await table.score(rows, one);
    expect(status).toBe(200);
    expect(answer.log_density).toEqual([...expected, "-Infinity", null]);
    const conditional = { rows: [{ a: 1, b: 2, c: 0.5 }] };
    expect((await post("models/flow/score", conditional)).answer.log_density).toEqual([
      ...(await flow.logProb([1, 2], [0.5], one)),
    ]);
  });

  test("scores values that are too large for float32", async () => {
    const [row] = rowsOfAllKinds(1, 4);
    const far = { ...row, amount: 1e39 };
    const [expected] = await table.score([far], { ...one, precision: "float64" });
    const { answer } = await post("models/table/score", { rows: [row, far] });
    expect(answer.log_density).toEqual([...(await table.score([row!], one)), expected]);
    expect(expected).toBeLessThan(-1e30);
    const conditional = { rows: [{ a: 1e39, b: 2, c: 0.5 }] };
    expect((await post("models/flow/score", conditional)).answer.log_density).toEqual([
      ...(await flow.logProb([1e39, 2], [0.5], { ...one, precision: "float64" })),
    ]);
  });

  test("draws and imputes rows as the model does", async () => {
    const drawn = await post("models/table/sample", { rows: 2, seed: 3, given: { city: "Zug" } });
    expect(drawn.answer.rows).toEqual(await table.sample(2, { seed: 3, given: { city: "Zug" } }));
    const gap = { ...rowsOfAllKinds(1, 5)[0], city: null };
    const imputed = await post("models/table/impute", { rows: [gap], seed: 1 });
    expect(imputed.answer.rows).toEqual(await table.impute([gap], { seed: 1 }));
    expect((await post("models/flow/sample", { given: { c: 1 } })).answer.rows).toEqual(
      await flow.sample(1, { context: [[1]], as: "objects" }),
    );
  });

  test("scores and draws rows of a table that are conditional on numbers and labels", async () => {
    const context = { age: 30, region: "west" };
    const rows = [...housesOf(3, 9), { city: null, children: 2.5 }, { city: "Bern", children: null }];
    const sent = { rows: rows.map((row) => ({ ...row, ...context })) };
    const { answer } = await post("models/conditional/score", sent);
    const { values } = encodeTable(conditional.columns, rows.slice(0, 3), ["city", "children"]);
    const expected = await conditional.flow.logProb(values, new Array(3).fill([30, 1]), one);
    expect(answer.log_density).toEqual([...expected, "-Infinity", null]);
    const drawn = await post("models/conditional/sample", { rows: 4, seed: 2, given: context });
    const features = await conditional.flow.sample(4, { seed: 2, context: [[30, 1]], ...one });
    expect(drawn.answer.rows).toEqual(decodeTable(conditional.columns, features));
    const refused = [
      await post("models/conditional/sample", {}),
      await post("models/conditional/sample", { given: { ...context, city: "Bern" } }),
      await post("models/conditional/score", { rows: [{ ...rows[0], age: 30, region: "north" }] }),
      await post("models/conditional/impute", sent),
    ];
    expect(refused.map(({ status, answer }) => `${status} ${answer.error}`)).toMatchInlineSnapshot(`
      [
        "400 a row has no valid value of "age": expected a number up to 3.4e+38, received nothing.",
        "400 the model cannot be conditional on "city": expected age, region.",
        "400 a row has no valid value of "region": expected one of east, west, received "north".",
        "400 the model cannot impute.
      Fit the table with the default model, which can impute.",
      ]
    `);
    expect(operationsOf(models.get("conditional")!)).toEqual(["score", "sample"]);
  });

  test("has no label for a missing value of the context, even if a label is the word null", async () => {
    const labels = [["undefined", "null"]];
    const model = servedModel({ ...conditional.contents, given: ["age", "region"], labels }, one);
    const [row] = housesOf(1, 9);
    for (const region of [{}, { region: null }]) {
      await expect(model.score([{ ...row, age: 30, ...region }])).rejects.toThrow(
        'no valid value of "region"',
      );
    }
    expect(await model.score([{ ...row, age: 30, region: "null" }])).toHaveLength(1);
  });

  test("finds anomalies as the model does", async () => {
    const rows = [...housesOf(3, 9), { city: "Bern", children: 99 }, { city: "Zug", children: null }];
    const { status, answer } = await post("models/compared/anomalies", { rows, count: 2 });
    const { anomalies, scores, pValues } = await compared.anomalies(rows, { count: 2, ...one });
    expect(status).toBe(200);
    expect(answer.anomaly_score).toEqual([...scores.subarray(0, 4), null]);
    expect(answer.p_value).toEqual([...pValues.subarray(0, 4), null]);
    expect(answer.anomalies).toEqual(
      anomalies.map(({ row, score, pValue, reasons }) => ({
        row,
        anomaly_score: score,
        p_value: pValue,
        reasons,
      })),
    );
    const fewer = await post("models/compared/anomalies", { rows, fdr: 0.01 });
    expect(fewer.answer).toMatchObject({ calibration_rows: 60, discoveries: 0, anomalies: [] });
    const half = await post("models/compared/anomalies", { rows, fdr: 0.5 });
    expect(half.answer.discoveries).toBeGreaterThanOrEqual(1);
    expect(half.answer.anomalies).toContainEqual(
      expect.objectContaining({ row: 3, reasons: expect.arrayContaining([expect.anything()]) }),
    );
  });

  test("a model without conditional distributions or reference rows can do less", () => {
    const normal = new Flow(new StandardNormal({ features: table.flow.features }));
    const model = { flow: normal, table: table.columns, columns: [], given: [] };
    expect(operationsOf(servedModel(model, one))).toEqual(["score", "sample"]);
    expect(operationsOf(models.get("table")!)).toEqual(["score", "sample", "impute"]);
    expect(operationsOf(models.get("compared")!)).toEqual(["score", "sample", "impute", "anomalies"]);
  });

  test("takes and returns CSV", async () => {
    const csv = { "Content-Type": "text/csv" };
    const { answer } = await post("models/flow/score", 'a,"b",c,other\n1,2,0.5,x\n1,2,0.5,"y,z"\n', csv);
    const [score] = await flow.logProb([1, 2], [0.5], one);
    expect(answer).toBe(`log_density\n${score}\n${score}\n`);
    expect((await post("models/flow/score", "a, b,c \n1,2,0.5\n", csv)).answer).toBe(
      `log_density\n${score}\n`,
    );
    const sampled = await post("models/flow/sample", { rows: 2, given: { c: 1 } }, { Accept: "text/csv" });
    expect(sampled.answer).toMatch(/^a,b\n-?[\d.e-]+,-?[\d.e-]+\n-?[\d.e-]+,-?[\d.e-]+\n$/);
  });

  test("takes and returns Arrow, with options as query parameters", async () => {
    const sent = { "Content-Type": "application/vnd.apache.arrow.stream" };
    const rows = rowsOfAllKinds(3, 6);
    const { columns } = models.get("table")!;
    const scores = tableFromIPC((await post("models/table/score", arrow.write(columns, rows), sent)).answer);
    expect(scores.toColumns()).toEqual({ log_density: await table.score(rows, one) });
    const gaps = rows.map((row) => ({ ...row, city: null }));
    const imputed = await post("models/table/impute?seed=4", arrow.write(columns, gaps), sent);
    expect(arrow.read(imputed.answer, columns, 3)).toEqual(await table.impute(gaps, { seed: 4, ...one }));
    const houses = arrow.write(models.get("compared")!.columns, housesOf(3, 6));
    const found = await post("models/compared/anomalies?count=1", houses, {
      ...sent,
      Accept: "text/csv",
    });
    expect(found.answer.split("\n").map((line: string) => line.split(",").length)).toEqual([3, 3, 3, 3, 1]);
    expect(found.answer).toMatch(/^anomaly_score,p_value,reason\n/);
    expect(await post("models/table/impute?sed=4", arrow.write(columns, gaps), sent)).toMatchInlineSnapshot(`
      {
        "answer": {
          "code": "DATA",
          "error": "the query string is not valid: expected seed, received sed (did you mean seed?).",
        },
        "status": 400,
      }
    `);
  });

  test("describes itself", async () => {
    expect(await (await request("health")).json()).toMatchObject({
      status: "ok",
      models: ["table", "flow", "conditional", "compared"],
    });
    const { paths } = await (await request("openapi.json")).json();
    expect(Object.keys(paths)).toMatchInlineSnapshot(`
      [
        "/health",
        "/models",
        "/models/table",
        "/models/table/score",
        "/models/table/sample",
        "/models/table/impute",
        "/models/flow",
        "/models/flow/score",
        "/models/flow/sample",
        "/models/conditional",
        "/models/conditional/score",
        "/models/conditional/sample",
        "/models/compared",
        "/models/compared/score",
        "/models/compared/sample",
        "/models/compared/impute",
        "/models/compared/anomalies",
      ]
    `);
    expect((await (await request("models/table")).json()).columns[0]).toMatchInlineSnapshot(`
      {
        "details": "Bern, Basel, Zug",
        "kind": "categorical",
        "name": "city",
        "type": "text",
      }
    `);
    const page = await request("/");
    expect(await page.text()).toContain("<option>table</option>");
    expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'self'");
    expect((await request("page.js")).headers.get("Content-Type")).toContain("javascript");
  });

  test("refuses what is malformed, too large or not there, and keeps answering", async () => {
    const big = JSON.stringify({ rows: [{ a: 1, b: 2, c: 0, padding: "x".repeat(limits.bytes) }] });
    const answers = [
      await post("models/flow/score", "{"),
      await post("models/flow/score", { rows: [] }),
      await post("models/flow/score", { rows: [{ a: 1, b: "two", c: 0 }] }),
      await post("models/flow/score", { rows: [{ a: 1, b: { deep: [] }, c: 0 }] }),
      await post("models/flow/score", { rows: new Array(51).fill({ a: 1, b: 2, c: 0 }) }),
      await post("models/flow/score", "a,b,c\n1,2", { "Content-Type": "text/csv" }),
      await post("models/flow/score", "a,b,c\n1,2,three", { "Content-Type": "text/csv" }),
      await post("models/flow/score", "a;b;c\n1;2;3", { "Content-Type": "text/csv" }),
      await post("models/flow/sample", { rows: 1e9, given: { c: 1 } }),
      await post("models/flow/sample", { given: { a: 1 } }),
      await post("models/flow/sample", { given: { c: 1e300 } }),
      await post("models/flow/score", `${"[".repeat(15_000)}${"]".repeat(15_000)}`),
      await post("models/flow/impute", { rows: [{ a: 1 }] }),
      await post("models/flow/anomalies", { rows: [{ a: 1 }] }),
      await post("models/compared/anomalies", { rows: housesOf(1, 1), count: 1000 }),
      await post("models/flow/score", "a,b,c\n1,2,3", {
        "Content-Type": "application/vnd.apache.arrow.stream",
      }),
      await post("models/table/score", { rows: [{ city: "Bern" }] }),
      await post("models/table/score", {
        rows: rowsOfAllKinds(1, 1).map((row) => ({ ...row, amount: "much" })),
      }),
      await post("models/flow/score", big),
      await post("models/constructor/score", { rows: [{}] }),
      await post("models/..%2f..%2fetc%2fpasswd/score", { rows: [{}] }),
      await post("nowhere", {}),
    ];
    expect(
      answers.map(
        ({ status, answer }) => `${status} ${answer.error.split("\n")[0].replace(/JSON: .*/, "JSON: ...")}`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "400 the body is not JSON: ...",
        "400 the body is not valid at rows: expected a list of at least 1, received [].",
        "400 a row has no valid value of "b": expected a finite number, received "two".",
        "400 the body is not valid at rows.0.b: expected a number, a string, true, false or null, received {"deep":[]}.",
        "400 the request has too many rows: expected at most 50, received 51.",
        "400 row 0 of the CSV has a different number of fields from the header: expected 3, received 2.",
        "400 column "c" of the CSV has a value that is not a number: received three.",
        "400 the CSV has no column of the model: expected some of "a", "b", "c", received "a;b;c".",
        "400 the request has too many rows: expected at most 50, received 1000000000.",
        "400 the model cannot be conditional on "a": expected c.",
        "400 a row has no valid value of "c": expected a number up to 3.4e+38, received 1e+300.",
        "400 the body is not valid: expected an object, received a value that is nested too deeply.",
        "400 the model cannot impute.",
        "400 the model cannot find anomalies.",
        "400 the body is not valid at count: expected at most 100, received 1000.",
        "400 the body is not a valid Arrow stream.",
        "400 the rows have no column "amount": expected city, amount, share, income, children, price, level, isMember, since, seen, month, hour, country, year, received city.",
        "400 column "amount" has a different type from the training table: expected numbers, received text, such as "much".",
        "413 the body has more than 40000 bytes",
        "404 there is no such model",
        "404 there is no such model",
        "404 there is no such path",
      ]
    `);
    expect((await post("models/flow/score", { rows: [{ a: 1, b: 2, c: 0 }] })).status).toBe(200);
  });

  test("names the method that a path takes", async () => {
    const answers = [
      await request("models/flow/score"),
      await request("models/flow/score", { method: "DELETE" }),
      await request("models/flow", { method: "POST" }),
      await request("health", { method: "PUT" }),
    ];
    expect(answers.map(({ status, headers }) => [status, headers.get("Allow")])).toEqual([
      [405, "POST"],
      [405, "POST"],
      [405, "GET"],
      [405, "GET"],
    ]);
    expect(await answers[0]!.json()).toEqual({ error: "the path takes only POST" });
    expect((await request("health", { method: "HEAD" })).status).toBe(200);
  });

  test("shows a query parameter that is not a number", async () => {
    const { answer } = await post("models/compared/anomalies?count=five", "city,children\nBern,2\n", {
      "Content-Type": "text/csv",
    });
    expect(answer.error).toMatchInlineSnapshot(
      `"the query string is not valid at count: expected a number, received "five"."`,
    );
  });

  test("refuses query parameters of requests in JSON", async () => {
    const rows = housesOf(1, 6);
    const refused = [
      await post("models/compared/anomalies?count=5", { rows }),
      await post("models/table/sample?rows=2", {}),
    ];
    expect(refused.map(({ status, answer }) => [status, answer.error])).toMatchInlineSnapshot(`
      [
        [
          400,
          "a request with a body in JSON has no query parameters: received count.
      Write the options into the body.",
        ],
        [
          400,
          "a request with a body in JSON has no query parameters: received rows.
      Write the options into the body.",
        ],
      ]
    `);
  });

  test("survives clients that disconnect in the middle", async () => {
    const { hostname, port } = new URL(server.url);
    const print = vi.spyOn(console, "error").mockImplementation(() => {});
    for (let i = 0; i < 20; i++) {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      const begin =
        i % 2 === 0 ? "Content-Length: 1000\r\n\r\n{" : "Transfer-Encoding: chunked\r\n\r\n1\r\n{";
      socket.write(`POST /models/flow/score HTTP/1.1\r\nHost: localhost\r\n${begin}`);
      socket.destroy();
    }
    const controller = new AbortController();
    const aborted = request("models/table/sample", { method: "POST", body: "{}", signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toThrow();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => post("models/flow/score", { rows: [{ a: n / 50, b: 1, c: 0 }] })),
    );
    const expected = await flow.logProb(
      Array.from({ length: 100 }, (_, n) => [n / 50, 1]),
      new Array(100).fill([0]),
      one,
    );
    answers.forEach(({ status, answer }, n) => {
      expect(status).toBe(200);
      expect(answer.log_density[0]).toBeCloseTo(expected[n]!, 4);
    });
    expect(print).not.toHaveBeenCalled();
    print.mockRestore();
  });
});
