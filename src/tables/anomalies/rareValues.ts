import type { RunOptions } from "../../flows/index.ts";
import { decodeRows, featuresOf, type TableColumn } from "../columns/index.ts";
import type { AnomalyScorer } from "./anomalyScorer.ts";
import { type AnomalyReason, expectedValue, sortedByGain } from "./reasons.ts";

/**
 * The reasons of rows of positions [N, D], with rare values. In a row whose score is not determined by its conditional surprise, each
 * reason for a value that is rarer in the whole table than given the other columns states how rare it is, and the values of the training
 * rows.
 */
export async function withRareValues(
  columns: readonly TableColumn[],
  scorer: AnomalyScorer,
  positions: Float64Array,
  reasons: AnomalyReason[][],
  run: RunOptions = {},
): Promise<AnomalyReason[][]> {
  const { rows, featureScales } = scorer.reference;
  const leading = await scorer.leadingStatistics(positions, run);
  if (leading.every((statistic) => statistic === "surprise")) return reasons;
  const D = featureScales.length;
  const rarities = scorer.statistics.rarities(positions);
  const trainingValues = decodeRows(columns, rows);
  const features = featuresOf(columns);
  const indices = new Map(columns.map(({ name }, c) => [name, c]));
  return reasons.map((rowReasons, n) => {
    if (leading[n] === "surprise") return rowReasons;
    const replaced = rowReasons.map((reason) => {
      const c = indices.get(reason.column)!;
      const rarity = features[c].reduce((sum, feature) => sum + rarities[n * D + feature], 0);
      return rarity > reason.gain
        ? {
            ...reason,
            conditional: false,
            gain: rarity,
            expected: expectedValue(columns[c], trainingValues[c]),
          }
        : reason;
    });
    return sortedByGain(replaced);
  });
}
