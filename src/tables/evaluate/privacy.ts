import { checkOptions } from "../../check/index.ts";
import { quantile } from "../../numerics/index.ts";
import type { TableInput } from "../columns/index.ts";
import { auroc } from "./auroc.ts";
import { type ComparedRows, type CompareOptions, comparedRows, compareRules } from "./comparedRows.ts";
import { nearestDistances, scaleRows } from "./rowDistance.ts";

/** The distances of rows to the closest training row. */
export interface ClosestRows {
  /** The share of the rows that are equal to a training row. */
  readonly copies: number;
  /** The median and the 5% quantile of the distances to the closest training row, from 0 to 1. */
  readonly median: number;
  readonly low: number;
}

/** The result of `privacy`. */
export interface PrivacyResult {
  readonly generated: ClosestRows;
  /** For held-out rows. Some of them are close to training rows too, since the distribution itself repeats values. */
  readonly heldOut: ClosestRows;
  /**
   * The probability that the distance of a generated row to the closest training row is smaller than the distance of a held-out row, where
   * equal distances count one half: 0.5 for new rows of the distribution, 1 for copies.
   */
  readonly closer: number;
  readonly closerStandardError: number;
}

/**
 * Whether generated rows repeat training rows: the median and the 5% quantile of their distances to the closest record (DCR), and the share
 * of copied rows, both beside the numbers of held-out rows. Distances are those of Gower (1971). It measures memorization only; it is no
 * guarantee, such as differential privacy, against other attacks (Ganev and De Cristofaro 2023).
 *
 * @throws DATA if a table lacks a column.
 */
export function privacy<Training extends object, HeldOut extends object, Generated extends object>(
  training: TableInput<Training>,
  heldOut: TableInput<HeldOut>,
  generated: TableInput<Generated>,
  options: CompareOptions = {},
): PrivacyResult {
  checkOptions("privacy", options, compareRules);
  const [learned, others, drawn] = comparedRows({ training, heldOut, generated }, options);
  return privacyFrom(learned, others)(drawn);
}

/** The function that compares generated rows with these real rows, whose distances are computed only once. */
export function privacyFrom(
  training: ComparedRows,
  heldOut: ComparedRows,
): (generated: ComparedRows) => PrivacyResult {
  const distances = (rows: ComparedRows) => {
    const [first, second] = scaleRows([training, rows]);
    return nearestDistances(second, first);
  };
  const ofHeldOut = distances(heldOut);
  return (generated) => {
    const ofGenerated = distances(generated);
    const { value, standardError } = auroc(
      ofGenerated.map((distance) => -distance),
      ofHeldOut.map((distance) => -distance),
    );
    return {
      generated: closestRows(ofGenerated),
      heldOut: closestRows(ofHeldOut),
      closer: value,
      closerStandardError: standardError,
    };
  };
}

function closestRows(distances: Float64Array): ClosestRows {
  const sorted = distances.slice().sort();
  const copies = sorted.filter((distance) => distance === 0).length;
  return { copies: copies / sorted.length, median: quantile(sorted, 0.5), low: quantile(sorted, 0.05) };
}
