import * as z from "zod/mini";
import { PushforwardError, parse } from "../../check/index.ts";
import type { Row, ServedModel } from "../index.ts";
import { arrow } from "./arrow.ts";
import { csv } from "./csv.ts";
import { type TableFormat, tooManyRows } from "./tableFormat.ts";

/** What a request may ask for. */
export interface RequestLimits {
  /** The largest number of rows of a request, sent or drawn. */
  readonly rows: number;
}

/** A request as it arrives. */
export interface RequestContent {
  /** The content type of the body. */
  readonly type: string;
  readonly body: Uint8Array;
  /** The query parameters: the options of a request whose body is CSV or Arrow, and so has only rows. */
  readonly query: Readonly<Record<string, string>>;
}

/** The formats of rows beside JSON. */
export const TABLE_FORMATS: readonly TableFormat[] = [csv, arrow];

/** The largest number of anomalies that an answer explains. Each explanation takes 200 draws for each column. */
export const MAX_EXPLAINED = 100;

const value = z.union([z.number(), z.string(), z.boolean(), z.null()], {
  error: "a number, a string, true, false or null",
});
const row = z.record(z.string(), value);
const rows = z.array(row).check(z.minLength(1));
const seed = z._default(z.int().check(z.nonnegative()), 0);

/** The options of requests with rows. */
export const OPTIONS = {
  score: z.strictObject({}),
  impute: z.strictObject({ seed }),
  anomalies: z.strictObject({
    count: z._default(z.int().check(z.minimum(1), z.maximum(MAX_EXPLAINED)), 20),
    fdr: z.optional(z.number().check(z.gt(0), z.lt(1))),
  }),
};

const sampleBody = z.strictObject({
  rows: z._default(z.int().check(z.minimum(1)), 1),
  seed,
  given: z._default(row, {}),
});

/** The rows and the options of a request. Throws `DATA`. */
export function rowsOf<S extends z.ZodMiniObject>(
  options: S,
  { type, body, query }: RequestContent,
  { columns, given }: Pick<ServedModel, "columns" | "given">,
  limits: RequestLimits,
): { rows: Row[]; options: z.output<S> } {
  const format = formatOf(type);
  if (format) {
    const parameters = Object.entries(query).map(([name, text]) => [name, numberOf(text)]);
    return {
      rows: format.read(body, [...columns, ...given], limits.rows),
      options: parse(options, Object.fromEntries(parameters), "the query string", "DATA"),
    };
  }
  refuseParameters(query);
  const parsed = parse(z.extend(options, { rows }), jsonOf(body), "the body", "DATA");
  const { rows: sent, ...rest } = parsed as { rows: Row[] } & z.output<S>;
  if (sent.length > limits.rows) throw tooManyRows(limits.rows, sent.length);
  return { rows: sent, options: rest as unknown as z.output<S> };
}

/** Throws `DATA` for query parameters of a request in JSON, whose options are in the body. */
function refuseParameters(query: RequestContent["query"]): void {
  const [name] = Object.keys(query);
  if (name === undefined) return;
  throw new PushforwardError("DATA", "a request with a body in JSON has no query parameters", {
    received: name,
    hint: "Write the options into the body.",
  });
}

/** Converts a string to the number that it represents. Other strings are returned unchanged, so that the error can quote them. */
const numberOf = (text: string): number | string =>
  text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);

/** What a request for new rows asks for. Throws `DATA`. */
export function sampleOf(
  { body, query }: RequestContent,
  limits: RequestLimits,
): z.output<typeof sampleBody> {
  refuseParameters(query);
  const asked = parse(sampleBody, body.length === 0 ? {} : jsonOf(body), "the body", "DATA");
  if (asked.rows > limits.rows) throw tooManyRows(limits.rows, asked.rows);
  return asked;
}

/** The format of a content type; undefined stands for JSON. */
export const formatOf = (type: string): TableFormat | undefined =>
  TABLE_FORMATS.find(({ mediaType }) => type.toLowerCase().startsWith(mediaType));

/** The format of an answer: one that the client accepts, or that of the request unless the client asks for JSON. */
export const answerFormat = (accept: string, type: string): TableFormat | undefined =>
  TABLE_FORMATS.find(({ mediaType }) => accept.includes(mediaType)) ??
  (accept.includes("json") ? undefined : formatOf(type));

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new PushforwardError("DATA", "the body is not JSON", { received: (cause as Error).message, cause });
  }
}

/** A number in JSON, which has no NaN and no infinite numbers: null for NaN, a string for an infinite number. */
export const jsonNumber = (value: number): number | string | null =>
  Number.isNaN(value) ? null : Number.isFinite(value) ? value : String(value);
