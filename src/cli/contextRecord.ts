import type { Labels } from "../data/index.ts";
import type { GivenRecord, Model } from "../flows/index.ts";
import { inMemory, type StreamedRows } from "../train/rowStream.ts";
import type { TrainingRows } from "../train/rows.ts";
import { counted } from "./format.ts";
import { labelsOf } from "./model.ts";

/** The range or the label counts of each column that a model is conditional on; for a stream, estimates from its sample. */
export function contextRecord(
  learned: TrainingRows | StreamedRows,
  given: readonly string[],
  labels: Labels,
): GivenRecord[] {
  const { rows, context } = inMemory(learned);
  return given.map((name, d) => {
    const values = Array.from({ length: rows }, (_, row) => context[row * given.length + d]!);
    const known = labels.get(name);
    if (!known) {
      const [minimum, maximum] = values.reduce(
        ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
        [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      );
      return { minimum, maximum };
    }
    const counts = known.map(() => 0);
    for (const value of values) counts[value]!++;
    return { counts: counts.map((n) => Math.ceil((n * learned.rows) / rows)) };
  });
}

/** A model hardly knows a label that fewer training rows have. */
const MIN_LABEL_ROWS = 10;

/** New rows often lie a little beyond a range, so a value counts as outside from this share of the width on. */
const RANGE_MARGIN = 0.05;

/** A column, and what is unusual about its values. */
interface Finding {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
  readonly firstRow: number;
  rows: number;
}

/** Finds values of the context that a model has not, or hardly, seen in training. */
export class ContextWatch {
  private readonly model: Model;
  private readonly labels: Labels;
  private readonly findings = new Map<string, Finding>();
  private rows = 0;

  constructor(model: Model) {
    this.model = model;
    this.labels = labelsOf(model);
  }

  /** The next rows of context; those that are not `present` have a missing value. */
  see(context: Float64Array, present?: Uint8Array): void {
    const { given, training } = this.model;
    const rows = given.length > 0 ? context.length / given.length : 0;
    for (const [d, name] of given.entries()) {
      const record = training?.given?.[d];
      if (!record) continue;
      for (let row = 0; row < rows; row++) {
        if (present && !present[row]) continue;
        const value = context[row * given.length + d]!;
        const reason = unusual(record, value);
        if (reason === undefined) continue;
        const text = this.labels.get(name)?.[value] ?? `${value}`;
        // A label is a finding of its own, values beyond a range are one together.
        const key = "counts" in record ? `${d} ${value}` : `${d}`;
        const known = this.findings.get(key);
        if (known) known.rows++;
        else this.findings.set(key, { name, value: text, reason, firstRow: this.rows + row + 1, rows: 1 });
      }
    }
    this.rows += rows;
  }

  /** What was seen, as warnings: of a table, or of one row of values. */
  warnings(): string[] {
    return [...this.findings.values()].map(({ name, value, reason, firstRow, rows }) => {
      const where =
        this.rows === 1
          ? ""
          : rows === 1
            ? ` (row ${firstRow})`
            : ` (row ${firstRow}, and ${counted(rows - 1, "more row")})`;
      return `${name}=${value}${where} ${reason}.`;
    });
  }
}

function unusual(record: GivenRecord, value: number): string | undefined {
  if ("counts" in record) {
    const count = record.counts[value]!;
    return count < MIN_LABEL_ROWS
      ? `was in ${counted(count, "row")} of training only: the model hardly knows what goes with it`
      : undefined;
  }
  const { minimum, maximum } = record;
  const margin = RANGE_MARGIN * (maximum - minimum);
  return value < minimum - margin || value > maximum + margin
    ? `lies beyond what training saw, ${short(minimum)} to ${short(maximum)}: the model only extrapolates there`
    : undefined;
}

const short = (value: number): string => `${Number(value.toPrecision(6))}`;
