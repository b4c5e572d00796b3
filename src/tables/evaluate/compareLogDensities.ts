import { PushforwardError } from "../../check/index.ts";
import { estimate, type MeanEstimate } from "../../numerics/index.ts";
import { continuousValue, featuresOf } from "../columns/index.ts";
import type { LoadedModel } from "../model/index.ts";
import { logDensityDifference } from "./compareDensities.ts";

/** The log-densities of two models on the same rows, in nats. */
export interface Comparison {
  readonly first: MeanEstimate;
  readonly second: MeanEstimate;
  /**
   * Mean of the differences, row by row: by how much the log-density under the first model is higher. Its standard error is usually much
   * smaller than those of the two means, because both densities are low in the same rows.
   */
  readonly difference: MeanEstimate;
  /** The share of the rows whose log-density is higher under the first model. */
  readonly shareHigher: number;
}

/**
 * Compares two models by the log-densities [N] of the same rows under each. Rows for which either is NaN are left out. The difference is 0
 * for a row that is impossible under both models (-Infinity).
 *
 * @throws SHAPE if the numbers of rows differ; DATA if no row has two log-densities, or if all rows are impossible under both models.
 */
export function compareLogDensities(first: ArrayLike<number>, second: ArrayLike<number>): Comparison {
  if (first.length !== second.length) {
    throw new PushforwardError("SHAPE", "two models are compared on different numbers of rows", {
      expected: `${first.length} log-densities`,
      received: `${second.length}`,
    });
  }
  const rows = Array.from(first, (_, n) => n).filter(
    (n) => !Number.isNaN(first[n]) && !Number.isNaN(second[n]),
  );
  const [a, b] = [first, second].map((all) => Float64Array.from(rows, (n) => all[n]!));
  if (rows.length === 0) {
    throw new PushforwardError("DATA", "no row has a log-density under both models", {
      expected: "at least 1 row",
    });
  }
  if ([a, b].every((all) => all.every((value) => value === Number.NEGATIVE_INFINITY))) {
    throw new PushforwardError("DATA", "all rows are impossible under both models", {
      expected: "at least 1 row with a log-density above -Infinity",
      hint: "Compare the models on rows like those of their training: the warnings name the impossible values.",
    });
  }
  const differences = a.map((value, n) => logDensityDifference(value, b[n]));
  return {
    first: estimate(a),
    second: estimate(b),
    difference: estimate(differences),
    shareHigher: differences.filter((difference) => difference > 0).length / rows.length,
  };
}

/** A column in which some values have a probability under one of two models, and a density under the other. */
export interface DifferentAtoms {
  readonly column: string;
  /** Whether a value has a probability under exactly one of the models. */
  includes(value: number): boolean;
}

/**
 * Checks that the log-densities of two models are comparable: both are densities of the same columns, conditional on the same columns, and
 * in each column both are densities or both are probabilities. A model may also have probabilities for single values of a continuous
 * column, such as 0. Returns the columns in which the two models do so for different values: the log-densities of a row with such a value
 * are not comparable.
 *
 * @throws DATA if the columns or their measures differ.
 */
export function checkComparable(first: LoadedModel, second: LoadedModel): DifferentAtoms[] {
  const [a, b] = [columnMeasures(first), columnMeasures(second)];
  checkSameNames("columns", [...a.keys()], [...b.keys()]);
  checkSameNames("given columns", first.given, second.given);
  const different: DifferentAtoms[] = [];
  for (const [column, measure] of a) {
    const other = b.get(column)!;
    if (measure.isDensity !== other.isDensity) {
      const name = (isDensity: boolean) => (isDensity ? "a density" : "a probability");
      throw new PushforwardError(
        "DATA",
        `column "${column}" has a density in one model and probabilities in the other`,
        {
          expected: `${name(measure.isDensity)} in both`,
          received: `${name(other.isDensity)} in the second`,
          hint: "A density is per unit of the column and a probability is not: fit both models with the same kind of column.",
        },
      );
    }
    const differs = (value: number) => measure.atoms.has(value) !== other.atoms.has(value);
    if ([...measure.atoms, ...other.atoms].some(differs)) different.push({ column, includes: differs });
  }
  return different;
}

/** Whether a model has a density of the values of a column, except for `atoms`, which have probabilities; otherwise all have probabilities. */
interface Measure {
  readonly isDensity: boolean;
  readonly atoms: ReadonlySet<number>;
}

function columnMeasures({ flow, columns, table }: LoadedModel): Map<string, Measure> {
  const measureOf = (feature: number, decoded = (atom: number) => atom): Measure => {
    const atoms = flow.atoms?.[feature] ?? [];
    if (atoms === "all") return { isDensity: false, atoms: new Set() };
    return { isDensity: true, atoms: new Set(atoms.map(decoded)) };
  };
  if (!table) return new Map(columns.map((name, feature) => [name, measureOf(feature)]));
  const features = featuresOf(table);
  return new Map(
    table.map((column, c) => {
      if (column.kind === "constant") return [column.name, { isDensity: false, atoms: new Set<number>() }];
      const { kind } = column;
      const decoded = kind === "continuous" ? (x: number) => continuousValue(column, x) : undefined;
      return [column.name, measureOf(features[c][0], decoded)];
    }),
  );
}

function checkSameNames(what: string, first: readonly string[], second: readonly string[]): void {
  const difference = [
    ...first.filter((name) => !second.includes(name)),
    ...second.filter((name) => !first.includes(name)),
  ];
  if (difference.length === 0) return;
  const list = (names: readonly string[]) => (names.length === 0 ? "none" : names.join(", "));
  throw new PushforwardError("DATA", `the models have different ${what}`, {
    expected: list(first),
    received: list(second),
    hint: "Log-densities of different columns are not comparable: fit both models to the same columns.",
  });
}
