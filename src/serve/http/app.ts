import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import { PushforwardError } from "../../check/index.ts";
import { VERSION } from "../../package/index.ts";
import type { TableRow } from "../../tables/columns/index.ts";
import { operationsOf, type ServedColumn, type ServedModel } from "../index.ts";
import { ANOMALY_COLUMNS, anomalyAnswer, anomalyRows } from "./anomalyAnswer.ts";
import {
  answerFormat,
  jsonNumber,
  OPTIONS,
  type RequestContent,
  type RequestLimits,
  rowsOf,
  sampleOf,
} from "./bodies.ts";
import { BusyError, CallQueue } from "./callQueue.ts";
import { openApi } from "./openApi.ts";
import { PAGE_SCRIPT, page } from "./page.ts";
import { ScoreQueue } from "./scoreQueue.ts";

/** Limits of a server. */
export interface ServeLimits extends RequestLimits {
  /** The largest body of a request, in bytes. */
  readonly bytes: number;
  /** The largest sum of the bodies of all requests that have no answer yet, in bytes; at least `bytes`. */
  readonly bytesInFlight: number;
}

/** A served model with the requests that wait for it. */
interface Entry {
  readonly model: ServedModel;
  readonly scores: ScoreQueue;
  readonly calls: CallQueue;
}

/**
 * The HTTP interface of models by their names. It scores, draws and imputes rows and finds anomalies, in JSON, CSV or Arrow, describes the
 * models, and has an OpenAPI document and a page to try them. Requests can name only these models, and no files.
 */
export function serveApp(models: ReadonlyMap<string, ServedModel>, limits: ServeLimits): Hono {
  const app = new Hono();
  const entries = new Map<string, Entry>(
    Array.from(models, ([name, model]) => [
      name,
      { model, scores: new ScoreQueue(model, limits.rows), calls: new CallQueue() },
    ]),
  );
  const entryOf = (c: Context): Entry => {
    const entry = entries.get(c.req.param("model") ?? "");
    if (!entry) throw new UnknownModelError();
    return entry;
  };
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'self'"], scriptSrc: ["'self'"], styleSrc: ["'unsafe-inline'"] },
    }),
  );
  let bytesInFlight = 0;
  // A body is kept in memory until its request is answered. `bodyLimit` comes second, because it reads bodies that come in chunks.
  app.use(async (c, next) => {
    const bytes = bytesOfBody(c, limits);
    if (bytesInFlight + bytes > limits.bytesInFlight) {
      c.header("Retry-After", "1");
      return c.json(problem("the server has no memory for more requests"), 503);
    }
    bytesInFlight += bytes;
    try {
      return await next();
    } finally {
      bytesInFlight -= bytes;
    }
  });
  app.use(
    bodyLimit({
      maxSize: limits.bytes,
      onError: (c) => c.json(problem(`the body has more than ${limits.bytes} bytes`), 413),
    }),
  );
  app.onError((error, c) => {
    if (error instanceof UnknownModelError) return c.json(problem("there is no such model"), 404);
    if (error instanceof BusyError) {
      c.header("Retry-After", "1");
      return c.json(problem("too many requests wait for the model"), 503);
    }
    if (!(error instanceof PushforwardError)) {
      // Reading a body fails if its client disconnects.
      if (c.req.raw.signal.aborted) return c.body(null, 400);
      console.error(error);
      return c.json(problem("the server failed"), 500);
    }
    const { message, code } = error;
    return c.json({ error: message, code }, ["DATA", "ARGUMENT", "SHAPE"].includes(code) ? 400 : 500);
  });
  app.notFound((c) => c.json(problem("there is no such path"), 404));

  app.get("/", (c) => c.html(page(models)));
  app.get("/page.js", (c) => c.text(PAGE_SCRIPT, 200, { "Content-Type": "text/javascript" }));
  // Browsers ask for an icon, and the page has none.
  app.get("/favicon.ico", (c) => c.body(null, 204));
  app.get("/health", (c) => c.json({ status: "ok", version: VERSION, models: [...models.keys()] }));
  app.get("/openapi.json", (c) => c.json(openApi(models, limits)));
  app.get("/models", (c) =>
    c.json(Object.fromEntries(Array.from(models, ([name, model]) => [name, described(model)]))),
  );
  app.get("/models/:model", (c) => c.json(described(entryOf(c).model)));

  app.post("/models/:model/score", async (c) => {
    const { model, scores } = entryOf(c);
    const { rows } = rowsOf(OPTIONS.score, await contentOf(c), model, limits);
    const values = await scores.score(rows, c.req.raw.signal);
    return answer(c, {
      json: () => ({ log_density: Array.from(values, jsonNumber) }),
      columns: [{ name: "log_density", type: "number" }],
      rows: () => Array.from(values, (value) => ({ log_density: Number.isNaN(value) ? null : value })),
    });
  });

  app.post("/models/:model/sample", async (c) => {
    const { model, calls } = entryOf(c);
    const { rows, ...options } = sampleOf(await contentOf(c), limits);
    return rowsAnswer(c, model, await calls.run(() => model.sample(rows, options), c.req.raw.signal));
  });

  app.post("/models/:model/impute", async (c) => {
    const { model, calls } = entryOf(c);
    const { impute } = model;
    if (!impute) throw cannot("impute", "Fit the table with the default model, which can impute.");
    const { rows, options } = rowsOf(OPTIONS.impute, await contentOf(c), model, limits);
    return rowsAnswer(c, model, await calls.run(() => impute(rows, options), c.req.raw.signal));
  });

  app.post("/models/:model/anomalies", async (c) => {
    const { model, calls } = entryOf(c);
    const { anomalies } = model;
    if (!anomalies) {
      throw cannot(
        "find anomalies",
        "Fit the table with the default model and with test rows, whose scores are needed for p-values.",
      );
    }
    const { rows, options } = rowsOf(OPTIONS.anomalies, await contentOf(c), model, limits);
    const { count, fdr } = options;
    const selection = { count, ...(fdr !== undefined && { falseDiscoveryRate: fdr }) };
    const found = await calls.run(() => anomalies(rows, selection), c.req.raw.signal);
    return answer(c, {
      json: () => anomalyAnswer(found),
      columns: ANOMALY_COLUMNS,
      rows: () => anomalyRows(found),
    });
  });
  // Requests for one of the paths above with another method get 405 instead of 404.
  for (const { path, method } of [...app.routes]) {
    if (method !== "GET" && method !== "POST") continue;
    app.all(path, (c) => {
      c.header("Allow", method);
      return c.json(problem(`the path takes only ${method}`), 405);
    });
  }
  return app;
}

/** The most bytes of a request's body that are read; the largest allowed size if the body comes in chunks. */
function bytesOfBody(c: Context, { bytes }: ServeLimits): number {
  const length = c.req.header("Content-Length");
  if (length !== undefined) return Math.min(Number(length), bytes);
  return c.req.header("Transfer-Encoding") === undefined ? 0 : bytes;
}

class UnknownModelError extends Error {}

const problem = (error: string) => ({ error });

const cannot = (what: string, hint: string): PushforwardError =>
  new PushforwardError("ARGUMENT", `the model cannot ${what}`, { hint });

const described = (model: ServedModel) => ({
  columns: model.columns,
  given: model.given,
  operations: operationsOf(model),
});

const contentOf = async (c: Context): Promise<RequestContent> => ({
  type: typeOf(c),
  body: new Uint8Array(await c.req.arrayBuffer()),
  query: c.req.query(),
});

const typeOf = (c: Context): string => c.req.header("Content-Type") ?? "";

/** An answer in JSON, or as a table in another format. */
interface Answer {
  json(): object;
  readonly columns: readonly Pick<ServedColumn, "name" | "type">[];
  rows(): readonly TableRow[];
}

function answer(c: Context, { json, columns, rows }: Answer) {
  const format = answerFormat(c.req.header("Accept") ?? "", typeOf(c));
  if (!format) return c.json(json());
  return c.body(format.write(columns, rows()), 200, { "Content-Type": format.contentType });
}

const rowsAnswer = (c: Context, { columns }: ServedModel, rows: readonly TableRow[]) =>
  answer(c, { json: () => ({ rows }), columns, rows: () => rows });
