import type { Labels } from "../data/index.ts";
import type { Dataset, InMemoryDataset } from "../dataset/index.ts";
import type { GivenRecord, Model } from "../flows/index.ts";
import { counted } from "./format.ts";
import { labelsOf } from "./model.ts";

/** The range or the label counts of each column that a model is conditional on; for a stream, estimates from its sample. */
export function contextRecord(
  learned: readonly Dataset[],
  given: readonly string[],
  labels: Labels,
): GivenRecord[] {
  const samples = learned.map(({ sample }) => sample);
  const sum = (parts: readonly Dataset[]) => parts.reduce((total, { rows }) => total + rows, 0);
  const scale = sum(learned) / sum(samples);
  return given.map((name, d) => {
    const values = samples.flatMap(({ rows, context }) =>
      Array.from({ length: rows }, (_, row) => context[row * given.length + d]!),
    );
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
    return { counts: counts.map((n) => Math.ceil(n * scale)) };
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
  /** Whether rows of a table were seen, and not one row of values. */
  private ofTable = false;

  constructor(model: Model) {
    this.model = model;
    this.labels = labelsOf(model);
  }

  /** The next rows of a table, whose `columns` are the context. */
  seeRows({ rows, context, rowNumbers }: Pick<InMemoryDataset, "rows" | "context" | "rowNumbers">): void {
    this.ofTable = true;
    this.see(context, rows, (row) => rowNumbers[row]!);
  }

  /** One context for all rows. */
  seeValues(context: Float64Array): void {
    this.see(context, 1, () => 1);
  }

  private see(context: Float64Array, rows: number, numberOf: (row: number) => number): void {
    const { given, training } = this.model;
    for (const [d, name] of given.entries()) {
      const record = training?.given?.[d];
      if (!record) continue;
      for (let row = 0; row < rows; row++) {
        const value = context[row * given.length + d]!;
        const reason = unusual(record, value);
        if (reason === undefined) continue;
        const text = this.labels.get(name)?.[value] ?? `${value}`;
        // A label is a finding of its own, values beyond a range are one together.
        const key = "counts" in record ? `${d} ${value}` : `${d}`;
        const known = this.findings.get(key);
        if (known) known.rows++;
        else this.findings.set(key, { name, value: text, reason, firstRow: numberOf(row), rows: 1 });
      }
    }
  }

  /** What was seen, as warnings: of a table, or of one row of values. */
  warnings(): string[] {
    return [...this.findings.values()].map(({ name, value, reason, firstRow, rows }) => {
      const where = !this.ofTable
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
