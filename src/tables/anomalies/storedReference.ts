import { brief, PushforwardError } from "../../check/index.ts";
import { ANOMALY_PREFIX } from "../../model/index.ts";
import type { StoredArray } from "../../parts/index.ts";
import type { AnomalyReference } from "./anomalyScorer.ts";
import { STATISTICS, type Statistic } from "./anomalyStatistics.ts";

const NAMES = ["rows", "calibration", "featureScales", "meanSurprises", "tails"] as const;
const CHANGED_FILE_HINT = "The file was not written by pushforward, or was changed since.";

/** The means of the surprises in a single order of the features. */
const NAME_IN_EARLIER_VERSIONS = "meanSurprise";

/**
 * The arrays of a model file that store a reference. `rows` [M, D] is float32 if this changes no number, and float64 otherwise: rounding
 * would change which values are equal, and so the scores that calibrate.
 */
export function anomalyArrays(
  { rows, featureScales, meanSurprises, tails, calibration }: AnomalyReference,
  { features }: { readonly features: number },
): [string, StoredArray][] {
  const tailNumbers = Float64Array.from(
    STATISTICS.flatMap((name) => [tails[name].threshold, tails[name].meanExcess]),
  );
  const isFloat32 = rows.every((value) => Object.is(Math.fround(value), value));
  const arrays = { calibration, featureScales, meanSurprises, tails: tailNumbers };
  return [
    [
      `${ANOMALY_PREFIX}rows`,
      { shape: [rows.length / features, features], values: isFloat32 ? Float32Array.from(rows) : rows },
    ],
    ...Object.entries(arrays).map(([name, values]): [string, StoredArray] => [
      `${ANOMALY_PREFIX}${name}`,
      { shape: [values.length], values },
    ]),
  ];
}

/**
 * The reference of a model with D features; undefined if the file has none, or one of an earlier version, whose scores are not comparable.
 * Throws `MODEL` for arrays that are not a reference.
 */
export function readAnomalyReference(
  arrays: ReadonlyMap<string, StoredArray>,
  features: number,
): AnomalyReference | undefined {
  if (arrays.size === 0 || arrays.has(NAME_IN_EARLIER_VERSIONS)) return undefined;
  checkNames(arrays);
  const vector = (name: (typeof NAMES)[number]): Float64Array => {
    const array = arrays.get(name)!;
    if (array.values instanceof Float64Array && array.shape.length === 1) return array.values;
    throw invalidNumbers(`the array ${ANOMALY_PREFIX}${name}`, "float64 numbers [n]", shapeOf(array));
  };
  const rows = arrays.get("rows")!;
  const isFloat = rows.values instanceof Float32Array || rows.values instanceof Float64Array;
  if (!isFloat || rows.shape.length !== 2 || rows.shape[1] !== features)
    throw invalidNumbers(
      `the array ${ANOMALY_PREFIX}rows`,
      `float32 or float64 numbers [M, ${features}]`,
      shapeOf(rows),
    );
  const [calibration, featureScales, meanSurprises, tailNumbers] = NAMES.slice(1).map(vector);
  const areValid =
    featureScales.length === features &&
    featureScales.every((scale) => scale > 0 && Number.isFinite(scale)) &&
    meanSurprises.every(Number.isFinite) &&
    tailNumbers.length === 2 * STATISTICS.length &&
    tailNumbers.every((number, i) => Number.isFinite(number) && (i % 2 === 0 || number > 0)) &&
    calibration.every((score, i) => score >= (calibration[i - 1] ?? Number.NEGATIVE_INFINITY));
  if (!areValid)
    throw invalidNumbers("the anomaly scores", "finite means, positive scales, ascending scores");
  return {
    rows: Float64Array.from(rows.values),
    featureScales,
    meanSurprises,
    tails: Object.fromEntries(
      STATISTICS.map((name, i) => [
        name,
        { threshold: tailNumbers[2 * i], meanExcess: tailNumbers[2 * i + 1] },
      ]),
    ) as Record<Statistic, { threshold: number; meanExcess: number }>,
    calibration,
  };
}

function checkNames(arrays: ReadonlyMap<string, StoredArray>): void {
  const unknown = [...arrays.keys()].find((name) => !NAMES.some((known) => known === name));
  if (unknown !== undefined)
    throw new PushforwardError(
      "MODEL",
      `the model has the array ${brief(ANOMALY_PREFIX + unknown)}, which is not part of its reference for anomalies`,
      { hint: CHANGED_FILE_HINT },
    );
  const missing = NAMES.find((name) => !arrays.has(name));
  if (missing)
    throw new PushforwardError("MODEL", `the model has no array ${ANOMALY_PREFIX}${missing}`, {
      hint: CHANGED_FILE_HINT,
    });
}

const shapeOf = ({ shape }: StoredArray): string => `[${shape.join(", ")}]`;

/** The error for numbers of a reference that `encodeModel` does not write. */
export const invalidNumbers = (what: string, expected: string, received?: string): PushforwardError =>
  new PushforwardError("MODEL", `the model has invalid numbers in ${what}`, {
    expected,
    received,
    hint: CHANGED_FILE_HINT,
  });
