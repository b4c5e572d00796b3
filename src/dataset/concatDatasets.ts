import { concatRows } from "./concatRows.ts";
import type { InMemoryDataset } from "./inMemoryDataset.ts";

/** The rows of all parts, of which there is at least one, and which have the same columns. */
export const concatDatasets = (parts: readonly InMemoryDataset[]): InMemoryDataset =>
  parts[0]!.with({
    values: concatRows(parts.map(({ storedValues }) => storedValues)),
    context: concatRows(parts.map(({ context }) => context)),
    weights: concatRows(parts.map(({ weights }) => weights)),
    rowNumbers: Int32Array.from(parts.flatMap(({ rowNumbers }) => [...rowNumbers])),
  });
