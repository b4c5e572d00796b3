import { describe, expect, it } from "vitest";
import { trainingFigure } from "../../src/report/index.ts";
import { notNumbers, open, panelNames, texts, tickTexts } from "./figures.ts";

const epochs = Array.from({ length: 40 }, (_, k) => ({
  epoch: k + 1,
  trainLogDensity: 2 - 3 * Math.exp(-k / 5) + 0.01 * k,
  validationLogDensity: 2 - 3 * Math.exp(-k / 5) - 0.0005 * (k - 20) ** 2,
}));

const numbers = (ticks: string[]) => ticks.map((text) => Number(text.replace("−", "-")));

describe("trainingFigure", () => {
  it("draws both curves, their names, the best epoch and the baseline", async () => {
    const figure = open(
      await trainingFigure({
        epochs,
        bestEpoch: 24,
        baseline: { label: "Gaussian", value: 0.5 },
        title: "Fit",
      }),
    );
    expect(panelNames(figure)).toEqual(["mean log-density per epoch"]);
    expect(notNumbers(figure)).toEqual([]);
    expect(figure.querySelectorAll("[aria-label=line] path")).toHaveLength(2);
    expect(figure.querySelectorAll("[aria-label=dot] circle")).toHaveLength(1);
    expect(figure.querySelectorAll("[aria-label=rule] line")).toHaveLength(2);
    expect(texts(figure).slice(0, 2)).toEqual([
      "Fit",
      "Epoch 24: validation 1.965, training 2.200, Gaussian 0.500 nats.",
    ]);
    for (const text of [
      "training",
      "validation",
      "Gaussian",
      "best epoch 24",
      "epoch",
      "mean log-density (nats)",
    ]) {
      expect(texts(figure)).toContain(text);
    }
  });

  it("has the same range if the first epochs are very low or not finite", async () => {
    const ticks = numbers(tickTexts(open(await trainingFigure({ epochs, bestEpoch: 24 })), 0, "y"));
    const terrible = epochs.map((epoch, k) =>
      k < 3 ? { ...epoch, trainLogDensity: -1e7, validationLogDensity: -1e9 } : epoch,
    );
    terrible[0]!.validationLogDensity = Number.NEGATIVE_INFINITY;
    terrible[1]!.trainLogDensity = Number.NaN;
    const figure = open(await trainingFigure({ epochs: terrible, bestEpoch: 24 }));
    const shown = numbers(tickTexts(figure, 0, "y"));
    expect(Math.max(...shown)).toBe(Math.max(...ticks));
    expect(Math.min(...shown)).toBeGreaterThan(-3);
    expect(notNumbers(figure)).toEqual([]);
  });

  it("shows bits per dimension of images, whose highest values are cut off", async () => {
    const nats = (bits: number) => -bits * 8 * Math.LN2;
    const ofImages = [30, 2, 1.5, 1.25, 1].map((bits, i) => ({
      epoch: i + 1,
      trainLogDensity: nats(bits),
      validationLogDensity: nats(bits),
    }));
    const figure = open(
      await trainingFigure({
        epochs: ofImages,
        bestEpoch: 5,
        features: 8,
        baseline: { label: "independent pixels", value: nats(1.75) },
      }),
    );
    expect(texts(figure)[1]).toBe(
      "Epoch 5: validation 1.000, training 1.000, independent pixels 1.750 bits per dimension.",
    );
    const ticks = numbers(tickTexts(figure, 0, "y"));
    expect(Math.min(...ticks)).toBeGreaterThan(0.5);
    expect(Math.max(...ticks)).toBeLessThan(10);
    expect(notNumbers(figure)).toEqual([]);
  });

  it("has no training log-density in the caption if the best epoch is the start", async () => {
    const start = { epoch: 0, trainLogDensity: Number.NaN, validationLogDensity: 3 };
    const figure = open(await trainingFigure({ epochs: [start, ...epochs], bestEpoch: 0 }));
    expect(texts(figure)[1]).toBe("Epoch 0: validation 3.000 nats.");
  });

  it("shows a near baseline, and has a far one only in the caption", async () => {
    const near = open(
      await trainingFigure({ epochs, bestEpoch: 24, baseline: { label: "Gaussian", value: -3 } }),
    );
    expect(Math.min(...numbers(tickTexts(near, 0, "y")))).toBe(-3);
    const far = open(
      await trainingFigure({ epochs, bestEpoch: 24, baseline: { label: "Gaussian", value: -3000 } }),
    );
    expect(texts(far)[1]).toContain("Gaussian −3000.000 (off the axis)");
    expect(far.querySelectorAll("[aria-label=rule] line")).toHaveLength(1);
  });

  it("labels curves that end at the same height without overlap, and curves that end outside of the frame", async () => {
    const identical = [1, 2].map((epoch) => ({ epoch, trainLogDensity: epoch, validationLogDensity: epoch }));
    const figure = open(
      await trainingFigure({ epochs: identical, bestEpoch: 2, baseline: { label: "Gaussian", value: 2 } }),
    );
    const heights = ["training", "validation", "Gaussian"].map(heightIn(figure)).sort((a, b) => a - b);
    expect(heights[1]! - heights[0]!).toBeGreaterThanOrEqual(14);
    expect(heights[2]! - heights[1]!).toBeGreaterThanOrEqual(14);

    const diverged = epochs.map((epoch, k) => (k > 37 ? { ...epoch, validationLogDensity: -1e6 } : epoch));
    const out = open(await trainingFigure({ epochs: diverged, bestEpoch: 24 }));
    expect(heightIn(out)("validation") - heightIn(out)("training")).toBeGreaterThan(200);
  });

  it("draws a single epoch", async () => {
    const figure = open(await trainingFigure({ epochs: epochs.slice(0, 1), bestEpoch: 1 }));
    expect(tickTexts(figure, 0, "x")).toEqual(["0", "1", "2"]);
    expect(figure.querySelectorAll("circle")).toHaveLength(3);
    expect(notNumbers(figure)).toEqual([]);
  });

  it("has messages for invalid inputs", async () => {
    await expect(trainingFigure({ epochs, bestEpoch: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: bestEpoch is not one of the epochs: expected one of 1 to 40, received 0.]`,
    );
    await expect(trainingFigure({ epochs: [], bestEpoch: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: bestEpoch is not one of the epochs: expected at least one epoch, received 1.]`,
    );
    const empty = [{ epoch: 1, trainLogDensity: Number.NaN, validationLogDensity: Number.NaN }];
    await expect(trainingFigure({ epochs: empty, bestEpoch: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: no log-density of the training is finite.]`,
    );
  });
});

const heightIn = (figure: Document) => (text: string) =>
  Number(
    [...figure.querySelectorAll("text")].find((element) => element.textContent === text)!.getAttribute("y"),
  );
