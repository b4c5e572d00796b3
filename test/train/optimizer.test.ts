import { describe, expect, it } from "vitest";
import { norm, Optimizer, type OptimizerOptions } from "../../src/train/optimizer.ts";
import { scheduleSchema, stepScale } from "../../src/train/schedule.ts";

/** The published update of Adam and AdamW for one number, without any of the foldings of the implementation. */
function adamByTheBook(
  options: { rate: number; decay: number; decoupled: boolean },
  start: number,
  gradients: number[],
) {
  let [x, m, v] = [start, 0, 0];
  gradients.forEach((gradient, i) => {
    const g = gradient + (options.decoupled ? 0 : options.decay * x);
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const mHat = m / (1 - 0.9 ** (i + 1));
    const vHat = v / (1 - 0.999 ** (i + 1));
    x -= options.rate * (mHat / (Math.sqrt(vHat) + 1e-8) + (options.decoupled ? options.decay * x : 0));
  });
  return x;
}

const gradients = [0.3, -1.2, 0.05, 2, -0.4, 0.7];

function run(options: OptimizerOptions, decays = 1): number {
  const optimizer = new Optimizer(options, Uint8Array.of(decays));
  const values = Float32Array.of(1.5);
  for (const g of gradients) optimizer.step(values, Float32Array.of(g), 1, 1);
  return values[0];
}

describe("optimizers", () => {
  it("adam and adamW follow their papers", () => {
    for (const type of ["adam", "adamW"] as const) {
      const expected = adamByTheBook({ rate: 0.01, decay: 0.1, decoupled: type === "adamW" }, 1.5, gradients);
      expect(run({ type, learningRate: 0.01, weightDecay: 0.1 })).toBeCloseTo(expected, 6);
    }
  });

  it("sgd accumulates momentum", () => {
    let [x, m] = [1.5, 0];
    for (const g of gradients) {
      m = 0.9 * m + g;
      x -= 0.01 * m;
    }
    expect(run({ type: "sgd", learningRate: 0.01 })).toBeCloseTo(x, 6);
  });

  it("decays only what it is told to", () => {
    expect(run({ type: "adamW", weightDecay: 0.5 }, 0)).toBe(run({ type: "adamW", weightDecay: 0 }));
    expect(run({ type: "adamW", weightDecay: 0.5 }, 1)).toBeLessThan(run({ type: "adamW", weightDecay: 0 }));
  });

  it("a scaled gradient is the gradient times the scale", () => {
    const values = [Float32Array.of(1), Float32Array.of(1)];
    new Optimizer({ type: "sgd" }, Uint8Array.of(0)).step(values[0], Float32Array.of(4), 1, 0.5);
    new Optimizer({ type: "sgd" }, Uint8Array.of(0)).step(values[1], Float32Array.of(2), 1, 1);
    expect(values[0]).toEqual(values[1]);
  });

  it("measures the Euclidean norm", () => {
    expect(norm(Float32Array.of(3, -4))).toBe(5);
  });
});

describe("schedules", () => {
  const at = (options: object, moment: Partial<Parameters<typeof stepScale>[1]>) =>
    stepScale(scheduleSchema.parse(options), { step: 0, totalSteps: 100, plateaus: 0, ...moment });

  it("cosine falls from 1 to its final share", () => {
    expect(at({ type: "cosine", final: 0.1 }, { step: 0 })).toBe(1);
    expect(at({ type: "cosine", final: 0.1 }, { step: 50 })).toBeCloseTo(0.55, 12);
    expect(at({ type: "cosine", final: 0.1 }, { step: 100 })).toBeCloseTo(0.1, 12);
  });

  it("plateau halves, but not below its final share", () => {
    expect(at({ type: "plateau" }, { plateaus: 2 })).toBe(0.25);
    expect(at({ type: "plateau", final: 0.1 }, { plateaus: 9 })).toBe(0.1);
  });

  it("warms up linearly", () => {
    const scales = [0, 4, 9, 10].map((step) => at({ type: "constant", warmupSteps: 10 }, { step }));
    expect(scales).toEqual([0.1, 0.5, 1, 1]);
  });
});
