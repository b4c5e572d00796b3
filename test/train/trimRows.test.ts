import { expect, test } from "vitest";
import { fitTable, Random } from "../../src/index.ts";

test("with the option contamination, most outliers are left out of the training, and new rows without outliers have a higher log-density", async () => {
  const random = new Random(3);
  const z = random.split("normal").normal(new Float64Array(1000));
  const u = random.split("uniform").uniform(new Float64Array(900));
  const clean = Array.from({ length: 500 }, (_, n) => ({ a: z[2 * n]!, b: z[2 * n]! + 0.3 * z[2 * n + 1]! }));
  const isScattered = (n: number) => u[3 * n]! < 0.2;
  const rows = clean
    .slice(0, 300)
    .map((row, n) => (isScattered(n) ? { a: 16 * u[3 * n + 1]! - 8, b: 16 * u[3 * n + 2]! - 8 } : row));
  const fresh = clean.slice(300);
  const fit = async (contamination?: number) => {
    const options = {
      epochs: 12,
      budget: "small" as const,
      testFraction: 0,
      kernel: false,
      ...(contamination !== undefined && { contamination }),
    };
    const { model, ...result } = await fitTable(rows, options);
    const logDensities = await model.score(fresh);
    await model.release();
    return { ...result, mean: logDensities.reduce((sum, value) => sum + value, 0) / fresh.length };
  };
  const [all, robust] = [await fit(), await fit(0.2)];
  expect(all.trimmedRows).toEqual([]);
  expect(robust.trimmedRows).toHaveLength(60);
  expect(robust.trimmedRows.filter(isScattered).length).toBeGreaterThan(48);
  expect(robust.validationRows.filter((row) => robust.trimmedRows.includes(row))).toEqual([]);
  // A fifth of the mass of the other model is where no fresh row is, which costs -log(0.8) = 0.22 nats.
  expect(robust.mean).toBeGreaterThan(all.mean + 0.1);
  // Of 12 rows, one is for validation. It stays, however high its score is.
  const few = await fitTable(rows.slice(0, 12), {
    epochs: 1,
    budget: "small",
    testFraction: 0,
    contamination: 0.45,
  });
  expect(few.validationRows).toHaveLength(1);
  await few.model.release();
  await expect(fit(0.5)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option contamination has an invalid value: expected a number above 0 and below 0.5, received 0.5.]`,
  );
});
