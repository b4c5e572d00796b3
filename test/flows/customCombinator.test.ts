import { describe, expect, test } from "vitest";
import {
  Actnorm,
  type Bijection,
  Chain,
  Continuous,
  type DataRows,
  Exp,
  Invert,
  type OuterStandardization,
  type Part,
  type Standardize as Standardization,
  Standardize,
} from "../../src/bijections/index.ts";
import { type CustomKind, GaussianMixture, StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { mean } from "../../src/numerics/mean.ts";
import { Random } from "../../src/random/index.ts";
import { gaussianBaseline } from "../../src/tables/evaluate/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { fit } from "../../src/train/index.ts";

/** A custom combinator: x = r(f(r(z))), where r reverses the order of the features. */
class Reversed implements Bijection {
  readonly bijection: Bijection;

  constructor(bijection: Bijection) {
    this.bijection = bijection;
  }

  get features() {
    return this.bijection.features;
  }
  get context() {
    return this.bijection.context;
  }
  private reversed(x: Tensor): Tensor {
    return x.gather(
      1,
      Array.from({ length: this.features }, (_, i) => this.features - 1 - i),
    );
  }
  forward(z: Tensor, context?: Tensor) {
    const { value, logDet } = this.bijection.forward(this.reversed(z), context);
    return { value: this.reversed(value), logDet };
  }
  inverse(x: Tensor, context?: Tensor) {
    const { value, logDet } = this.bijection.inverse(this.reversed(x), context);
    return { value: this.reversed(value), logDet };
  }
  describe() {
    return { type: "reversed", bijection: this.bijection.describe() };
  }

  get support() {
    return this.bijection.support;
  }
  get parts(): readonly Part[] | undefined {
    return this.bijection.parts?.map(({ path, bijection }) => ({
      path: `bijection.${path}`,
      bijection: new Reversed(bijection),
    }));
  }
  get fitToData() {
    const { bijection } = this;
    return bijection.fitToData && ((rows: DataRows) => bijection.fitToData!(reversedRows(rows)));
  }
  get velocity() {
    const { bijection } = this;
    const reversed = (x: Tensor) => this.reversed(x);
    return (
      bijection.velocity &&
      ((t: Tensor, y: Tensor, context?: Tensor) => reversed(bijection.velocity!(t, reversed(y), context)))
    );
  }
  get dataStandardization(): OuterStandardization<Bijection> | undefined {
    const inner = this.bijection.dataStandardization;
    if (!inner) return undefined;
    const reversedStandardize = ({ center, scale }: Standardization) =>
      Standardize.of(center.numbers.toReversed(), scale.numbers.toReversed());
    return {
      standardize: reversedStandardize(inner.standardize),
      relativeTo: (outer) => new Reversed(inner.relativeTo(reversedStandardize(outer))),
    };
  }
}

const reversedRows = (rows: DataRows): DataRows => ({
  ...rows,
  values: rows.values.map((_, i) => rows.values[i - (i % 2) + (1 - (i % 2))]),
});

const ROWS = 400;
/** Two columns. The second one is far from 0 and narrow. */
const far = new Random(0)
  .normal(new Float64Array(2 * ROWS))
  .map((v, i) => (i % 2 === 0 ? 3 + 2 * v : 1e9 + 0.5 * v));
const normal = new StandardNormal({ features: 2 });
const column = (values: ArrayLike<number>, c: number) =>
  Float64Array.from(values).filter((_, i) => i % 2 === c);
const momentsOf = (values: Float64Array) => {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length) };
};

describe("a custom combinator", () => {
  test("is initialized from data, with its parts and the parts after it", async () => {
    const mixture = new GaussianMixture({ features: 2, components: 1 }, new Random(0));
    const flow = new Flow(
      mixture,
      new Reversed(new Chain([new Actnorm({ features: 2 }), new Exp({ features: 2 })])),
    );
    const rows = far.map((v, i) => Math.exp(i % 2 === 0 ? v : (v - 1e9) * 4));
    await flow.fitToData!({ rows: ROWS, features: 2, values: rows });
    const z = await flow.toLatent(rows);
    for (const c of [0, 1]) {
      const { mean, deviation } = momentsOf(column(z, c));
      expect(mean).toBeCloseTo(0, 5);
      expect(deviation).toBeCloseTo(1, 5);
    }
    expect(mixture.means.numbers[0]).toBeCloseTo(0, 5);
  });

  test("is split for columns far from 0", async () => {
    const flow = new Flow(
      normal,
      new Reversed(new Chain([new Actnorm({ features: 2 }), new Standardize({ features: 2 })])),
    );
    await flow.fitToData!({ rows: ROWS, features: 2, values: far });
    expect(flow.columnForFloat64()).toMatchObject({ column: 1 });
    const { inner, standardize } = flow.unstandardized();
    expect(standardize!.center.numbers[1]).toBeCloseTo(1e9, 0);
    expect(inner.columnForFloat64()).toBeUndefined();
    const exact = await flow.logProb(far, undefined, { precision: "float64" });
    const density = await flow.logProb(far);
    for (let i = 0; i < ROWS; i++) expect(Math.abs(density[i] - exact[i])).toBeLessThan(1e-4);
    const { validationLogDensity } = await fit(flow, far, { epochs: 2 });
    expect(validationLogDensity).toBeGreaterThan(-3.2);
  });

  test("is diagnosed layer by layer", async () => {
    const positive = new Chain([new Actnorm({ features: 2 }), new Exp({ features: 2 })]);
    const rows = far.map((v, i) => (i === 2 * 77 ? -1 : Math.exp(i % 2 === 0 ? v : v - 1e9)));
    await expect(
      fit(new Flow(normal, new Reversed(positive)), rows, { epochs: 1, validationFraction: 0.1 }),
    ).rejects.toThrow(
      /row 77 lies outside of the support of bijection\.bijection\.bijections\.1: expected x > 0/,
    );
  });

  test("keeps a map onto a support next to the data with forTables", () => {
    const exp = new Reversed(new Exp({ features: 2 }));
    const flow = forTables(new Flow(normal, new Chain([new Actnorm({ features: 2 }), exp])));
    expect((flow.bijection as Chain).bijections.map((each) => each.describe().type)).toEqual([
      "actnorm",
      "tails",
      "standardize",
      "reversed",
    ]);
  });

  test("is saved, and loaded with its kind", async () => {
    const inner = new Chain([new Actnorm({ features: 2 }), new Standardize({ features: 2 })]);
    const flow = new Flow(
      normal,
      new Chain([new Reversed(inner), new Invert(new Reversed(new Actnorm({ features: 2 })))]),
    );
    await flow.fitToData!({ rows: ROWS, features: 2, values: far });
    const kinds: CustomKind[] = [
      {
        bijection: "reversed",
        build: ({ bijection }, random, builders) => new Reversed(builders.bijection(bijection, random)),
      },
    ];
    const bytes = encodeModel({ flow, columns: ["a", "b"], given: [] }, { kinds });
    const { flow: read } = await decodeModel(bytes, { kinds });
    expect(await read.logProb(far)).toEqual(await flow.logProb(far));
  });

  test("is trained by flow matching if its parts can be", async () => {
    const continuous = new Continuous({ features: 2, network: { hidden: [8] } }, new Random(0));
    const flow = new Flow(normal, new Chain([new Reversed(continuous), new Standardize({ features: 2 })]));
    const rows = far.map((v, i) => (i % 2 === 0 ? (v - 3) ** 2 : v - 1e9));
    const { validation, training } = await fit(flow, rows, {
      epochs: 20,
      batchSize: 50,
      optimizer: { learningRate: 0.02 },
      objective: "flowMatching",
    });
    const gaussian = await gaussianBaseline(training);
    const [ofFlow, ofGaussian] = [
      await flow.logProb(validation.values),
      await gaussian!.logDensities(validation),
    ];
    expect(mean(ofFlow)).toBeGreaterThan(mean(ofGaussian) + 0.2);
  });
});
