import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  Autoregressive,
  type Bijection,
  Chain,
  Coupling,
  Elementwise,
  type ScalarTransform,
} from "../../src/bijections/index.ts";
import {
  type CustomKind,
  type Distribution,
  Mixture,
  StandardNormal,
  TransformedDistribution,
} from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { concat, type Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { buildFlow, decodeModel, encodeModel } from "../../src/tables/model/index.ts";

/** x = (z_1, z_2 + slope z_1). */
class Shear implements Bijection {
  readonly features = 2;
  readonly context = 0;
  readonly slope: Parameter;
  constructor({ slope = 0 } = {}) {
    this.slope = new Parameter([1], slope);
  }
  forward(z: Tensor) {
    return { value: z.add(this.shift(z)), logDet: z.sum(1).mul(0) };
  }
  inverse(x: Tensor) {
    return { value: x.sub(this.shift(x)), logDet: x.sum(1).mul(0) };
  }
  private shift(rows: Tensor) {
    const first = rows.slice(1, 0, 1);
    return concat([first.mul(0), first.mul(this.slope)], 1);
  }
  describe() {
    return { type: "shear" };
  }
}

/** log p(x) = sum_i (-|x_i| / s - log(2 s)) for a fixed s. */
class Steep implements Distribution {
  readonly features = 2;
  readonly context = 0;
  readonly noise = [{ kind: "uniform", size: 2 }] as const;
  readonly scale: number;
  constructor({ scale }: { scale: number }) {
    this.scale = scale;
  }
  logProb(x: Tensor) {
    return x
      .abs()
      .div(-this.scale)
      .sub(Math.log(2 * this.scale))
      .sum(1);
  }
  sample([u]: readonly Tensor[]) {
    const centered = u.sub(0.5);
    return centered.sign().mul(centered.abs().mul(-2).log1p()).mul(-this.scale);
  }
  describe() {
    return { type: "steep", scale: this.scale };
  }
}

/** z = x + a of each feature. */
class Moved implements ScalarTransform {
  readonly parameters = 1;
  columns(features: number) {
    return Array.from({ length: features }, (_, i) => i);
  }
  toLatent(x: Tensor, raw: Tensor) {
    return { value: x.add(raw), logDerivative: x.mul(0) };
  }
  toData(z: Tensor, raw: Tensor) {
    return { value: z.sub(raw), logDerivative: z.mul(0) };
  }
  describe() {
    return { type: "moved" };
  }
}

const shear: CustomKind = { bijection: "shear", build: () => new Shear() };
const steep: CustomKind = {
  distribution: "steep",
  schema: z.strictObject({ type: z.literal("steep"), scale: z.number().positive() }),
  build: ({ scale }) => new Steep({ scale }),
};
const moved: CustomKind = { scalarTransform: "moved", build: () => new Moved() };
const kinds = [shear, steep, moved];

const normal = new StandardNormal({ features: 2 });
const rows = new Random(0).normal(new Float64Array(20));
const model = (flow: Flow) => ({ flow, columns: ["a", "b"], given: [] });

const flows: [string, () => Flow][] = [
  ["a bijection", () => new Flow(normal, new Shear({ slope: 0.5 }))],
  [
    "a bijection in a chain in a component",
    () => {
      const component = new TransformedDistribution(normal, new Chain([new Shear({ slope: 2 })]));
      return new Flow(new Mixture([component, normal]), new Shear({ slope: 0.5 }));
    },
  ],
  ["a distribution", () => new Flow(new Steep({ scale: 0.5 }))],
  ["a distribution in a mixture", () => new Flow(new Mixture([new Steep({ scale: 3 }), normal]))],
  [
    "a scalar transform",
    () =>
      new Flow(
        normal,
        new Autoregressive(
          { order: [1, 0], transform: new Moved(), network: { hidden: [4] } },
          new Random(1),
        ),
      ),
  ],
  [
    "a scalar transform in a coupling",
    () =>
      new Flow(
        normal,
        new Coupling(
          { mask: [true, false], transform: new Moved(), network: { hidden: [4] } },
          new Random(1),
        ),
      ),
  ],
  [
    "a scalar transform of its own parameters",
    () => new Flow(normal, new Elementwise({ features: 2, transform: new Moved() })),
  ],
];

describe.each(flows)("a custom %s", (_, make) => {
  test("is saved and loaded with its kind", async () => {
    const flow = make();
    for (const { value } of flow.parameters().values())
      value.forEach((v, i) => {
        value[i] = v + 0.1 * (i + 1);
      });
    const bytes = encodeModel(model(flow), { kinds });
    const { flow: read } = await decodeModel(bytes, { kinds });
    expect(read.describe()).toEqual(JSON.parse(JSON.stringify(flow.describe())));
    expect(await read.logProb(rows)).toEqual(await flow.logProb(rows));
    expect(encodeModel(model(read), { kinds })).toEqual(bytes);
    await expect(decodeModel(bytes)).rejects.toThrow(expect.objectContaining({ code: "MODEL" }));
    expect(buildFlow(flow.describe(), { kinds, seed: 3 }).features).toBe(2);
  });

  test("is not saved without its kind", () => {
    expect(() => encodeModel(model(make()))).toThrow(
      expect.objectContaining({
        code: "ARGUMENT",
        message: expect.stringContaining("could not be read back"),
      }),
    );
  });
});

test("the error of saving has the type, its path and a hint", () => {
  const flow = new Flow(normal, new Chain([new Shear()]));
  expect(() => encodeModel(model(flow))).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model could not be read back from a file: received the type "shear" at flow.bijection.bijections.0.type.
    Give the kinds of custom classes to encodeModel and decodeModel, such as { kinds: [{ bijection: "shear", build: () => new Shear() }] }, or save only the parameters: saveParameters(flow), loadParameters(bytes, flow).]
  `);
});

test("the error of loading has the type, its path and a hint", async () => {
  const bytes = encodeModel(model(new Flow(normal, new Chain([new Shear()]))), { kinds });
  await expect(decodeModel(bytes)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model has a part of an unknown type: received "shear" at flow.bijection.bijections.0.type.
    If this is a custom class, give its kind to decodeModel or loadModel: { kinds: [...] }.]
  `);
});

test("an incomplete description is an error of saving", () => {
  class Wide extends Shear {
    readonly more = new Parameter([3], 0);
    override inverse(x: Tensor) {
      const { value, logDet } = super.inverse(x);
      return { value: value.add(this.more.sum().mul(0)), logDet };
    }
  }
  const wide = new Flow(normal, new Wide());
  expect(() => encodeModel(model(wide), { kinds })).toThrow(
    /has the array "bijection.more", which is not a parameter of its flow/,
  );
  expect(() => encodeModel(model(new Flow(new Steep({ scale: -1 }))), { kinds })).toThrow(
    /is not valid at flow.base.scale/,
  );
});

test("numbers and names that could not be loaded are errors of saving", () => {
  const flow = new Flow(normal, new Shear({ slope: Number.NaN }));
  expect(() => encodeModel(model(flow), { kinds })).toThrow(/bijection.slope has NaN/);
  const two = { flow: new Flow(normal), columns: ["a"] };
  expect(() => encodeModel(two)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
});

test("a description of a custom kind is checked by its schema", () => {
  expect(() =>
    buildFlow({ base: { type: "steep", scale: "wide" }, bijection: { type: "shear" } }, { kinds }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a flow is not valid at base.scale: expected a number, received "wide".]`,
  );
});

test("throws for kinds that are not valid", () => {
  const build = () => new Shear();
  const base = { type: "standardNormal", features: 2 };
  const description = { base, bijection: { type: "identity", features: 2 } };
  for (const bad of [
    [{ build }],
    [{ bijection: "shear" }],
    [{ bijection: "a", distribution: "b", build }],
    [undefined],
    [shear, shear],
    [{ bijection: "chain", build }],
  ])
    expect(() => buildFlow(description, { kinds: bad as never })).toThrow(
      expect.objectContaining({ code: "ARGUMENT" }),
    );
  expect(() => buildFlow(description, 3 as never)).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  expect(() => buildFlow(description, { kind: [shear] } as never)).toThrow(
    expect.objectContaining({ code: "ARGUMENT" }),
  );
});

test("kinds apply only to the call that they are given to", () => {
  const description = { base: { type: "standardNormal", features: 2 }, bijection: { type: "shear" } };
  expect(buildFlow(description, { kinds }).bijection).toBeInstanceOf(Shear);
  expect(() => buildFlow(description)).toThrow(expect.objectContaining({ code: "MODEL" }));
});
