import { expect, it } from "vitest";
import { Uniform } from "../../../src/distributions/index.ts";
import { AnomalyScorer } from "../../../src/flows/anomalies/anomalyScorer.ts";
import { dataset, Flow } from "../../../src/index.ts";
import { realColumn } from "../../../src/tables/realColumn.ts";

it("stays finite for other rows if a validation row is impossible for the model", async () => {
  const columns = [realColumn("x")];
  const flow = new Flow(new Uniform({ features: 1, low: 0, high: 1 }));
  const rows = (values: number[]) => dataset(values, { features: 1 });
  const inside = Array.from({ length: 50 }, (_, i) => (i + 0.5) / 50);
  const reference = await AnomalyScorer.fit(
    columns,
    flow,
    { training: rows(inside), validation: rows([...inside, 2]), test: rows([0.3, 0.6]) },
    { keepRows: false },
  );
  expect([...reference.meanSurprise, ...reference.calibration]).toEqual([0, 0, 0]);
  const scorer = new AnomalyScorer(columns, flow, reference);
  expect([...(await scorer.score(Float64Array.of(0.5, 2)))]).toEqual([0, Number.POSITIVE_INFINITY]);
  await scorer.release();
});
