import { VERSION } from "../version.ts";
import type { ServeLimits } from "./app.ts";
import type { ServedColumn, ServedModel } from "./servedModel.ts";

/** The OpenAPI 3.1 document of a server. */
export function openApi(models: ReadonlyMap<string, ServedModel>, { rows, bytes }: ServeLimits): object {
  const paths: Record<string, object> = {
    "/health": { get: operation("The status of the server", undefined, { type: "object" }) },
    "/models": { get: operation("The columns of all models", undefined, { type: "object" }) },
  };
  const schemas: Record<string, object> = {};
  for (const [name, model] of models) {
    const path = `/models/${encodeURIComponent(name)}`;
    const row = { $ref: `#/components/schemas/${encodeURIComponent(name)}` };
    const table = { type: "array", items: row, minItems: 1, maxItems: rows };
    schemas[encodeURIComponent(name)] = {
      type: "object",
      properties: Object.fromEntries(
        [...model.columns, ...model.given].map((column) => [column.name, schemaOf(column)]),
      ),
    };
    paths[path] = { get: operation(`The columns of ${name}`, undefined, { type: "object" }) };
    paths[`${path}/score`] = {
      post: operation(
        `log p of rows under ${name}, in nats`,
        object({ rows: table }, ["rows"]),
        object({
          log_density: {
            type: "array",
            items: { type: ["number", "string", "null"] },
            description:
              "null: a value is missing in a column that had none in the training, or log p is not a number. -Infinity: a value is impossible.",
          },
        }),
      ),
    };
    paths[`${path}/sample`] = {
      post: operation(
        `New rows of ${name}`,
        object({ rows: { type: "integer", minimum: 1, maximum: rows, default: 1 }, seed: SEED, given: row }),
        object({ rows: table }),
      ),
    };
    if (!model.impute) continue;
    paths[`${path}/impute`] = {
      post: operation(
        `Rows with a draw of ${name} in place of each missing value`,
        object({ rows: table, seed: SEED }, ["rows"]),
        object({ rows: table }),
      ),
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "pushforward",
      version: VERSION,
      description: `Bodies have at most ${bytes} bytes and ${rows} rows. Rows are JSON, or CSV with the content type text/csv.`,
    },
    paths,
    components: { schemas },
  };
}

const SEED = { type: "integer", minimum: 0, default: 0 };

const object = (properties: object, required: readonly string[] = []) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

const json = (schema: object) => ({ content: { "application/json": { schema } } });

const operation = (summary: string, body: object | undefined, answer: object) => ({
  summary,
  ...(body && { requestBody: { required: true, ...json(body) } }),
  responses: {
    "200": { description: summary, ...json(answer) },
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
