import type { Tensor } from "onnxruntime-common";
import type { ContextEmbedding } from "../../src/distributions/index.ts";
import { Flow, Random, type TableColumn, TableModel, type TableRow } from "../../src/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { tableHeads } from "../../src/tables/columns/columnHeads.ts";
import { encodeRows, labelCodes } from "../../src/tables/columns/encode.ts";
import { inferColumn } from "../../src/tables/columns/inferColumn.ts";
import { rawColumns } from "../../src/tables/columns/tableRows.ts";
import { MixedMade } from "../../src/tables/densities/index.ts";
import { perturb } from "../nn/perturb.ts";

const CITIES = ["Bern", "Basel", "Zug"];
const DAY = 86_400_000;

/** Rows with a column of each kind. Some columns have missing values. */
export function rowsOfAllKinds(count: number, seed: number): TableRow[] {
  const random = new Random(seed);
  const uniform = random.split("uniform").uniform(new Float64Array(6 * count));
  const normal = random.split("normal").normal(new Float64Array(3 * count));
  return Array.from({ length: count }, (_, n): TableRow => {
    const [u, v, w, a, b, c] = uniform.subarray(6 * n, 6 * n + 6);
    const [x, y, z] = normal.subarray(3 * n, 3 * n + 3);
    const city = u < 0.5 ? 0 : u < 0.8 ? 1 : 2;
    const time = Date.UTC(2024, 0, 1) + Math.floor(40 * w) * DAY + Math.floor(86_400 * a) * 1000;
    const month = new Date(Date.UTC(2020, 1 + Math.floor(30 * b), 0));
    return {
      city: v < 0.1 ? null : (CITIES[city] as string),
      amount: v > 0.8 ? null : 1e6 + 10 * city + x,
      share: Math.min(1, Math.max(0, 0.5 + 0.5 * y)),
      income: c < 0.1 ? -999 : Math.exp(z),
      children: Math.floor(6 * w * a),
      price: Number((0.25 * Math.floor(40 * b)).toFixed(2)),
      level: [1, 2.5, 7][city] as number,
      isMember: w < 0.2 + 0.3 * city,
      since: new Date(time - (time % DAY)).toISOString().slice(0, 10),
      seen: new Date(time).toISOString().slice(0, 19).replace("T", " "),
      month: month.toISOString().slice(0, 10),
      hour: new Date(Math.floor(86_400 * c) * 1000).toISOString().slice(11, 19),
      country: "CH",
      year: 2024,
    };
  });
}

/** The rows, of which the first six get values that are impossible, missing or new for a model. */
export function unusualRows([a, b, c, d, e, f, ...others]: readonly TableRow[]): TableRow[] {
  return [
    { ...a, city: "Paris" },
    { ...b, children: 2.5 },
    { ...c, year: null },
    { ...d, share: 2 },
    { ...e, month: "2021-02-27" },
    { ...f, country: "DE", year: null },
    ...others,
  ];
}

/** An input or an output of an ONNX file. */
export interface InputValues {
  readonly type: "float32" | "float64" | "string";
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

/** The values of rows as an exported model takes and returns them. */
export const tableInputs = (
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
): Record<string, InputValues> =>
  Object.fromEntries(
    columns.map(({ name, type }) => {
      const values = rows.map((row) => row[name] ?? null);
      const data =
        type === "text"
          ? values.map((value) => (value ?? "") as string)
          : values.map((value) => (value === null ? Number.NaN : numberOf(value)));
      return [name, { type: type === "text" ? "string" : "float64", shape: [rows.length], data }];
    }),
  );

/** Times without a date are those of 1970-01-01. */
const numberOf = (value: NonNullable<TableRow[string]>): number =>
  typeof value === "string"
    ? Date.parse(
        value.includes("-")
          ? `${value.replace(" ", "T")}${value.length > 10 ? "Z" : ""}`
          : `1970-01-01T${value}Z`,
      )
    : Number(value);

/** The noise of `sample` for a seed, as the inputs of an exported sampler. */
export function samplerInputs(
  { noise }: Flow,
  { rows, seed, type }: { rows: number; seed: number; type: "float32" | "float64" },
): Record<string, InputValues> {
  const random = new Random(seed).split("sample");
  return Object.fromEntries(
    noise.map(({ kind, size }, i): [string, InputValues] => {
      const data = random.split(i)[kind](new Float64Array(rows * size));
      return [`noise${i}`, { type, shape: [rows, size], data: Array.from(data) }];
    }),
  );
}

/** The inputs of a session. */
export const tensorsOf = (
  inputs: Readonly<Record<string, InputValues>>,
  OrtTensor: typeof Tensor,
): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { type, shape, data }]) => {
      if (type === "string") return [name, new OrtTensor("string", data as string[], shape)];
      const numbers = data as number[];
      return [
        name,
        type === "float32"
          ? new OrtTensor("float32", Float32Array.from(numbers), shape)
          : new OrtTensor("float64", Float64Array.from(numbers), shape),
      ];
    }),
  );

/** A model of `rowsOfAllKinds`, with random weights. */
export const modelOfAllKinds = (): TableModel => modelOfRows(rowsOfAllKinds(300, 1));

/** A model of the columns of these rows, with random weights. `embedding` makes it conditional. */
export function modelOfRows(rows: readonly TableRow[], embedding?: ContextEmbedding): TableModel {
  const raw = rawColumns(rows);
  const columns = raw.map((column) => {
    const inferred = inferColumn(column);
    if ("excluded" in inferred) throw new Error(inferred.excluded);
    return inferred.column;
  });
  const values = encodeRows(
    columns,
    columns.map((column, c) => labelCodes(column, raw[c]!)),
  );
  const heads = tableHeads(columns, { rows: rows.length, values });
  const base = new MixedMade(
    { columns: heads, network: { hidden: [16] }, context: embedding?.size ?? 0 },
    new Random(1),
  );
  perturb(parametersOf(base), 0.2);
  return new TableModel({ columns, flow: new Flow(base, undefined, embedding) });
}
