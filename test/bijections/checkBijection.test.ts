import { describe, expect, test, vi } from "vitest";
import {
  Actnorm,
  Autoregressive,
  type Bijection,
  Chain,
  Exp,
  Invert,
  Ordered,
  Power,
  Sigmoid,
  Standardize,
  Tanh,
} from "../../src/bijections/index.ts";
import type { PushforwardError } from "../../src/check/errors.ts";
import type { CustomKind } from "../../src/distributions/index.ts";
import { type CheckBijectionOptions, checkBijection, glow, realNVP, tarflow } from "../../src/flows/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { concat, constant, type Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";

/** x = (z_1, z_2 + slope sin z_1); tests override parts of it. */
class Wave implements Bijection {
  readonly features: number = 2;
  readonly context = 0;
  readonly slope = new Parameter([1], 0.5);
  forward(z: Tensor) {
    return { value: z.add(this.shift(z)), logDet: z.sum(1).mul(0) };
  }
  inverse(x: Tensor) {
    return { value: x.sub(this.shift(x)), logDet: x.sum(1).mul(0) };
  }
  protected shift(rows: Tensor): Tensor {
    const first = rows.slice(1, 0, 1);
    return concat([first.mul(0), first.sin().mul(this.slope)], 1);
  }
  describe(): { type: string } {
    return { type: "wave" };
  }
}

/** The message of the error that `checkBijection` throws, or "accepted". */
const refusal = async (bijection: Bijection, kinds: CustomKind[] = []): Promise<string> => {
  const error = await checkBijection(bijection, { kinds }).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  if (error) expect(error).toMatchObject({ name: "PushforwardError" });
  return error?.message ?? "accepted";
};

const kind = (build: () => Bijection): CustomKind[] => [{ bijection: "wave", build }];

test("accepts a user's bijection and restores its parameters", async () => {
  const wave = new Wave();
  expect(
    await refusal(
      wave,
      kind(() => new Wave()),
    ),
  ).toBe("accepted");
  expect([...wave.slope.numbers]).toEqual([0.5]);
  expect(wave.slope.numbers).toBeInstanceOf(Float32Array);
  expect(await refusal(new Chain([wave, new Actnorm({ features: 2 })]))).toBe("accepted");
});

test("accepts a ReLU network with a kink next to the parameters", async () => {
  // A unit of this network has its kink within 1e-6 of the parameters in the direction of the check.
  const transform = { type: "affine", bound: 2 } as const;
  await checkBijection(new Autoregressive({ order: [0, 1, 2], transform }, new Random(0)));
});

test("takes rows in the domain of a bijection that is not defined everywhere", async () => {
  const z = Array.from({ length: 20 }, (_, i) => 0.1 + 0.1 * i);
  await checkBijection(new Power({ features: 2, exponent: 2 }), { z });
  await checkBijection(new Tanh({ features: 3 }));
});

test("draws rows in a domain of positive numbers or an interval, and needs them for other domains", async () => {
  await checkBijection(new Power({ features: 2, exponent: 2 }));
  await checkBijection(new Invert(new Exp({ features: 2 })));
  await checkBijection(new Invert(new Sigmoid({ features: 2, low: -1, high: 3 })));
  expect(await refusal(new Invert(new Ordered({ features: 2 })))).toMatchInlineSnapshot(
    `"checkBijection needs z for a bijection that is not defined everywhere: expected rows z with x_1 < x_2 < ... < x_D, received no z."`,
  );
});

test("refuses rows that are not whole, of different numbers, or not numbers", async () => {
  const message = (options: CheckBijectionOptions, bijection: Bijection = new Wave()) =>
    checkBijection(bijection, options).catch((error: PushforwardError) => `${error.code} ${error.message}`);
  const nested = [[1, 2]] as unknown as number[];
  const conditional = new Autoregressive(
    { order: [0], context: 1, transform: { type: "affine" } },
    new Random(0),
  );
  expect(
    await Promise.all([
      message({ z: [1, 2, 3, 4, 5] }),
      message({ x: [] }),
      message({ z: [1, 2, 3, 4], x: [1, 2] }),
      message({ z: nested, x: nested }),
      message({ x: [1, Number.NaN] }),
      message({ context: [1] }),
      message({ z: [1, 2, 3], context: [1, 2] }, conditional),
    ]),
  ).toMatchInlineSnapshot(`
    [
      "SHAPE z does not have whole rows: expected a multiple of 2 numbers, received 5.",
      "SHAPE x does not have whole rows: expected a multiple of 2 numbers, received 0.",
      "SHAPE x has a different number of rows from the other arrays: expected 4 numbers, received 2.",
      "ARGUMENT the option z of checkBijection has an invalid value: expected an array of finite numbers, received [[1,2]].",
      "ARGUMENT the option x of checkBijection has an invalid value: expected an array of finite numbers, received [1,null].",
      "SHAPE context has a different number of rows from the other arrays: expected 0 numbers, received 1.",
      "SHAPE context has a different number of rows from the other arrays: expected 3 numbers, received 2.",
    ]
  `);
});

test("draws as many rows as there are contexts", async () => {
  await checkBijection(
    new Autoregressive({ order: [0], context: 1, transform: { type: "affine" } }, new Random(0)),
    { context: [1, 2] },
  );
});

test.each([
  ["Glow", () => glow({ image: [2, 2, 2], levels: 1, width: 8, values: 17 })],
  ["RealNVP", () => realNVP({ image: [4, 2, 1], levels: 1, width: 8 })],
  ["TARFLOW", () => tarflow({ image: [2, 2, 1], patch: 1, width: 8, heads: 2 })],
])("accepts the many layers of %s", { timeout: 60_000 }, async (_, recipe) => {
  expect(await refusal(recipe().bijection)).toBe("accepted");
});

describe("names the invariant that does not hold:", () => {
  test("inverse is not the inverse of forward", async () => {
    class Wrong extends Wave {
      override inverse(x: Tensor) {
        return { value: x.sub(this.shift(x).mul(0.9)), logDet: x.sum(1).mul(0) };
      }
    }
    expect(await refusal(new Wrong())).toMatch(
      /^Wrong is not a valid bijection: inverse\(forward\(z\)\) is not z in float64, off by 0\.0\d+/,
    );
  });

  test("a NaN in rows before the last one", async () => {
    class Broken extends Wave {
      override forward(z: Tensor) {
        const { value, logDet } = super.forward(z);
        return { value: z.greater(3).where(Number.NaN, value), logDet };
      }
    }
    const rows = [0.1, 0.2, 5, 0.1, 0.3, 0.4];
    await expect(checkBijection(new Broken(), { z: rows, x: rows })).rejects.toThrow(
      /^Broken is not a valid bijection: inverse\(forward\(z\)\) is not z in float64, off by Infinity at index 2/,
    );
  });

  test("a wrong log-determinant", async () => {
    class Wrong extends Actnorm {
      override forward(z: Tensor) {
        const { value, logDet } = super.forward(z);
        return { value, logDet: logDet.mul(2) };
      }
      override inverse(x: Tensor) {
        const { value, logDet } = super.inverse(x);
        return { value, logDet: logDet.mul(2) };
      }
    }
    expect(await refusal(new Wrong({ features: 2 }))).toMatch(
      /the log-determinant of forward differs from that of its Jacobian/,
    );
    class Opposite extends Actnorm {
      override inverse(x: Tensor) {
        const { value, logDet } = super.inverse(x);
        return { value, logDet: logDet.neg() };
      }
    }
    expect(await refusal(new Opposite({ features: 2 }))).toMatch(/of forward and inverse do not sum to 0/);
  });

  test("a wrong gradient", async () => {
    class Cut extends Wave {
      protected override shift(rows: Tensor) {
        return super.shift(rows.stopGradient());
      }
    }
    expect(await refusal(new Cut())).toMatch(/the Jacobian of forward differs from finite differences/);
    class Unused extends Wave {
      readonly more = new Parameter([3], 0);
    }
    expect(await refusal(new Unused())).toMatch(/the gradient of inverse by its parameter more is 0/);
    await checkBijection(new Unused(), { unused: (path) => path === "more" });
    class Fixed extends Wave {
      protected override shift(rows: Tensor) {
        const first = rows.slice(1, 0, 1);
        return concat([first.mul(0), first.sin().mul(this.slope.stopGradient().add(this.slope).mul(0.5))], 1);
      }
    }
    expect(await refusal(new Fixed())).toMatch(/the gradients differ from finite differences/);
  });

  test("wrong shapes, sizes and descriptions", async () => {
    class Wide extends Wave {
      override inverse(x: Tensor) {
        return { value: x.slice(1, 0, 1), logDet: x.sum(1) };
      }
    }
    expect(await refusal(new Wide())).toMatch(
      /inverse returns a value of the wrong shape: expected \[N, 2\], received \[N, 1\]/,
    );
    class Columns extends Wave {
      override forward(z: Tensor) {
        return { value: z, logDet: z };
      }
    }
    expect(await refusal(new Columns())).toMatch(/forward returns log-determinants of the wrong shape/);
    class Half extends Wave {
      override readonly features = 1.5;
    }
    expect(await refusal(new Half())).toMatch(/features and context are not valid sizes/);
    class Nameless extends Wave {
      override describe() {
        return {} as { type: string };
      }
    }
    expect(await refusal(new Nameless())).toMatch(/describe\(\) returns no type/);
  });

  test("results that are not { value, logDet }", async () => {
    const returning = (result: unknown) =>
      Object.assign(new Wave(), { forward: () => result }) as unknown as Bijection;
    const value = constant([1], [1]);
    const messages = await Promise.all(
      [value, { value }, { value, logDet: 0 }].map((result) => refusal(returning(result))),
    );
    expect(messages).toMatchInlineSnapshot(`
      [
        "Wave is not a valid bijection: forward does not return { value, logDet }: expected two tensors, as in { value: z.exp(), logDet: z.sum(-1) }, received a tensor.",
        "Wave is not a valid bijection: forward does not return { value, logDet }: expected two tensors, as in { value: z.exp(), logDet: z.sum(-1) }, received value: a tensor, logDet: nothing.",
        "Wave is not a valid bijection: forward does not return { value, logDet }: expected two tensors, as in { value: z.exp(), logDet: z.sum(-1) }, received value: a tensor, logDet: 0.",
      ]
    `);
    const without = Object.assign(new Wave(), { inverse: undefined }) as unknown as Bijection;
    expect(await refusal(without)).toMatch(/inverse is not a method/);
    const undescribed = Object.assign(new Wave(), { describe: undefined as never });
    expect(await refusal(undescribed)).toMatch(/describe is not a method/);
    expect(await refusal(null as never)).toMatch(/the argument of checkBijection is not a bijection/);
  });

  test("a parameter that is not found by its path, and a NaN that is replaced", async () => {
    class Hiding extends Wave {
      readonly #more = new Parameter([1], 0.1);
      protected override shift(rows: Tensor) {
        return super.shift(rows).mul(this.#more);
      }
    }
    expect(await refusal(new Hiding())).toMatch(/Hiding uses a parameter \[1\]/);
    class Silent extends Actnorm {
      override inverse(x: Tensor) {
        const { value, logDet } = super.inverse(x);
        return { value: value.equal(value).where(value, 0), logDet };
      }
    }
    expect(await refusal(new Silent({ features: 1 }))).toMatch(
      /inverse returns a number where the input is NaN/,
    );
  });

  test("a description that builds another map", async () => {
    // In these new modules, no other test has registered the kind "invert".
    vi.resetModules();
    const fresh = await import("../../src/bijections/index.ts");
    const { checkBijection } = await import("../../src/flows/index.ts");
    class Twice extends fresh.Invert {
      override describe() {
        return { type: "invert", bijection: super.describe() };
      }
    }
    const twice = new Twice(new fresh.Actnorm({ features: 2 }));
    await expect(checkBijection(twice)).rejects.toThrow(/has another parameter bijection/);
    class Scaled extends Wave {
      readonly factor: number;
      constructor(factor: number) {
        super();
        this.factor = factor;
      }
      protected override shift(rows: Tensor) {
        return super.shift(rows).mul(this.factor);
      }
    }
    expect(
      await refusal(
        new Scaled(2),
        kind(() => new Scaled(1)),
      ),
    ).toMatch(/the bijection that its description builds is another map/);
    expect(
      await refusal(
        new Wave(),
        kind(() => new Standardize({ features: 2 })),
      ),
    ).toMatch(/has another description/);
    class Misspelled extends Wave {
      override describe() {
        return { type: "standardize", features: 2, colour: "red" };
      }
    }
    expect(await refusal(new Misspelled())).toMatch(
      /^Misspelled is not a valid bijection: its description cannot be built: .*colour/,
    );
    const identity = (value: Tensor) => ({ value, logDet: constant([0], []) });
    const literal = { features: 2, context: 0, forward: identity, inverse: identity, describe: () => ({}) };
    expect(await refusal(literal as never)).toMatch(
      /^the bijection is not a valid bijection: describe\(\) returns no type/,
    );
  });
});
