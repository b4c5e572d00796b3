import { describe, expect, test } from "vitest";
import { Actnorm } from "../../src/bijections/index.ts";
import { Mixture, StandardNormal, TransformedDistribution } from "../../src/distributions/index.ts";
import { Flow, maf, mixtureFlow, nsf } from "../../src/flows/index.ts";
import { input } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { buildFlow, decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { trained } from "./trained.ts";

const precision = "float64";
const normal = (size: number, seed = 1) => new Random(seed).normal(new Float64Array(size));

describe("each method takes tensors or numbers, with the same results:", () => {
  const flow = trained(maf(2, { context: 1, transforms: 2, hidden: [8], activation: "tanh" }));
  const [x, context] = [normal(10), normal(5, 2)];
  const shapes = [
    ["N", 2],
    ["N", 1],
  ] as const;

  test("logProb, toLatent and toData", async () => {
    const options = { precision } as const;
    const run = compile(
      (x, context) => ({
        logProb: flow.logProb(x, context),
        latent: flow.toLatent(x, context),
        data: flow.toData(x, context),
      }),
      shapes,
      options,
    );
    const { logProb, latent, data } = await run(x, context);
    expectClose(logProb, await flow.logProb(x, context, options), 1e-13, "logProb");
    expectClose(latent, await flow.toLatent(x, context, options), 1e-13, "toLatent");
    expectClose(data, await flow.toData(x, context, options), 1e-13, "toData");
  });

  test("sample and sampleAndLogProb", async () => {
    const noise = new Random(3).split("sample").split(0).normal(new Float64Array(10));
    const run = compile((z, context) => ({ ...flow.sampleAndLogProb([z], context) }), shapes, { precision });
    const only = compile((z, context) => flow.sample([z], context), shapes, { precision });
    const { samples, logProb } = await flow.sampleAndLogProb(5, { seed: 3, context, precision });
    const symbolic = await run(noise, context);
    expectClose(symbolic.samples, samples, 1e-13, "samples");
    expectClose(symbolic.logProb, logProb, 1e-13, "logProb");
    expectClose(await only(noise, context), samples, 1e-13, "sample");
    expect(await flow.sample(5, { seed: 3, context, precision })).toEqual(samples);
  });

  test("and throws if both are mixed", () => {
    expect(() => flow.logProb(input("x", ["N", 2]), [1] as never)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the rows are a tensor, but the context is not: received [1].]`,
    );
  });
});

describe("a flow is a distribution", () => {
  const parts = () =>
    [nsf(2, { transforms: 1, hidden: [8] }), maf(2, { transforms: 2, hidden: [8] })] as const;

  test("that can be the base of another flow", async () => {
    const [inner] = parts().map(trained);
    const actnorm = new Actnorm({ features: 2 });
    actnorm.shift.value.set([1, -2]);
    const outer = new Flow(inner, actnorm);
    expect(inner).toBeInstanceOf(TransformedDistribution);
    const x = normal(20);
    const shifted = x.map((v, i) => v - [1, -2][i % 2]);
    const expected = await inner.logProb(shifted, undefined, { precision });
    // The numeric methods of the inner flow have run before the parameters of the outer one are listed.
    expectClose(await outer.logProb(x, undefined, { precision }), expected, 1e-13, "log-density");
    expect(
      [...outer.parameters().keys()].slice(0, 2).every((name) => name.startsWith("base.bijection.")),
    ).toBe(true);
    const samples = await outer.sample(3, { seed: 1, precision });
    const within = await inner.sample(3, { seed: 1, precision });
    expectClose(
      samples,
      within.map((v, i) => v + [1, -2][i % 2]),
      1e-13,
      "samples",
    );
  });

  test("that can be a component of a mixture, with the parameter names of a transformed distribution", async () => {
    const flows = parts().map(trained);
    const direct = new Flow(new Mixture(flows));
    const wrapped = new Flow(
      new Mixture(flows.map(({ base, bijection }) => new TransformedDistribution(base, bijection))),
    );
    await flows[0].logProb([0, 0]);
    expect([...direct.parameters().keys()]).toEqual([...wrapped.parameters().keys()]);
    expect(direct.describe()).toEqual(wrapped.describe());
    expect(mixtureFlow(flows).describe()).toEqual(wrapped.describe());
    const x = normal(20);
    expect(await direct.logProb(x)).toEqual(await wrapped.logProb(x));
  });

  test("in a model file and in a description", async () => {
    const flow = trained(new Flow(parts()[0], new Actnorm({ features: 2 })));
    const model = { flow, columns: ["a", "b"], given: [] };
    const read = (await decodeModel(encodeModel(model))).flow;
    const x = normal(20);
    expect(await read.logProb(x)).toEqual(await flow.logProb(x));
    expect(read.describe()).toEqual(flow.describe());
    expect(flow.describe().type).toBe("transformedDistribution");
    const { type: _, ...untyped } = flow.describe();
    expect(buildFlow(untyped).describe()).toEqual(buildFlow(flow.describe()).describe());
  });

  test("has no properties except its parts and their sizes", () => {
    const flow = new Flow(new StandardNormal({ features: 2 }));
    expect(Object.keys(flow).sort()).toEqual([
      "base",
      "bijection",
      "context",
      "embedding",
      "features",
      "noise",
    ]);
  });
});
