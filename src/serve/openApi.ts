import { VERSION } from "../version.ts";
import type { ServeLimits } from "./app.ts";
import { MAX_EXPLAINED, TABLE_FORMATS } from "./bodies.ts";
import type { ServedColumn, ServedModel } from "./servedModel.ts";

/** The OpenAPI 3.1 document of a server. */
export function openApi(models: ReadonlyMap<string, ServedModel>, { rows, bytes }: ServeLimits): object {
  const paths: Record<string, object> = {
    "/health": { get: operation("The status of the server", undefined, { type: "object" }) },
    "/models": { get: operation("The columns of all models", undefined, { type: "object" }) },
  };
  const schemas: Record<string, object> = {};
  for (const [i, [name, model]] of [...models].entries()) {
    const path = `/models/${encodeURIComponent(name)}`;
    // The names of schemas may have only letters, digits and some punctuation, and names of models may have any characters.
    const schema = `model${i + 1}`;
    const row = { $ref: `#/components/schemas/${schema}` };
    const table = { type: "array", items: row, minItems: 1, maxItems: rows };
    schemas[schema] = {
      type: "object",
      description: `A row of ${name}`,
      properties: Object.fromEntries(
        [...model.columns, ...model.given].map((column) => [column.name, schemaOf(column)]),
      ),
    };
    paths[path] = { get: operation(`The columns of ${name}`, undefined, { type: "object" }) };
    paths[`${path}/score`] = {
      post: operation(
        `log p of rows under ${name}, in nats`,
        { required: true, content: rowsBody(table) },
        object({ log_density: SCORES }),
      ),
    };
    paths[`${path}/sample`] = {
      post: operation(
        `New rows of ${name}`,
        {
          required: false,
          content: json(
            object({
              rows: { type: "integer", minimum: 1, maximum: rows, default: 1 },
              seed: SEED,
              given: row,
            }),
          ),
        },
        object({ rows: table }),
      ),
    };
    if (model.impute) {
      paths[`${path}/impute`] = {
        post: operation(
          `Rows with a draw of ${name} in place of each missing value`,
          { required: true, content: rowsBody(table, { seed: SEED }) },
          object({ rows: table }),
          { seed: SEED },
        ),
      };
    }
    if (!model.anomalies) continue;
    paths[`${path}/anomalies`] = {
      post: operation(
        `The rows that are unlike those of the training table of ${name}, with p-values and reasons`,
        { required: true, content: rowsBody(table, ANOMALY_OPTIONS) },
        ANOMALIES,
        ANOMALY_OPTIONS,
      ),
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "pushforward",
      version: VERSION,
      description: `Bodies have at most ${bytes} bytes and ${rows} rows. If the rows are CSV or an Arrow stream, options are query parameters.`,
    },
    paths,
    components: { schemas },
  };
}

const SEED = { type: "integer", minimum: 0, default: 0 };
/** A number, null for NaN, or the text of an infinite number. */
const NUMBER = { type: ["number", "string", "null"] };
const SCORES = {
  type: "array",
  items: NUMBER,
  description:
    "null: a value is missing in a column that had no missing values in training, or log p is not a number. -Infinity: a value is impossible.",
};
const ANOMALY_OPTIONS = {
  count: {
    type: "integer",
    minimum: 1,
    maximum: MAX_EXPLAINED,
    default: 20,
    description: "The largest number of rows to explain, the most unusual first.",
  },
  fdr: {
    type: "number",
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "Explains only rows of which at most this fraction is expected to be false alarms.",
  },
};

const object = (properties: object, required: readonly string[] = []) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

const ANOMALIES = object({
  anomaly_score: {
    type: "array",
    items: NUMBER,
    description: "The score of each row. A row with a higher score is more unusual.",
  },
  p_value: { type: "array", items: NUMBER, description: "The p-value of each row." },
  anomalies: {
    type: "array",
    items: object({
      row: { type: "integer", description: "The index of the row in the request, from 0." },
      anomaly_score: NUMBER,
      p_value: { type: "number" },
      reasons: {
        type: "array",
        description: "All columns, the most unusual first.",
        items: object({
          column: { type: "string" },
          value: {},
          conditional: {
            type: "boolean",
            description:
              "Whether gain and expected are given the other columns; false for a value that is rare in the whole table.",
          },
          gain: {
            ...NUMBER,
            description:
              "In nats. conditional: the mean increase of log p if the value is replaced by a draw given the other columns. Otherwise: how much rarer the value is than an average value of the column.",
          },
          expected: { type: "object" },
        }),
      },
    }),
  },
  calibration_rows: { type: "integer" },
  expected_false_alarms: { type: "number" },
  discoveries: { type: "integer" },
});

/** Rows in the other formats. */
const TABLES = Object.fromEntries(
  TABLE_FORMATS.map(({ mediaType }) => [mediaType, { schema: { type: "string", format: "binary" } }]),
);

const json = (schema: object) => ({ "application/json": { schema } });

/** A body with rows and options. Bodies in other formats have only the rows, and the options are query parameters. */
const rowsBody = (table: object, options: object = {}) => ({
  ...json(object({ rows: table, ...options }, ["rows"])),
  ...TABLES,
});

/** The body of a request. */
interface Body {
  readonly required: boolean;
  readonly content: object;
}

/** An operation; `options` are the query parameters of a request whose body is not JSON. */
const operation = (summary: string, body: Body | undefined, answer: object, options: object = {}) => ({
  summary,
  ...(body && {
    parameters: Object.entries(options).map(([name, schema]) => ({ name, in: "query", schema })),
    requestBody: body,
  }),
  responses: {
    "200": { description: summary, content: { ...json(answer), ...(body && TABLES) } },
    ...(body && {
      "400": { description: "The request is not valid" },
      "413": { description: "The body is too large" },
      "503": { description: "Too many requests wait" },
    }),
  },
});

const schemaOf = ({ type, kind, details }: ServedColumn) => ({
  type: [type === "integer" ? "number" : ["number", "boolean"].includes(type) ? type : "string", "null"],
  description: details === "" ? kind : `${kind}: ${details}`,
});
