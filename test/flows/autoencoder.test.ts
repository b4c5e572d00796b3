import { describe, expect, test } from "vitest";
import { Standardize } from "../../src/bijections/index.ts";
import { Made, StandardNormal, VariationalAutoencoder } from "../../src/distributions/index.ts";
import { Autoencoder, Flow, maf, nice, vae } from "../../src/flows/index.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";
import { exactLogProb, linearGaussian, posteriorVariances } from "../distributions/linearGaussian.ts";

const rows = [
  [0.5, -1, 2],
  [2, 0.3, 1.5],
  [-1, -1.5, 3],
];

/** Forty binary images of 2 x 3 pixels: a bar at the left or at the right. */
const images = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? [1, 0, 0, 1, 0, 0] : [0, 0, 1, 0, 0, 1]));

describe("the methods of Autoencoder", () => {
  test("estimate the log-density, which the exact posterior gives for every draw", async () => {
    await using model = new Autoencoder(new Flow(linearGaussian()));
    for (const samples of [1, 7]) {
      const values = await model.logProb(rows, { samples });
      rows.forEach((row, n) => {
        expect(values[n]).toBeCloseTo(exactLogProb(row), 4);
      });
    }
  });

  test("estimate it better with more draws", async () => {
    await using model = new Autoencoder(new Flow(linearGaussian({ stretch: 1.5 })));
    const exact = rows.map(exactLogProb);
    const error = async (samples: number, seed = 0) => {
      const values = await model.logProb(rows, { samples, seed });
      return values.reduce((sum, value, n) => sum + exact[n]! - value, 0) / 3;
    };
    const meanError = async (samples: number) => {
      const errors: number[] = [];
      for (let seed = 0; seed < 100; seed++) errors.push(await error(samples, seed));
      return mean(errors);
    };
    const [one, ten] = [await meanError(1), await meanError(10)];
    expect(one).toBeGreaterThan(ten + 0.1);
    expect(ten).toBeGreaterThan(await error(50_000));
    expect(Math.abs(await error(50_000))).toBeLessThan(0.02);
  });

  test("apply a standardization next to the data in float64", async () => {
    const standardize = Standardize.of([1e7, 0, -4], [0.5, 2, 3]);
    await using model = new Autoencoder(new Flow(linearGaussian(), standardize));
    const inDataUnits = rows.map(([a, b, c]) => [1e7 + 0.5 * a!, 2 * b!, -4 + 3 * c!]);
    const values = await model.logProb(inDataUnits, { samples: 2 });
    rows.forEach((row, n) => {
      expect(values[n]).toBeCloseTo(exactLogProb(row) - Math.log(0.5 * 2 * 3), 4);
    });
    await using plain = new Autoencoder(new Flow(linearGaussian()));
    const expected = await plain.reconstruct(rows);
    (await model.reconstruct(inDataUnits)).forEach((value, i) => {
      expect(value).toBeCloseTo([1e7, 0, -4][i % 3]! + [0.5, 2, 3][i % 3]! * expected[i]!, 2);
    });
  });

  test("encode a row as the mean of the posterior, or as a draw", async () => {
    await using model = new Autoencoder(new Flow(linearGaussian()));
    const codes = await model.encode(rows);
    // The first row is the mean of the data.
    expect(codes[0]).toBeCloseTo(0, 5);
    expect(codes[1]).toBeCloseTo(0, 5);
    const many = new Array(2000).fill(rows[1]);
    const draws = await model.encode(many, { temperature: 1, seed: 3 });
    const halfway = await model.encode(many, { temperature: 0.5, seed: 3 });
    posteriorVariances().forEach((variance, k) => {
      const [center, deviation] = [codes[2 + k]!, Math.sqrt(variance)];
      const noise = draws.filter((_, i) => i % 2 === k).map((z) => z - center);
      // Within four standard errors.
      expect(Math.abs(mean(noise))).toBeLessThan((4 * deviation) / Math.sqrt(2000));
      const observed = Math.sqrt(mean(noise.map((each) => each ** 2)));
      expect(Math.abs(observed / deviation - 1)).toBeLessThan(4 / Math.sqrt(2 * 2000));
      halfway
        .filter((_, i) => i % 2 === k)
        .forEach((z, n) => {
          expect(z - center).toBeCloseTo(0.5 * noise[n]!, 5);
        });
    });
  });

  test("decode, reconstruct and interpolate", async () => {
    await using model = new Autoencoder(new Flow(linearGaussian()));
    const codes = await model.encode(rows);
    expect(await model.decode(codes)).toEqual(await model.reconstruct(rows));
    const line = await model.interpolate(rows[0]!, rows[2]!, 5);
    const ends = await model.reconstruct([rows[0]!, rows[2]!]);
    for (let d = 0; d < 3; d++) {
      expect(line[d]).toBeCloseTo(ends[d]!, 5);
      expect(line[12 + d]).toBeCloseTo(ends[3 + d]!, 5);
      // The decoder is linear.
      expect(line[6 + d]).toBeCloseTo((ends[d]! + ends[3 + d]!) / 2, 5);
    }
  });

  test("sample the prior: at temperature 0 the center of the prior", async () => {
    await using model = new Autoencoder(new Flow(linearGaussian()));
    (await model.sample(2, { temperature: 0 })).forEach((value, i) => {
      expect(value).toBeCloseTo([0.5, -1, 2][i % 3]!, 5);
    });
    const [a, b] = [await model.sample(3, { seed: 1 }), await model.sample(5, { seed: 1 })];
    expect(b.subarray(0, 9)).toEqual(a);
    // The decoder is linear.
    (await model.sample(3, { seed: 1, temperature: 0.5 })).forEach((value, i) => {
      const center = [0.5, -1, 2][i % 3]!;
      expect(value - center).toBeCloseTo(0.5 * (a[i]! - center), 5);
    });
  });
});

test("release waits for all parts of the calls before it", async () => {
  const model = new Autoencoder(new Flow(linearGaussian()));
  const ended: string[] = [];
  const calls = {
    sample: model.sample(2),
    reconstruct: model.reconstruct(rows),
    interpolate: model.interpolate(rows[0]!, rows[1]!, 3),
  };
  for (const [name, call] of Object.entries(calls)) call.then(() => ended.push(name));
  await model.release();
  expect(ended.sort()).toEqual(["interpolate", "reconstruct", "sample"]);
});

describe.each(["diagonal", "planar", "radial", "sylvester", "iaf"] as const)(
  "vae with the posterior %s",
  (posterior) => {
    const options = {
      latent: 2,
      hidden: [12],
      values: 2,
      posterior,
      ...(posterior !== "diagonal" && { transforms: 2 }),
    };

    test("learns rows, and keeps its estimates when it is saved and loaded", async () => {
      const flow = vae(6, { ...options, prior: maf(2, { transforms: 1, hidden: [8] }) });
      const { validationLogDensity } = await fit(flow, images, {
        epochs: 60,
        klWarmUp: 5,
        batchSize: 20,
        validationFraction: 0.2,
        threads: 1,
        optimizer: { type: "adamax", learningRate: 2e-2 },
      });
      // Two patterns have log-probability -log 2 each; independent pixels have at best -4 log 2 = -2.77.
      expect(validationLogDensity).toBeGreaterThan(-1.6);
      const { flow: loaded } = await decodeModel(encodeModel({ flow }));
      await using before = new Autoencoder(flow);
      await using after = new Autoencoder(loaded);
      expect(await after.logProb(images.slice(0, 2))).toEqual(await before.logProb(images.slice(0, 2)));
    });
  },
);

test("vae takes an observation model for zeros and ones, integers and real numbers", async () => {
  const types = [2, 256, undefined].map((values) => {
    const { base } = vae(4, { ...(values !== undefined && { values }), latent: 2, hidden: [4] });
    return (base as VariationalAutoencoder).decoder.describe().type;
  });
  expect(types).toEqual(["bernoulli", "discretizedLogistic", "diagonalNormal"]);
  const flow = vae(4, { values: 256, latent: 2, hidden: [4] });
  const drawn = await flow.sample(10);
  expect(drawn.every((value) => Number.isInteger(value) && value >= 0 && value < 256)).toBe(true);
  await flow.release();
});

test("fit refuses rows outside of the support of the decoder, and names it", async () => {
  const pixels = Array.from({ length: 20 }, (_, n) => [n === 7 ? 255 : 1, 0]);
  await expect(fit(vae(2, { values: 2 }), pixels, { epochs: 1 })).rejects.toThrow(
    "row 7 lies outside of the support of base",
  );
  const rows = Array.from({ length: 20 }, (_, n) => [n === 7 ? 0.5 : 1, 0]);
  await expect(fit(vae(2, { values: 2 }), rows, { epochs: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: row 7 lies outside of the support of base: expected zeros and ones, received 0.5, 0.
    Remove such rows, or choose a flow whose support contains them.]
  `);
});

describe("a model of images by an autoencoder", () => {
  test("has the latent rows, the reconstructions and the samples of the autoencoder", async () => {
    for (const values of [2, 16]) {
      const flow = vae(6, { values, latent: 2, hidden: [5], seed: 3 });
      await using autoencoder = new Autoencoder(flow);
      await using model = new ImageModel({ flow, shape: [2, 3, 1] });
      const pixels = Float64Array.from(images.slice(0, 2).flat());
      expect([model.values, model.latentFeatures, model.levels]).toEqual([values, 2, [2]]);
      const latent = await model.toLatent(pixels);
      expect(latent).toEqual(await autoencoder.encode(pixels));
      expect(await model.toPixels(latent)).toEqual(await autoencoder.reconstruct(pixels));
      expect(await model.sample(1, { temperature: 0 })).toEqual(await autoencoder.decode([[0, 0]]));
    }
  });

  test("multiplies the noise of a prior that is a flow by the temperature", async () => {
    const prior = new Flow(new StandardNormal({ features: 2 }), Standardize.of([10, 10], [0.1, 0.1]));
    const flow = vae(6, { values: 2, latent: 2, hidden: [5], prior });
    await using autoencoder = new Autoencoder(flow);
    await using model = new ImageModel({ flow, shape: [2, 3, 1] });
    const center = await autoencoder.decode([[10, 10]]);
    expect(await model.sample(1, { temperature: 0 })).toEqual(center);
    expect(await autoencoder.sample(1, { temperature: 0 })).toEqual(center);
  });

  test("multiplies draws of a prior with uniform noise by any temperature", async () => {
    const flow = vae(6, {
      values: 2,
      latent: 2,
      hidden: [5],
      prior: nice(2, { transforms: 2, hidden: [4] }),
    });
    await using autoencoder = new Autoencoder(flow);
    const [small, large] = [
      await autoencoder.sample(200, { temperature: 1 }),
      await autoencoder.sample(200, { temperature: 3 }),
    ];
    expect(large.every(Number.isFinite)).toBe(true);
    const distance = (rows: Float64Array) => rows.reduce((sum, value) => sum + Math.abs(value - 0.5), 0);
    expect(distance(large)).toBeGreaterThan(distance(small));
    expect((await autoencoder.encode(images.slice(0, 50), { temperature: 5 })).every(Number.isFinite)).toBe(
      true,
    );
  });

  test("draws uniform noise below 1 in float32 too", async () => {
    const prior = nice(2, { transforms: 1, hidden: [4] });
    await using autoencoder = new Autoencoder(vae(6, { values: 2, latent: 2, hidden: [5], prior }));
    // The number 113 of the noise of this seed, 1 - 2.2e-8, is nearer to 1 than to the float32 number below it.
    expect((await autoencoder.sample(60, { seed: 96_774 })).every(Number.isFinite)).toBe(true);
  });

  test("averages its bound over draws of the posterior", async () => {
    const options = { values: 2, latent: 2, hidden: [5] };
    await using model = new ImageModel({ flow: vae(6, options), shape: [2, 3, 1] });
    const pixels = Float64Array.from(images.flat());
    const estimates = await model.withDraws(5).logProb(pixels);
    expect(estimates).toEqual(await vae(6, { ...options, samples: 5 }).logProb(pixels));
    expect(mean(estimates)).toBeGreaterThan(mean(await model.logProb(pixels)));
  });
});

test("errors", async () => {
  expect(() => new Autoencoder(nice(2))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the flow is not a variational autoencoder: expected a flow whose base is a VariationalAutoencoder, such as vae(784, { values: 2 }), received the base logistic.]`,
  );
  expect(() => new Autoencoder(3 as never)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the flow is not a variational autoencoder: expected a flow whose base is a VariationalAutoencoder, such as vae(784, { values: 2 }), received 3.]`,
  );
  expect(() => vae(4, { posterior: "flow" as never })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an option of vae is not valid at posterior: expected one of "diagonal", "planar", "radial", "sylvester", "iaf", received "flow".]`,
  );
  expect(() =>
    vae(4, { latent: 2, prior: new StandardNormal({ features: 3 }) }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the prior of vae does not have one feature for each latent feature: expected 2 features, received 3.
    Give the option latent the number of features of the prior.]
  `);
  expect(() => vae(4, { columns: 3, posterior: "planar" })).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the posterior planar has no columns: expected the posterior sylvester.
    Leave out the option columns.]
  `);
  expect(() => vae(4, { transforms: 3 })).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the posterior diagonal has no transforms: expected the posterior planar, radial, sylvester, iaf.
    Leave out the option transforms.]
  `);
  const made = new VariationalAutoencoder({
    prior: new StandardNormal({ features: 2 }),
    decoder: new Made({ order: [0, 1], context: 2, network: { hidden: [4] } }, new Random(0)),
    posterior: new StandardNormal({ features: 2 }),
  });
  const model = new Autoencoder(new Flow(made));
  await expect(model.decode([[0, 1]])).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the decoder has no centers to return: received the decoder made.
    Draw rows with flow.sample(n).]
  `);
  await expect(model.encode([[0, 1]], { temperature: -1 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option temperature of encode has an invalid value: expected a number of at least 0, received -1.]`,
  );
  const unknown = { temprature: 1 } as never;
  await expect(model.reconstruct([[0, 1]], unknown)).rejects.toThrow("unknown option of reconstruct");
  await expect(model.interpolate([0, 1], [1, 0], 3, unknown)).rejects.toThrow(
    "unknown option of interpolate",
  );
  for (const steps of [1, 2.5])
    await expect(model.interpolate([0, 1], [1, 0], steps)).rejects.toThrow(
      `the number of steps of interpolate is not valid: expected 2, 3, 4, ..., received ${steps}.`,
    );
  await expect(model.logProb(rows, { samples: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option samples of logProb has an invalid value: expected 1, 2, 3, ..., received 0.]`,
  );
});
