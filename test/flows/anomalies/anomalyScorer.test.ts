import { expect, it, vi } from "vitest";
import { Uniform } from "../../../src/distributions/index.ts";
import { dataset, Flow } from "../../../src/index.ts";
import { splitAnomalyArrays } from "../../../src/model/splitAnomalyArrays.ts";
import type { StoredArray } from "../../../src/parts/safetensors.ts";
import { AnomalyScorer } from "../../../src/tables/anomalies/anomalyScorer.ts";
import { AnomalyStatistics } from "../../../src/tables/anomalies/anomalyStatistics.ts";
import { anomalyArrays, readAnomalyReference } from "../../../src/tables/anomalies/storedReference.ts";
import { realColumn } from "../../../src/tables/columns/realColumn.ts";

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
  // All surprises in the interval are 0, the threshold, which a tenth of the rows exceed.
  const ordinary = Math.log(10);
  expect([...reference.meanSurprises, ...reference.calibration]).toEqual([
    0,
    expect.closeTo(ordinary, 12),
    expect.closeTo(ordinary, 12),
  ]);
  const scorer = new AnomalyScorer(columns, flow, reference);
  expect([...(await scorer.score(Float64Array.of(0.5, 2)))]).toEqual([
    expect.closeTo(ordinary, 12),
    Number.POSITIVE_INFINITY,
  ]);
  await scorer.release();
});

it("frees its sessions if the test rows cannot be scored", async () => {
  const release = vi.spyOn(AnomalyStatistics.prototype, "release");
  const flow = new Flow(new Uniform({ features: 1, low: 0, high: 1 }));
  const rows = dataset([0.1, 0.5, 0.9], { features: 1 });
  const scoring = vi.spyOn(AnomalyStatistics.prototype, "compute").mockRejectedValue(new Error("no memory"));
  const sets = { training: rows, validation: rows, test: rows };
  await expect(AnomalyScorer.fit([realColumn("x")], flow, sets)).rejects.toThrow("no memory");
  expect(release).toHaveBeenCalled();
  scoring.mockRestore();
  release.mockRestore();
});

it("reports arrays of a reference that are missing, unknown or of a wrong length", async () => {
  const columns = [realColumn("x"), realColumn("y")];
  const flow = new Flow(new Uniform({ features: 2, low: 0, high: 1 }));
  const rows = dataset([0.1, 0.2, 0.5, 0.4, 0.9, 0.7], { features: 2 });
  const reference = await AnomalyScorer.fit(columns, flow, { training: rows, validation: rows });
  const read = (changes: Iterable<[string, StoredArray]>, removed?: string) => {
    const stored = new Map([...anomalyArrays(reference, flow), ...changes]);
    const { anomalyArrays: arrays } = splitAnomalyArrays(stored);
    if (removed) arrays.delete(removed);
    return readAnomalyReference(arrays, 2);
  };
  expect(read([])).toEqual(reference);
  expect(() => read([], "tails")).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model has no array anomalies.tails.
    The file was not written by pushforward, or was changed since.]
  `);
  const means = { shape: [2], values: new Float64Array(2) };
  expect(() => read([["anomalies.extra", means]])).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model has the array "anomalies.extra", which is not part of its reference for anomalies.
    The file was not written by pushforward, or was changed since.]
  `);
  // The uniform distribution has no conditional distributions, so it has a single surprise.
  const changed = read([["anomalies.meanSurprises", means]])!;
  expect(() => new AnomalyScorer(columns, flow, changed)).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model has invalid numbers in the array anomalies.meanSurprises: expected [1], received [2].
    The file was not written by pushforward, or was changed since.]
  `);
});
