import { expect, test, vi } from "vitest";
import { serveApp } from "../../src/serve/http/app.ts";
import { servedModel } from "../../src/serve/servedModel.ts";
import { modelOfRows, rowsOfAllKinds } from "../flows/exportedTable.ts";

const rows = rowsOfAllKinds(50, 1).map(({ city, children }) => ({ city: city!, children: children! }));
const { flow, columns: table } = modelOfRows(rows);
const model = servedModel({ flow, table, columns: [], given: [] }, { threads: 1 });
const limits = { bytes: 1000, bytesInFlight: 1000, rows: 10 };

test("writes the error of a bug to standard error", async () => {
  const print = vi.spyOn(console, "error").mockImplementation(() => {});
  const bug = new TypeError("bug");
  const broken = { ...model, sample: () => Promise.reject(bug) };
  const app = serveApp(new Map([["broken", broken]]), limits);
  const response = await app.request("/models/broken/sample", { method: "POST" });
  expect([response.status, await response.json()]).toEqual([500, { error: "the server failed" }]);
  expect(print).toHaveBeenCalledWith(bug);
  print.mockRestore();
});

test("refuses a body for which there is no memory until another request is answered", async () => {
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const slow = {
    ...model,
    sample: async () => {
      await answered;
      return [];
    },
  };
  const app = serveApp(new Map([["slow", slow]]), limits);
  const request = (bytes: number) =>
    app.request("/models/slow/sample", {
      method: "POST",
      body: `{ "rows": 1 }${" ".repeat(bytes - 13)}`,
      headers: { "Content-Type": "application/json", "Content-Length": `${bytes}` },
    });
  const first = request(600);
  const refused = await request(600);
  expect([refused.status, refused.headers.get("Retry-After")]).toEqual([503, "1"]);
  const small = request(400);
  answer();
  expect([(await first).status, (await small).status, (await request(600)).status]).toEqual([200, 200, 200]);
  const body = new TransformStream<Uint8Array, Uint8Array>();
  const chunked = app.request("/models/slow/sample", {
    method: "POST",
    body: body.readable,
    duplex: "half",
    headers: { "Content-Type": "application/json", "Transfer-Encoding": "chunked" },
  } as RequestInit);
  expect((await request(600)).status).toBe(503);
  await body.writable.close();
  expect([(await chunked).status, (await request(600)).status, (await request(1001)).status]).toEqual([
    200, 200, 413,
  ]);
});

test("has an OpenAPI document whose references resolve for all names of models", async () => {
  const app = serveApp(new Map([["my model é", { ...model, anomalies: vi.fn() }]]), limits);
  const document = await (await app.request("/openapi.json")).json();
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
  expect(references.length).toBeGreaterThan(3);
  for (const path of references) {
    const found = path.split("/").reduce((object, key) => object?.[key], document);
    expect(Object.keys(found.properties)).toEqual(["city", "children"]);
  }
  const { sample, anomalies } = Object.fromEntries(
    Object.entries<{ post?: object }>(document.paths).map(([path, { post }]) => [
      path.split("/").at(-1),
      post,
    ]),
  );
  expect(sample).toMatchObject({
    requestBody: { required: false },
    responses: { 200: { content: { "text/csv": {}, "application/vnd.apache.arrow.stream": {} } } },
  });
  expect(anomalies).toMatchObject({
    requestBody: { required: true },
    parameters: [{ name: "count", in: "query" }, { name: "fdr" }],
  });
});
