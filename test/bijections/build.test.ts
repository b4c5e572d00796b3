import { describe, expect, expectTypeOf, test } from "vitest";
import { bijectionRegistry, bijectionSchema } from "../../src/bijections/build.ts";
import {
  Actnorm,
  Autoregressive,
  type BijectionDescription,
  buildBijection,
  Coupling,
  Permutation,
  Standardize,
  Tails,
} from "../../src/bijections/index.ts";
import { bijectionKinds } from "../../src/bijections/registry.ts";
import { registerAllKinds } from "../../src/distributions/registerAllKinds.ts";
import type { MaskedMLP } from "../../src/nn/index.ts";
import type { Description } from "../../src/parts/index.ts";
import { Random } from "../../src/random/index.ts";
import { bijectionExamples } from "./examples.ts";

const random = new Random(0);
const build = (description: unknown) => () => buildBijection(description as Description, random);

describe("buildBijection", () => {
  test("fills in defaults, and describe() returns them", () => {
    expect(
      buildBijection({ type: "autoregressive", order: [1, 0] }, random).describe(),
    ).toMatchInlineSnapshot(`
      {
        "conditioner": "masked",
        "context": 0,
        "network": {
          "activation": "relu",
          "hidden": [
            64,
            64,
          ],
          "residual": false,
        },
        "order": [
          1,
          0,
        ],
        "transform": {
          "type": "affine",
        },
        "type": "autoregressive",
      }
    `);
  });

  test("builds nested bijections", () => {
    const description = {
      type: "chain",
      bijections: [
        { type: "invert", bijection: { type: "tails", features: 2, start: 3 } },
        { type: "chain", bijections: [{ type: "actnorm", features: 2 }] },
      ],
    };
    expect(buildBijection(description, random).describe()).toEqual(description);
  });

  test("draws different weights for the parts of a chain", () => {
    const part = { type: "autoregressive", order: [0, 1], network: { hidden: [4] } };
    const chain = buildBijection({ type: "chain", bijections: [part, part] }, random);
    const [a, b] = (chain as unknown as { bijections: Autoregressive[] }).bijections;
    const first = ({ network }: Autoregressive) => (network as MaskedMLP).layers[0].blocks[0].weight.value;
    expect(first(a)).not.toEqual(first(b));
  });

  test("refuses an invalid description with its path, what was expected and what was received", () => {
    expect(build({ type: "unknown" })).toThrow(
      /^a bijection is not valid at type: expected one of "actnorm", "autoregressive", .*, received "unknown"\.$/,
    );
    expect(build(null)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid: expected an object, received null.]`,
    );
    expect(build({})).toThrow(
      /^a bijection is not valid at type: expected one of "actnorm", "autoregressive", .*, received nothing\.$/,
    );
    expect(build({ type: "actnorm" })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid at features: expected a number, received nothing.]`,
    );
    expect(build({ type: "actnorm", features: 2.5 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid at features: expected an integer, received 2.5.]`,
    );
    expect(build({ type: "actnorm", features: 2, scale: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid: expected one of type, features, received scale.]`,
    );
    expect(build({ type: "chain", bijections: [] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid at bijections: expected a list of at least 1, received [].]`,
    );
    const spline = { type: "rationalQuadraticSpline", bins: 1 };
    const coupling = { type: "coupling", mask: [true, false], transform: spline };
    expect(
      build({
        type: "chain",
        bijections: [
          { type: "actnorm", features: 2 },
          { type: "invert", bijection: coupling },
        ],
      }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid at bijections.1.bijection.transform.bins: expected at least 2, received 1.]`,
    );
    // The graph of a spline has constants of bins by bins.
    for (const type of ["linearSpline", "circularSpline"])
      expect(build({ type: "elementwise", features: 1, transform: { type, bins: 100_000 } })).toThrow(
        /transform\.bins: expected at most 1024, received 100000\.$/,
      );
    expect(build({ type: "permutation", order: [0, 2] })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid at order: expected each of 0 to D - 1 once, received [0,2].]`,
    );
    expect(build({ type: "tails", features: 1, start: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a bijection is not valid at start: expected a number, received NaN.]`,
    );
    expect(() => build({ type: "actnorm" })()).toThrow(expect.objectContaining({ code: "MODEL" }));
  });
});

test("constructors refuse the same options as an invalid argument", () => {
  const wrong = [
    () => new Actnorm({ features: 0 }),
    () => new Standardize({ features: -1 }),
    () => new Tails({ features: 1, start: 0 }),
    () => new Permutation({ order: [1, 1] }),
    () => new Coupling({ mask: [true, false], network: { hidden: [1.5] } }, random),
    () => new Autoregressive({ order: [0, 1], context: -1 }, random),
    // @ts-expect-error no such activation
    () => new Autoregressive({ order: [0, 1], network: { activation: "swish" } }, random),
  ];
  const messages = wrong.map((make) => {
    expect(make).toThrow(expect.objectContaining({ name: "PushforwardError", code: "ARGUMENT" }));
    return messageOf(make);
  });
  expect(messages).toMatchInlineSnapshot(`
    [
      "an actnorm is not valid at features: expected more than 0, received 0.",
      "a standardization is not valid at features: expected more than 0, received -1.",
      "tails is not valid at start: expected more than 0, received 0.",
      "a permutation is not valid at order: expected each of 0 to D - 1 once, received [1,1].",
      "a coupling is not valid at network.hidden.0: expected an integer, received 1.5.",
      "an autoregressive bijection is not valid at context: expected at least 0, received -1.",
      "an autoregressive bijection is not valid at network.activation: expected one of "relu", "leakyRelu", "elu", "gelu", "silu", "tanh", "softplus", "sigmoid", received "swish".",
    ]
  `);
});

describe("the registry", () => {
  test("has each type once, in order, and examples that its schema takes", () => {
    registerAllKinds();
    const types = bijectionRegistry.types.sort();
    expect(types.length).toBe(bijectionKinds.length);
    expect(Object.keys(bijectionExamples)).toEqual(types);
    for (const examples of Object.values(bijectionExamples)) {
      // Some parts of images need more than one number, and a squeeze a multiple of 4.
      const sizes = [1, 2, 4, 5];
      expect(sizes.some((features) => examples(features).length > 0)).toBe(true);
      for (const features of sizes) {
        for (const example of examples(features)) {
          const description = bijectionSchema.parse(example);
          expect(buildBijection(description, random).features).toBe(features);
          expect(build({ ...example, fetures: 2 })).toThrow("fetures");
        }
      }
    }
  });

  test("types descriptions as a union", () => {
    expectTypeOf<"coupling">().toExtend<BijectionDescription["type"]>();
    expectTypeOf<string>().not.toExtend<BijectionDescription["type"]>();
    expectTypeOf<Extract<BijectionDescription, { type: "tails" }>["start"]>().toEqualTypeOf<number>();
  });
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
}
