import type { Dataset } from "../dataset/index.ts";
import { testFractionOf as fractionOf, splitWithTest } from "../dataset/splitWithTest.ts";
import type { FitValues } from "./fitOptions.ts";
import type { RowParts } from "./fitReport.ts";

/** The fraction of the rows that a finished model is tested on. */
export const testFractionOf = (rows: number, { testFraction }: Pick<FitValues, "testFraction">): number =>
  fractionOf(rows, testFraction);

/** Splits rows at random into training, validation and test rows. Equal options give an equal split. */
export const splitRows = (
  all: Dataset,
  { seed, testFraction, validationFraction }: Pick<FitValues, "seed" | "testFraction" | "validationFraction">,
): RowParts => splitWithTest(all, { seed, testFraction, validationFraction, name: "--test-fraction" });
