import { expect, it, vi } from "vitest";
import { checkpointFile } from "../../src/files/index.ts";
import { maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { fit } from "../../src/train/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

const { path, list } = temporaryDirectory();

it("continues a training run to the same result", async () => {
  const data = new Random(1).normal(new Float64Array(600));
  const flow = () => forTables(maf(2, { transforms: 1, hidden: [8] }));
  const whole = await fit(flow(), data, { epochs: 4 });
  let saves = 0;
  const checkpoint = () =>
    checkpointFile(path("training.checkpoint"), { minIntervalMilliseconds: 0, onSave: () => saves++ });
  await fit(flow(), data, { epochs: 2, checkpoint: checkpoint() });
  expect([saves, list()]).toEqual([2, ["training.checkpoint"]]);
  const resumed = await fit(flow(), data, { epochs: 4, checkpoint: checkpoint() });
  expect(resumed.epochs).toHaveLength(4);
  expect(resumed.validationLogDensity).toBe(whole.validationLogDensity);
});

it("starts from the beginning without a file, or with resume: false", async () => {
  expect(await checkpointFile(path("none")).load()).toBeUndefined();
  await checkpointFile(path("some")).save(Uint8Array.of(1));
  expect(await checkpointFile(path("some"), { resume: false }).load()).toBeUndefined();
});

it("needs a path", () => {
  expect(() => checkpointFile(undefined as never)).toThrow("the path of a file is not a string");
});

it("is due again after the interval", async () => {
  const store = checkpointFile(path("due"), { minIntervalMilliseconds: 60_000 });
  expect(store.due()).toBe(true);
  const now = vi.spyOn(performance, "now").mockReturnValue(1000);
  await store.save(Uint8Array.of(1));
  expect(store.due()).toBe(false);
  now.mockReturnValue(60_999);
  expect(store.due()).toBe(false);
  now.mockReturnValue(61_000);
  expect(store.due()).toBe(true);
  now.mockRestore();
});
