import type { TableColumn, TableRow } from "pushforward";
import { decodeModel, parameterCount, TableModel } from "pushforward/flows";
import { WASM } from "../engine/wasm.ts";
import { expectedText } from "./expectedText.ts";
import type { Anomalies, Anomaly, ModelColumn, ModelRequests, OpenedModel, Value } from "./messages.ts";

/** The page shows at most this many columns that make a row unusual. */
const MAX_REASONS = 3;

/** A model of any kind, behind one interface. */
interface AnyModel {
  readonly summary: OpenedModel;
  sample(args: ModelRequests["sample"]["args"]): Promise<TableRow[]>;
  anomalies(rows: readonly TableRow[], count: number): Promise<Anomalies>;
  release(): Promise<void>;
}

/** Opens a model of a table, or a flow over numeric columns. */
export async function openModel(bytes: Uint8Array): Promise<AnyModel> {
  const loaded = await decodeModel(bytes);
  if (loaded.image) throw new Error("This is a model of images. The page opens models of tables.");
  if (loaded.given.length > 0)
    throw new Error(
      `This model is conditional on ${loaded.given.join(", ")}. The page opens models without a context: fit the table without --given.`,
    );
  if (loaded.table)
    return tableModel(TableModel.from({ ...loaded, table: loaded.table.map(withPlainValues) }));
  const { flow } = loaded;
  const columns = loaded.columns.map(
    (name) => ({ name, kind: "number", labels: [], lattice: undefined }) as const,
  );
  return {
    summary: { columns, parameters: parameterCount(flow), isConditional: false, hasCalibration: false },
    sample: ({ count, seed }) => flow.sample(count, { seed, as: "objects", ...WASM }),
    anomalies: () =>
      Promise.reject(
        new Error("This model does not contain scores of held-out rows, from which p-values are computed."),
      ),
    release: () => flow.release(),
  };
}

/** The column with values that the page can show: text in place of `Date` objects, and numbers or text in place of bigints. */
function withPlainValues(column: TableColumn & { isDateObject?: true; isBigint?: true }): TableColumn {
  const { isDateObject: _, isBigint: __, ...others } = column;
  return others;
}

function tableModel(model: TableModel): AnyModel {
  return {
    summary: {
      columns: model.columns.map(columnOf),
      parameters: parameterCount(model.flow),
      isConditional: model.hasConditionals,
      hasCalibration: (model.reference?.calibration.length ?? 0) > 0,
    },
    sample: ({ count, seed, given }) => model.sample(count, { seed, given, ...WASM }),
    async anomalies(rows, count) {
      const { anomalies, calibrationRows, isTrainingTable } = await model.anomalies(rows, {
        count,
        ...WASM,
      });
      return { rows: anomalies.map(shownAnomaly), calibrationRows, isTrainingTable };
    },
    release: () => model.release(),
  };
}

function columnOf(column: TableColumn): ModelColumn {
  const { name, kind, type } = column;
  const typedLabel = (label: string): Value => (type === "boolean" ? label === "true" : label);
  if (kind === "time") return { name, kind: "time", labels: [], lattice: undefined };
  if (kind === "continuous") return { name, kind: "number", labels: [], lattice: undefined };
  if (kind === "lattice") {
    const { first, step, cells } = column;
    return { name, kind: "number", labels: [], lattice: { first, step, last: first + step * (cells - 1) } };
  }
  const labels = kind === "categorical" ? column.labels : [column.value ?? ""];
  const isNumeric = type === "number" || type === "integer";
  return { name, kind: "label", labels: labels.map(isNumeric ? Number : typedLabel), lattice: undefined };
}

type FoundAnomaly = Awaited<ReturnType<TableModel["anomalies"]>>["anomalies"][number];

function shownAnomaly({ row, pValue, reasons }: FoundAnomaly): Anomaly {
  // The most unusual column is shown even if the row is only unusual as a whole.
  const shown = reasons.filter(({ gain }, k) => k === 0 || gain > 0).slice(0, MAX_REASONS);
  return {
    row,
    pValue,
    reasons: shown.map(({ column, value, conditional, expected }) => ({
      column,
      value,
      expected: `${expectedText(expected)} (${conditional ? "given the other columns" : "in the whole table"})`,
    })),
  };
}
