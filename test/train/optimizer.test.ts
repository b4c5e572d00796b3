import { describe, expect, it } from "vitest";
import { Parameter } from "../../src/graph/parameter.ts";
import { compile } from "../../src/runtime/compile.ts";
import { FlatParameters } from "../../src/train/flatParameters.ts";
import { Optimizer, type OptimizerOptions } from "../../src/train/optimizer.ts";
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

/** Nine numbers, so that the kernel's groups of four are not all full; `name` decides whether they decay. */
const parameters = (name: string, start: number) =>
  new FlatParameters(new Map([[name, new Parameter([9], new Float32Array(9).fill(start))]]));

function run(options: OptimizerOptions, name = "layer.weight"): number {
  const flat = parameters(name, 1.5);
  const optimizer = new Optimizer(options, flat);
  for (const g of gradients) {
    flat.gradient.fill(g, 0, 9);
    optimizer.step(1, 1);
  }
  expect([...flat.values.subarray(0, 9)]).toEqual(new Array(9).fill(flat.values[0]));
  expect([...flat.values.subarray(9)]).toEqual([0, 0, 0]);
  return flat.values[0];
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
    const still = run({ type: "adamW", weightDecay: 0 });
    expect(run({ type: "adamW", weightDecay: 0.5 }, "layer.bias")).toBe(still);
    expect(run({ type: "adamW", weightDecay: 0.5 }, "layer.weight")).toBeLessThan(still);
  });

  it("a scaled gradient is the gradient times the scale", () => {
    for (const type of ["adam", "sgd"] as const) {
      const values = [
        [4, 0.5],
        [2, 1],
      ].map(([gradient, scale]) => {
        const flat = parameters("weight", 1);
        flat.gradient.fill(gradient);
        new Optimizer({ type }, flat).step(1, scale);
        return flat.values[0];
      });
      expect(values[0]).toBe(values[1]);
    }
  });
});

describe("flat parameters", () => {
  const names = ["a.weight", "a.bias", "b.weight", "c.weight"];
  const sizes = [6, 3, 8, 1];
  const build = () =>
    new Map(
      names.map((name, i) => [name, new Parameter([sizes[i]], new Float32Array(sizes[i]).fill(i + 1))]),
    );

  it("are views that never share a number, in runs of equal decay", () => {
    const all = build();
    const flat = new FlatParameters(all);
    flat.values.forEach((_, i) => {
      flat.values[i] = i;
    });
    const seen = [...all.values()].flatMap(({ value }) => [...value]);
    expect(new Set(seen).size).toBe(18);
    expect(flat.runs).toEqual([
      { start: 0, count: 8, decays: true },
      { start: 8, count: 4, decays: false },
      { start: 12, count: 12, decays: true },
    ]);
  });

  it("add gradients, measure their norm and move the average", () => {
    const flat = new FlatParameters(build());
    const part = new Float32Array(flat.gradient.length);
    [flat.gradient[0], flat.gradient[1], part[1], part[20]] = [1, 2, -6, 8];
    flat.addGradient([part]);
    expect(flat.gradientNorm()).toBe(9);
    flat.values.fill(5);
    flat.moveAverage(0.75);
    expect(flat.average[0]).toBe(0.75 * 1 + 0.25 * 5);
    expect(flat.average[20]).toBe(0.75 * 4 + 0.25 * 5);
  });

  it("travel in parcels, large ones alone, and come back in their places", async () => {
    const all = new Map([["large", new Parameter([50, 100], new Float32Array(5000))], ...build()]);
    const flat = new FlatParameters(all);
    expect(flat.parcels.map(({ shape }) => shape)).toEqual([[24], [50, 100]]);
    const round = compile(
      (...parcels) => flat.pack(flat.unpack(parcels)),
      flat.parcels.map(({ shape }) => shape),
    );
    const numbers = flat.parcels.map(({ start, end }) =>
      Float32Array.from({ length: end - start }, (_, i) => start + i + 1),
    );
    flat.addGradient(await round(...numbers));
    flat.values.set(flat.gradient);
    expect([...all.values()].map(({ value }) => value[0])).toEqual([25, 1, 9, 13, 21]);
    expect([...flat.gradient.subarray(0, 24)].filter(Boolean).length).toBe(18);
  });

  it("give the parameters their own arrays back", () => {
    const all = build();
    const flat = new FlatParameters(all);
    flat.detach();
    flat.values.fill(7);
    expect([...all.get("b.weight")!.value]).toEqual(new Array(8).fill(3));
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
