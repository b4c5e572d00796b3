import { describe, expect, test } from "vitest";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { Random } from "../../src/random/index.ts";
import type { TableColumn } from "../../src/tables/tableColumn.ts";
import { candidatesFor } from "../../src/train/memberCandidates.ts";

function members(rows: number, features: number) {
  const columns = Array.from(
    { length: features },
    (_, i): TableColumn => ({
      name: `c${i}`,
      kind: "continuous",
      type: "number",
      center: 0,
      scale: { type: "linear" },
      gaps: false,
    }),
  );
  const values = new Random(0).normal(new Float64Array(rows * features));
  const training = new InMemoryDataset({ features, values });
  return candidatesFor(columns, training, { seed: 0, embedding: undefined, kernel: true });
}

describe("the members of the default model", () => {
  test("include flows, latent classes and a kernel density for a small table of real numbers", () => {
    expect(members(50, 3).map(({ name }) => name)).toEqual([
      "autoregressive",
      "latent-classes",
      "kernel-density",
      "affine",
      "splines",
      "mixture",
    ]);
  });

  test("have one component and few knots in each column if there are many columns", () => {
    const [autoregressive] = members(50, 200);
    expect(autoregressive.flow.base.describe()).toMatchObject({
      columns: new Array(200).fill({ components: 1, linearComponents: 0 }),
    });
  });

  test("do not include latent classes if there are more columns than rows", () => {
    const names = (rows: number) => members(rows, 102).map(({ name }) => name);
    expect(names(102)).toContain("latent-classes");
    expect(names(101)).not.toContain("latent-classes");
  });
});
