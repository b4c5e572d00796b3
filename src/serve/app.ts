import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import { PushforwardError } from "../errors.ts";
import { VERSION } from "../version.ts";
import {
  checkRows,
  csvOf,
  imputeBody,
  jsonNumber,
  parseCsv,
  parseJson,
  type RequestLimits,
  sampleBody,
  scoreBody,
} from "./bodies.ts";
import { openApi } from "./openApi.ts";
import { PAGE_SCRIPT, page } from "./page.ts";
import { BusyError, ScoreQueue } from "./scoreQueue.ts";
import type { ServedModel } from "./servedModel.ts";

/** Limits of a server. */
export interface ServeLimits extends RequestLimits {
  /** The largest body of a request, in bytes. */
  readonly bytes: number;
}

/** A served model with the requests that wait for it. */
interface Entry {
  readonly model: ServedModel;
  readonly queue: ScoreQueue;
}

/**
 * The HTTP interface of models by their names. It scores, draws and imputes rows in JSON or CSV, describes the models, and has an OpenAPI
 * document and a page to try them. Requests can name only these models, and no files.
 */
export function serveApp(models: ReadonlyMap<string, ServedModel>, limits: ServeLimits): Hono {
  const app = new Hono();
  const entries = new Map<string, Entry>(
    Array.from(models, ([name, model]) => [name, { model, queue: new ScoreQueue(model, limits.rows) }]),
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
    if (!(error instanceof PushforwardError)) return c.json(problem("the server failed"), 500);
    const { message, code } = error;
    return c.json({ error: message, code }, ["DATA", "ARGUMENT", "SHAPE"].includes(code) ? 400 : 500);
  });
  app.notFound((c) => c.json(problem("there is no such address"), 404));

  app.get("/", (c) => c.html(page(models)));
  app.get("/page.js", (c) => c.text(PAGE_SCRIPT, 200, { "Content-Type": "text/javascript" }));
  // Browsers ask for it, and the page has none.
  app.get("/favicon.ico", (c) => c.body(null, 204));
  app.get("/health", (c) => c.json({ status: "ok", version: VERSION, models: [...models.keys()] }));
  app.get("/openapi.json", (c) => c.json(openApi(models, limits)));
  app.get("/models", (c) =>
    c.json(Object.fromEntries(Array.from(models, ([name, model]) => [name, described(model)]))),
  );
  app.get("/models/:model", (c) => c.json(described(entryOf(c).model)));

  app.post("/models/:model/score", async (c) => {
    const { model, queue } = entryOf(c);
    const body = await c.req.text();
    const isCsv = sendsCsv(c);
    const rows = isCsv ? parseCsv(body, model) : parseJson(scoreBody, body).rows;
    checkRows(rows.length, limits);
    const scores = await queue.score(rows, c.req.raw.signal);
    if (!wantsCsv(c, isCsv)) return c.json({ log_density: Array.from(scores, jsonNumber) });
    const values = Array.from(scores, (value) => ({ log_density: Number.isNaN(value) ? null : value }));
    return csv(c, ["log_density"], values);
  });

  app.post("/models/:model/sample", async (c) => {
    const { model } = entryOf(c);
    const { rows, seed, given } = parseJson(sampleBody, (await c.req.text()) || "{}");
    checkRows(rows, limits);
    return rowsAnswer(c, model, await model.sample(rows, { seed, given }), wantsCsv(c, false));
  });

  app.post("/models/:model/impute", async (c) => {
    const { model } = entryOf(c);
    if (!model.impute) {
      throw new PushforwardError("ARGUMENT", "the model cannot impute", {
        hint: "Fit the table with the default model, which can.",
      });
    }
    const body = await c.req.text();
    const isCsv = sendsCsv(c);
    const { rows, seed } = isCsv ? { rows: parseCsv(body, model), seed: 0 } : parseJson(imputeBody, body);
    checkRows(rows.length, limits);
    return rowsAnswer(c, model, await model.impute(rows, { seed }), wantsCsv(c, isCsv));
  });
  return app;
}

class UnknownModelError extends Error {}

const problem = (error: string) => ({ error });

const described = ({ columns, given, impute }: ServedModel) => ({
  columns,
  given,
  operations: ["score", "sample", ...(impute ? ["impute"] : [])],
});

const sendsCsv = (c: Context): boolean => /^text\/csv\b/i.test(c.req.header("Content-Type") ?? "");

/** Whether the client accepts CSV, or sent CSV and does not ask for JSON. */
function wantsCsv(c: Context, sentCsv: boolean): boolean {
  const accept = c.req.header("Accept") ?? "*/*";
  if (accept.includes("text/csv")) return true;
  return sentCsv && !accept.includes("json");
}

const csv = (c: Context, names: readonly string[], rows: Parameters<typeof csvOf>[1]) =>
  c.text(csvOf(names, rows), 200, { "Content-Type": "text/csv; charset=utf-8" });

const rowsAnswer = (
  c: Context,
  { columns }: ServedModel,
  rows: Parameters<typeof csvOf>[1],
  asCsv: boolean,
) => {
  const names = columns.map(({ name }) => name);
  return asCsv ? csv(c, names, rows) : c.json({ rows });
};
