import { counted } from "../../check/index.ts";
import type { Dataset, InMemoryDataset } from "../../dataset/index.ts";
import { type ColumnLabels, type GivenRecord, modelLabels } from "../../model/index.ts";
import type { LoadedModel } from "../model/index.ts";

/**
 * What a model file keeps of the context that training has seen: for each column the range of its numbers, or how many rows
 * have each label. Estimated from the sample if a dataset is streamed.
 */
export function summarizeContext(
  seen: readonly Dataset[],
  given: readonly string[],
  labels: ColumnLabels = new Map(),
): GivenRecord[] {
  const samples = seen.map(({ sample }) => sample);
  const totalRows = (parts: readonly Dataset[]) => parts.reduce((total, { rows }) => total + rows, 0);
  const rowsPerSampledRow = totalRows(seen) / totalRows(samples);
  return given.map((name, column) => {
    const values = samples.flatMap(({ rows, context }) =>
      Array.from({ length: rows }, (_, row) => context[row * given.length + column]!),
    );
    const classes = labels.get(name);
    if (!classes) {
      const minimum = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
      const maximum = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
      return { minimum, maximum };
    }
    const counts = classes.map(() => 0);
    for (const value of values) counts[value]!++;
    return { counts: counts.map((count) => Math.ceil(count * rowsPerSampledRow)) };
  });
}

/** Fewer training rows than this teach a model little about a label. */
const MIN_LABEL_ROWS = 10;

/** New values often lie slightly outside of a range; they count as outside from this fraction of its width on. */
const RANGE_MARGIN = 0.05;

/** A column of the context, and what is unusual about its values. */
interface Finding {
  readonly column: string;
  readonly value: string;
  readonly reason: string;
  readonly firstRow: number;
  rows: number;
}

/**
 * Finds values in the context of rows that the training of a model has never or rarely seen: numbers outside of the range of
 * the training rows by more than 5% of its width, and labels of fewer than 10 training rows. For such values a model extrapolates.
 * `warnings` returns the findings.
 */
export class ContextCheck {
  private readonly model: LoadedModel;
  private readonly labels: ColumnLabels;
  private readonly findings = new Map<string, Finding>();
  /** How many rows were checked. */
  rows = 0;

  constructor(model: LoadedModel) {
    this.model = model;
    this.labels = modelLabels(model);
  }

  /** Checks the context [N, C] of further rows. */
  add({ rows, context, rowNumbers }: Pick<InMemoryDataset, "rows" | "context" | "rowNumbers">): void {
    this.rows += rows;
    const { given, training } = this.model;
    for (const [d, column] of given.entries()) {
      const record = training?.given?.[d];
      if (!record) continue;
      for (let row = 0; row < rows; row++) {
        const value = context[row * given.length + d]!;
        const reason = whyUnusual(record, value);
        if (reason === undefined) continue;
        // Each label is a finding; all numbers of a column are one.
        const key = "counts" in record ? `${d} ${value}` : `${d}`;
        const finding = this.findings.get(key);
        if (finding) finding.rows++;
        else {
          const text = this.labels.get(column)?.[value] ?? `${value}`;
          this.findings.set(key, { column, value: text, reason, firstRow: rowNumbers[row]!, rows: 1 });
        }
      }
    }
  }

  /** A sentence for each finding. It names the rows, unless only one row was checked. */
  warnings(rowText = (row: number) => `row ${row}`): string[] {
    return [...this.findings.values()].map(({ column, value, reason, firstRow, rows }) => {
      const more = rows === 1 ? "" : `, and ${counted(rows - 1, "more row")}`;
      return `${column}=${value}${this.rows > 1 ? ` (${rowText(firstRow)}${more})` : ""} ${reason}.`;
    });
  }
}

function whyUnusual(record: GivenRecord, value: number): string | undefined {
  if ("counts" in record) {
    const count = record.counts[value]!;
    if (count === 0) return "occurs in no training row: the model has learned nothing about this label";
    return count < MIN_LABEL_ROWS
      ? `occurs in only ${counted(count, "training row")}: the model has learned little about this label`
      : undefined;
  }
  const { minimum, maximum } = record;
  const margin = RANGE_MARGIN * (maximum - minimum);
  return value < minimum - margin || value > maximum + margin
    ? `is outside of the range of the training rows, ${short(minimum)} to ${short(maximum)}: the model extrapolates`
    : undefined;
}

const short = (value: number): string => `${Number(value.toPrecision(6))}`;
