import { describe, expect, it } from "vitest";
import { timeLeft } from "../../src/cli/format.ts";
import { RemainingTime } from "../../src/cli/remainingTime.ts";

const MINUTE = 60_000;
const NAMES = ["autoregressive", "latent-classes", "kernel-density"];

/** A step at the end of an epoch of a training run with a patience of 20 epochs, whose best epoch is the last. */
const improved = (epoch: number) => ({
  epoch,
  fraction: 1,
  best: -1,
  bestEpoch: epoch,
  lastEpoch: epoch + 20,
  maxEpochs: 500,
});

/** One member after epochs of 3 seconds, all of which were better than those before. */
function afterEpochs(epochs: number, deadline = Number.POSITIVE_INFINITY): RemainingTime {
  const remaining = new RemainingTime(deadline);
  remaining.begin({ index: 0, names: ["nsf"] }, 0);
  for (let epoch = 1; epoch <= epochs; epoch++) remaining.update(improved(epoch), 3000 * epoch);
  return remaining;
}

describe("the time that is left", () => {
  it("is not known before two seconds of training", () => {
    const remaining = new RemainingTime(Number.POSITIVE_INFINITY);
    remaining.begin({ index: 0, names: NAMES }, 0);
    expect(remaining.estimate(0)).toBeUndefined();
    remaining.update(improved(1), 500);
    remaining.update(improved(2), 1500);
    expect(remaining.estimate(1500)).toBeUndefined();
  });

  it("is that of the patience and of a quarter of the epochs so far", () => {
    expect(afterEpochs(40).estimate(120_000)).toEqual({ milliseconds: (20 + 10) * 3000, isLimit: false });
  });

  it("is at most that of the largest number of epochs", () => {
    expect(afterEpochs(490).estimate(0)).toEqual({ milliseconds: 10 * 3000, isLimit: false });
  });

  it("includes further members, which take as long as those before, and a kernel density, which takes a third", () => {
    const remaining = new RemainingTime(Number.POSITIVE_INFINITY);
    remaining.begin({ index: 0, names: NAMES }, 0);
    remaining.update(improved(1), 0);
    remaining.update(improved(40), 390_000);
    // 30 epochs of 10 seconds follow, so the member takes 690 seconds.
    expect(remaining.estimate(390_000)!.milliseconds).toBeCloseTo(300_000 + (1 + 1 / 3) * 690_000, 6);
    remaining.begin({ index: 1, names: NAMES }, 600_000);
    expect(remaining.estimate(600_000)!.milliseconds).toBeCloseTo((1 + 1 / 3) * 600_000, 6);
    remaining.begin({ index: 2, names: NAMES }, 800_000);
    expect(remaining.estimate(800_000)!.milliseconds).toBeCloseTo(600_000 / 3, 6);
  });

  it("includes the members of a second split, of which those without gradients take a third too", () => {
    const remaining = new RemainingTime(Number.POSITIVE_INFINITY);
    const names = ["autoregressive", "gaussian-mixture", "autoregressive-2", "kernel-density-2"];
    remaining.begin({ index: 0, names }, 0);
    remaining.update(improved(1), 0);
    remaining.update(improved(40), 390_000);
    expect(remaining.estimate(390_000)!.milliseconds).toBeCloseTo(300_000 + (1 + 2 / 3) * 690_000, 6);
  });

  it("includes a second model with the same members", () => {
    const remaining = new RemainingTime(Number.POSITIVE_INFINITY);
    remaining.begin({ index: 0, names: ["nsf"], modelsLeft: 1 }, 0);
    remaining.update(improved(1), 0);
    remaining.update(improved(40), 390_000);
    expect(remaining.estimate(390_000)!.milliseconds).toBeCloseTo(300_000 + 690_000, 6);
  });

  it("ends at the deadline, which is known from the beginning", () => {
    const remaining = new RemainingTime(5 * MINUTE);
    remaining.begin({ index: 0, names: NAMES }, 0);
    expect(remaining.estimate(MINUTE)).toEqual({ milliseconds: 4 * MINUTE, isLimit: true });
    expect(remaining.estimate(6 * MINUTE)).toEqual({ milliseconds: 0, isLimit: true });
    expect(afterEpochs(40, 2.5 * MINUTE).estimate(2 * MINUTE)).toEqual({
      milliseconds: MINUTE / 2,
      isLimit: true,
    });
    expect(afterEpochs(40, 10 * MINUTE).estimate(2 * MINUTE)).toMatchObject({ isLimit: false });
  });
});

it("is written in whole minutes or hours", () => {
  const texts = [59_999, MINUTE, 150_000, 89 * MINUTE, 150 * MINUTE].map((milliseconds) =>
    timeLeft({ milliseconds, isLimit: false }),
  );
  expect(texts).toEqual([
    "less than 1 min left",
    "about 1 min left",
    "about 3 min left",
    "about 89 min left",
    "about 3 h left",
  ]);
  const limits = [90_000, 3.4 * MINUTE, 140 * MINUTE].map((milliseconds) =>
    timeLeft({ milliseconds, isLimit: true }),
  );
  expect(limits).toEqual(["at most 2 min left", "at most 4 min left", "at most 3 h left"]);
});
