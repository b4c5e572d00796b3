import type { Standardize } from "../../bijections/index.ts";
import {
  BOUND,
  CONTEXT,
  checkedOptions,
  checkPrecision,
  contextOf,
  type Declaration,
  type DescribedRows,
  type ExportedModel,
  type ExportFlowOptions,
  type Flow,
  LOG_DENSITY,
  ModelExport,
  nestedFloat64Column,
  noiseInputs,
  parameterNames,
} from "../../flows/index.ts";
import { ElementType, input, type Parameter, type Tensor } from "../../graph/index.ts";
import {
  decodeTensors,
  describeColumn,
  encodeTensors,
  MISSING_TEXT,
  ROW_STATUS,
  type TableColumn,
  type ValueType,
} from "../columns/index.ts";

/** Options of `TableModel.exportOnnx`. */
export interface ExportTableOptions extends Pick<ExportFlowOptions, "precision" | "noise" | "metadata"> {
  /** `density`: the columns of rows -> `logProb` in nats. `sampler`: noise -> the columns of samples. Default `density`. */
  what?: "density" | "sampler" | undefined;
}

interface Table {
  readonly columns: readonly TableColumn[];
  readonly flow: Flow;
  /** The declaration of the context, in a list that is empty without one. */
  readonly context: readonly Declaration[];
}

/** Implements `TableModel.exportOnnx`. */
export function exportTable(
  { columns, flow }: Pick<Table, "columns" | "flow">,
  options: ExportTableOptions | undefined,
  { labels }: Pick<DescribedRows, "labels"> = {},
): ExportedModel {
  const context = contextOf(flow, labels).map((each) => ({ ...each, elementType: ElementType.DOUBLE }));
  const table: Table = { columns, flow, context };
  const checked = checkedOptions("exportOnnx", options, ["density", "sampler"]);
  checkPrecision(nestedFloat64Column(table.flow.unstandardized().inner), checked.precision);
  return checked.what === "density" ? exportDensity(table, checked) : exportSampler(table, checked);
}

type Options = ReturnType<typeof checkedOptions>;

function exportDensity(
  { columns, flow, context: declared }: Table,
  { precision, metadata }: Options,
): ExportedModel {
  const { inner, standardize } = flow.unstandardized();
  const inputs = [...columns.map(declaration), ...declared];
  const model = new ModelExport("density", precision, inputs, [flow.isBound ? BOUND : LOG_DENSITY]);

  const values = columns.map((_, c) => input(`column${c}`, ["N"]));
  const { features, status } = encodeTensors(columns, values);
  const encoded = model.compute(
    values,
    columns.map((column, c) => numbersOf(column, model.signature.inputs[c].name, model)),
    { x: standardize ? standardize.inverse(features).value : features, status },
    { precision: "float64", parameterNames: standardizeNames(standardize) },
  );

  const x = input("x", ["N", flow.features]);
  const statusOfRow = input("status", ["N"]);
  const { context, ofContext } = contextInputs(flow, declared, model);
  const logProb = inner.logProb(x, ...context).sub(standardize?.logScale() ?? 0);
  const withImpossible = statusOfRow.equal(ROW_STATUS.impossible).where(Number.NEGATIVE_INFINITY, logProb);
  const scored = model.compute(
    [x, statusOfRow, ...context],
    [...[encoded.x, encoded.status].map((value) => model.fromFloat64(value)), ...ofContext],
    { logProb: statusOfRow.equal(ROW_STATUS.incomplete).where(Number.NaN, withImpossible) },
    { parameterNames: parameterNames(inner) },
  );
  return model.finish([scored.logProb], metadata);
}

function exportSampler(
  { columns, flow, context: declared }: Table,
  { precision, isGenerated, metadata }: Options,
): ExportedModel {
  const { inner, standardize } = flow.unstandardized();
  // There is one sample for each row of the context.
  const noiseOfRows = isGenerated && declared.length > 0 ? [] : noiseInputs(flow.noise, isGenerated);
  const inputs = [...noiseOfRows, ...declared];
  const model = new ModelExport("sampler", precision, inputs, columns.map(declaration));

  const noise = flow.noise.map(({ size }, i) => input(`noise${i}`, ["N", size]));
  const { context, ofContext } = contextInputs(flow, declared, model);
  const rows = declared.length > 0 ? model.addRowCount(CONTEXT) : "rows";
  const drawn = model.compute(
    [...noise, ...context],
    [
      ...(isGenerated
        ? flow.noise.map((each) => model.addNoise(each, rows))
        : noiseOfRows.map(({ value }) => value.name)),
      ...ofContext,
    ],
    { x: inner.sample(noise, ...context) },
    { parameterNames: parameterNames(inner) },
  );

  const x = input("x", ["N", flow.features]);
  const decoded = decodeTensors(columns, standardize ? standardize.forward(x).value : x);
  const values = model.compute<string>(
    [x],
    [model.toFloat64(drawn.x)],
    Object.fromEntries(decoded.map((column, c) => [`column${c}`, column])),
    { precision: "float64", parameterNames: standardizeNames(standardize) },
  );
  return model.finish(
    columns.map((column, c) => valuesOf(column, values[`column${c}`], model)),
    metadata,
  );
}

/** The context of `unstandardized().inner` as tensors, at most one, and the names of their values in the file. */
function contextInputs(
  flow: Flow,
  declared: readonly Declaration[],
  model: ModelExport,
): { context: readonly Tensor[]; ofContext: readonly string[] } {
  const [declaration] = declared;
  if (!declaration) return { context: [], ofContext: [] };
  const { standardizeContext } = flow.unstandardized();
  const context = input(CONTEXT, declaration.shape);
  const standardized = model.compute(
    [context],
    [CONTEXT],
    { context: standardizeContext ? standardizeContext.inverse(context).value : context },
    { precision: "float64", parameterNames: standardizeNames(standardizeContext, "standardizeContext") },
  );
  return { context: [context], ofContext: [model.fromFloat64(standardized.context)] };
}

/** Declares a column as an input or an output of the file: a tensor of text or of float64. */
function declaration(column: TableColumn): Declaration {
  const { name, type, kind, gaps } = column;
  const isText = type === "text";
  const unit = UNITS[type];
  const mayMiss = gaps || (kind === "constant" && column.value === null);
  return {
    value: {
      name,
      meaning: describeColumn(column).kind,
      ...(unit !== undefined && { unit }),
      column: name,
      type,
      missing: !mayMiss ? null : isText ? "" : "NaN",
    },
    shape: ["N"],
    elementType: isText ? ElementType.STRING : ElementType.DOUBLE,
  };
}

/** The units of values other than numbers and text. */
const UNITS: Partial<Record<ValueType, string>> = {
  boolean: "1 for true, 0 for false",
  date: "milliseconds since 1970-01-01 UTC",
  timestamp: "milliseconds since 1970-01-01 UTC",
  time: "milliseconds since midnight",
};

/** Adds nodes that convert the input of a column to the numbers that `encodeTensors` takes. Returns the name of their value. */
function numbersOf(column: TableColumn, name: string, model: ModelExport): string {
  if (column.type !== "text") return name;
  const labels = labelsOf(column);
  const codes = new Map([["", MISSING_TEXT], ...labels]);
  const code = model.addNode("LabelEncoder", [name], {
    keys_strings: { strings: [...codes.keys()] },
    values_int64s: [...codes.values()],
    default_int64: column.kind === "categorical" ? labels.size : 0,
  });
  return model.addNode("Cast", [code], { to: ElementType.DOUBLE });
}

/**
 * Adds nodes that convert the numbers of a column that `decodeTensors` returns to the output of the column. Returns the name of
 * their value.
 */
function valuesOf(column: TableColumn, numbers: string, model: ModelExport): string {
  if (column.type !== "text") return numbers;
  const labels = labelsOf(column);
  const code = model.addNode("Cast", [numbers], { to: ElementType.INT64 });
  return model.addNode("LabelEncoder", [code], {
    keys_int64s: [MISSING_TEXT, ...labels.values()],
    values_strings: { strings: ["", ...labels.keys()] },
    // The text of a missing value, and of a label that training did not see.
    default_string: "",
  });
}

/** The codes of the labels of a column of text. */
function labelsOf(column: TableColumn): Map<string, number> {
  if (column.kind === "categorical") return new Map(column.labels.map((label, code) => [label, code]));
  return new Map(column.kind === "constant" && column.value !== null ? [[column.value, 1]] : []);
}

const standardizeNames = (
  standardize: Standardize | undefined,
  name = "standardize",
): Map<Parameter, string> =>
  new Map(
    standardize && [
      [standardize.center, `${name}.center`],
      [standardize.scale, `${name}.scale`],
    ],
  );
