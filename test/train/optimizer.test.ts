import { describe, expect, it } from "vitest";
import { Parameter } from "../../src/graph/parameter.ts";
import { compile } from "../../src/runtime/compile.ts";
import { FlatParameters, threadsInMemory } from "../../src/train/flatParameters.ts";
import { Optimizer, type OptimizerOptions } from "../../src/train/optimizer.ts";
import { scheduleFactor, scheduleSchema } from "../../src/train/schedule.ts";

/** The update of Adam and AdamW for one number as in the papers, without the simplifications of the implementation. */
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

/** Nine numbers, so that the last group of four numbers of the kernel is not full. */
const parameters = (start: number, decay = true) =>
  new FlatParameters(
    new Map([["layer.weight", new Parameter([9], new Float32Array(9).fill(start), { decay })]]),
  );

async function run(options: OptimizerOptions, decay = true): Promise<number> {
  const flat = parameters(1.5, decay);
  const optimizer = new Optimizer(options, flat);
  for (const g of gradients) {
    flat.gradient.fill(g, 0, 9);
    await optimizer.step(1, 1, 0);
  }
  expect([...flat.average.subarray(0, 9)]).toEqual(new Array(9).fill(1.5));
  expect([...flat.values.subarray(0, 9)]).toEqual(new Array(9).fill(flat.values[0]));
  expect([...flat.values.subarray(9)]).toEqual([0, 0, 0]);
  return flat.values[0];
}

describe("optimizers", () => {
  it("adam and adamW take the steps of their papers", async () => {
    for (const type of ["adam", "adamW"] as const) {
      const expected = adamByTheBook({ rate: 0.01, decay: 0.1, decoupled: type === "adamW" }, 1.5, gradients);
      expect(await run({ type, learningRate: 0.01, weightDecay: 0.1 })).toBeCloseTo(expected, 6);
    }
  });

  it("adamax takes the steps of its paper", async () => {
    let [x, m, largest] = [1.5, 0, 0];
    gradients.forEach((gradient, i) => {
      const g = gradient + 0.1 * x;
      m = 0.9 * m + 0.1 * g;
      largest = Math.max(0.999 * largest, Math.abs(g));
      x -= (0.01 / (1 - 0.9 ** (i + 1))) * (m / (largest + 1e-8));
    });
    expect(await run({ type: "adamax", learningRate: 0.01, weightDecay: 0.1 })).toBeCloseTo(x, 6);
  });

  it("sgd accumulates momentum", async () => {
    let [x, m] = [1.5, 0];
    for (const g of gradients) {
      m = 0.9 * m + g;
      x -= 0.01 * m;
    }
    expect(await run({ type: "sgd", learningRate: 0.01 })).toBeCloseTo(x, 6);
  });

  it("weight decay applies only to parameters created with decay", async () => {
    for (const type of ["adamW", "adam", "adamax", "sgd"] as const) {
      const still = await run({ type, weightDecay: 0 });
      expect(await run({ type, weightDecay: 0.5 }, false)).toBe(still);
      expect(await run({ type, weightDecay: 0.5 }, true)).toBeLessThan(still);
    }
  });

  it("moments of gradients that have become 0 are flushed to 0 and not denormal", async () => {
    const flat = parameters(1, false);
    const optimizer = new Optimizer({ beta2: 0.9 }, flat);
    flat.gradient.fill(1e-3);
    await optimizer.step(1, 1, 0);
    flat.gradient.fill(0);
    for (let step = 0; step < 900; step++) await optimizer.step(1, 1, 0);
    expect([...flat.firstMoment, ...flat.secondMoment].filter((value) => value !== 0)).toEqual([]);
  });

  it("gradientScale multiplies the gradient", async () => {
    const afterTwoSteps = async (type: OptimizerOptions["type"], gradient: number, scale: number) => {
      const flat = parameters(1, false);
      const optimizer = new Optimizer({ type }, flat);
      flat.gradient.fill(gradient);
      await optimizer.step(1, scale, 0);
      // The first step of Adam and its variants does not depend on the scale of the gradient, but the second does.
      flat.gradient.fill(1);
      await optimizer.step(1, 1, 0);
      return flat.values[0];
    };
    for (const type of ["adam", "adamW", "adamax", "sgd"] as const) {
      expect(await afterTwoSteps(type, 4, 0.5)).toBe(await afterTwoSteps(type, 2, 1));
      expect(await afterTwoSteps(type, 4, 0.5)).not.toBe(await afterTwoSteps(type, 4, 1));
    }
  });
});

describe("flat parameters", () => {
  const names = ["a.weight", "a.bias", "b.weight", "c.weight"];
  const sizes = [6, 3, 8, 1];
  const build = () =>
    new Map(
      names.map((name, i) => [
        name,
        new Parameter([sizes[i]], new Float32Array(sizes[i]).fill(i + 1), {
          decay: name.endsWith(".weight"),
        }),
      ]),
    );

  it("are disjoint views, grouped by weight decay", () => {
    const all = build();
    const flat = new FlatParameters(all);
    flat.values.forEach((_, i) => {
      flat.values[i] = i;
    });
    const seen = [...all.values()].flatMap(({ value }) => [...value]);
    expect(new Set(seen).size).toBe(18);
    expect(flat.groups).toEqual([
      { start: 0, count: 4, decays: false },
      { start: 4, count: 16, decays: true },
    ]);
  });

  it("use fewer threads if their gradients do not fit in the memory of WebAssembly", () => {
    const threads = [1e6, 80e6, 150e6, 212e6].map((numbers) => threadsInMemory(numbers, 8));
    expect(threads).toEqual([8, 7, 1, 1]);
    expect(() => threadsInMemory(213e6, 8)).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model has too many trainable parameters: expected at most 212 million numbers, whose gradients, moments and averages fit in 4 GiB, received 213000000.
      Choose narrower layers, or fewer of them.]
    `);
  });

  it.each([1, 3])(
    "add up the gradients of %i threads in their order and measure the sum",
    async (threads) => {
      const flat = new FlatParameters(build(), threads);
      const last = flat.threadGradients[threads - 1];
      [flat.threadGradients[0][0], flat.threadGradients[0][1]] = [1, 2];
      last[1] -= 6;
      last[19] += 8;
      await flat.sumGradients(threads);
      expect(flat.gradientNorm).toBe(9);
      expect([...flat.gradient].filter(Boolean)).toEqual([1, -4, 8]);
      // The gradient of a thread that computed no shard is not added.
      last[7] = 100;
      if (threads > 1) await flat.sumGradients(1);
      expect(flat.gradientNorm).toBe(threads > 1 ? Math.sqrt(5) : 9);
    },
  );

  it.each([1, 3])(
    "have no gradient where a mask hides them, whatever %i threads compute there",
    async (threads) => {
      const all = build();
      const flat = new FlatParameters(all, threads);
      const weight = all.get("b.weight")!;
      const { start } = flat.blocks
        .flatMap(({ entries: members }) => members)
        .find(({ parameter }) => parameter === weight)!;
      flat.maskGradient(weight, [1, 0, 0, 1, 1, 1, 1, 0]);
      for (const part of flat.threadGradients) part.fill(2 / threads);
      for (const i of [1, 2, 7])
        flat.threadGradients[0][start + i] = [Number.NaN, Number.POSITIVE_INFINITY, 3][i % 3];
      await flat.sumGradients(threads);
      const expected = new Float32Array(flat.gradient.length).fill(2);
      for (const i of [1, 2, 7]) expected[start + i] = 0;
      expect(flat.gradient).toEqual(expected);
      expect(flat.gradientNorm).toBeCloseTo(2 * Math.sqrt(expected.length - 3), 6);
    },
  );

  it("update the moving average in each step", async () => {
    const flat = new FlatParameters(build());
    await new Optimizer({ type: "sgd", learningRate: 1e-30 }, flat).step(1, 1, 0.25);
    expect(flat.average).toEqual(flat.values);
    flat.values.fill(5);
    await new Optimizer({ type: "sgd", learningRate: 1e-30 }, flat).step(1, 1, 0.25);
    expect(flat.average[0]).toBe(0.75 * 2 + 0.25 * 5);
    expect(flat.average[18]).toBe(0.75 * 4 + 0.25 * 5);
  });

  it("take the same step on several threads as on one", async () => {
    const sizes = { "a.weight": 300, "a.bias": 7, "b.weight": 50_000, "c.bias": 5000 };
    const steps = [1, 2, 4].map(async (threads) => {
      const named = Object.entries(sizes).map(([name, size]): [string, Parameter] => [
        name,
        new Parameter(
          [size],
          Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
          { decay: name.endsWith("weight") },
        ),
      ]);
      const flat = new FlatParameters(new Map(named), threads);
      const optimizer = new Optimizer({ weightDecay: 0.1, learningRate: 0.1 }, flat);
      for (let step = 0; step < 3; step++) {
        flat.threadGradients.forEach((gradient, k) => {
          gradient.forEach((_, i) => {
            gradient[i] = k === 0 ? Math.cos(i + step) : 0;
          });
        });
        await flat.sumGradients(threads);
        await optimizer.step(1, 1 / flat.gradientNorm, 0.3);
      }
      expect(flat.sharedValues).toEqual(flat.values);
      return [flat.values, flat.average, flat.firstMoment, flat.secondMoment].map((numbers) =>
        Float32Array.from(numbers),
      );
    });
    const [one, ...others] = await Promise.all(steps);
    expect(one[0].some((value, i) => value !== one[1][i])).toBe(true);
    for (const other of others) expect(other).toEqual(one);
  });

  it("are packed into blocks, large ones separately, and unpacked to the same values", async () => {
    const all = new Map([["large", new Parameter([50, 100], new Float32Array(5000))], ...build()]);
    const flat = new FlatParameters(all);
    expect(flat.blocks.map(({ shape }) => shape)).toEqual([[3], [15], [50, 100]]);
    const round = compile(
      (...blocks) => flat.pack(flat.unpack(blocks)),
      flat.blocks.map(({ shape }) => shape),
    );
    const numbers = flat.blocks.map(({ start, end }) =>
      Float32Array.from({ length: end - start }, (_, i) => start + i + 1),
    );
    const back = await round(...numbers);
    flat.blocks.forEach(({ start }, i) => {
      flat.values.set(back[i], start);
    });
    expect([...all.values()].map(({ value }) => value[0])).toEqual([21, 5, 1, 11, 19]);
    expect([...flat.values.subarray(0, 20)].filter(Boolean).length).toBe(18);
  });

  it("are copied to separate arrays by detach", () => {
    const all = build();
    const flat = new FlatParameters(all);
    flat.detach();
    flat.values.fill(7);
    expect([...all.get("b.weight")!.value]).toEqual(new Array(8).fill(3));
  });
});

describe("schedules", () => {
  const at = (options: object, moment: Partial<Parameters<typeof scheduleFactor>[1]>) =>
    scheduleFactor(scheduleSchema.parse(options), { step: 0, totalSteps: 100, plateaus: 0, ...moment });

  it("cosine decreases from 1 to its final factor", () => {
    expect(at({ type: "cosine", final: 0.1 }, { step: 0 })).toBe(1);
    expect(at({ type: "cosine", final: 0.1 }, { step: 50 })).toBeCloseTo(0.55, 12);
    expect(at({ type: "cosine", final: 0.1 }, { step: 100 })).toBeCloseTo(0.1, 12);
  });

  it("plateau halves the factor, but not below the final one", () => {
    expect(at({ type: "plateau" }, { plateaus: 2 })).toBe(0.25);
    expect(at({ type: "plateau", final: 0.1 }, { plateaus: 9 })).toBe(0.1);
  });

  it("warms up linearly", () => {
    const scales = [0, 4, 9, 10].map((step) => at({ type: "constant", warmupSteps: 10 }, { step }));
    expect(scales).toEqual([0.1, 0.5, 1, 1]);
  });
});
