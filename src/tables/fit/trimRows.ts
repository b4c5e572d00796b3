import { PushforwardError } from "../../check/index.ts";
import { concatRows, type InMemoryDataset, type Split } from "../../dataset/index.ts";
import { engineOptionsOf } from "../../runtime/index.ts";
import { AnomalyScorer, highestScores } from "../anomalies/index.ts";
import type { TableColumn } from "../columns/index.ts";
import { type FitMembersOptions, fitMembers } from "./fitMembers.ts";

/** Training and validation rows without the rows that have the highest anomaly scores. */
export interface KeptRows extends Split<InMemoryDataset> {
  /** The rows that were left out, by their numbers in the table. */
  readonly removed: readonly number[];
}

/**
 * Leaves out the fraction `contamination` of the rows that has the highest anomaly scores (`AnomalyScorer`) under the default model of all
 * rows. A second model of the remaining rows is less affected by anomalies among the training rows. This is one step of the algorithm for
 * trimmed likelihoods (Neykov and Müller 2003), with the anomaly score in place of minus the log-density.
 *
 * @throws ARGUMENT if `contamination` is not above 0 and below 0.5.
 */
export async function trimRows(
  columns: readonly TableColumn[],
  { training, validation }: Split<InMemoryDataset>,
  contamination: number,
  options: FitMembersOptions = {},
): Promise<KeptRows> {
  if (!(contamination > 0 && contamination < 0.5)) {
    throw new PushforwardError("ARGUMENT", "the option contamination has an invalid value", {
      expected: "a number above 0 and below 0.5",
      received: String(contamination),
    });
  }
  const { flow, stopped } = await fitMembers(columns, { training, validation }, options);
  if (stopped === "signal") return { training, validation, removed: [] };
  const run = engineOptionsOf(options);
  const reference = await AnomalyScorer.fit(columns, flow, { training, validation }, run);
  const scorer = new AnomalyScorer(columns, flow, reference);
  const trainingScores = await scorer.score(training.values, run);
  const validationScores = await scorer.score(validation.values, run);
  await scorer.release();
  await flow.release();
  const scores = concatRows([trainingScores, validationScores]);
  const count = Math.round(contamination * scores.length);
  const highest = new Set(highestScores(scores, scores.keys(), count));
  // A second model needs a validation row.
  const lowest = validationScores.indexOf(validationScores.toSorted()[0]!);
  highest.delete(training.rows + lowest);
  const removed: number[] = [];
  const kept = (rows: InMemoryDataset, first: number): InMemoryDataset => {
    const isRemoved = (n: number) => highest.has(first + n);
    const indices = Array.from({ length: rows.rows }, (_, n) => n);
    removed.push(...indices.filter(isRemoved).map((n) => rows.rowNumbers[n]));
    return rows.select(indices.filter((n) => !isRemoved(n)));
  };
  return {
    training: kept(training, 0),
    validation: kept(validation, training.rows),
    removed: removed.sort((a, b) => a - b),
  };
}
