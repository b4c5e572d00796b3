import { describe, expect, test } from "vitest";
import { ContextEmbedding } from "../../src/distributions/index.ts";
import { embedContext, maf, nsf } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "../nn/perturb.ts";

const flow = forTables(maf(2, { context: 3, transforms: 2, hidden: [8], activation: "tanh" }));
perturb(flow.parameters(), 0.3);
flow.contextColumns = ["a", "b", "c"];
const c = [0.3, -1, 2];
const x = new Random(1).normal(new Float64Array(20));

describe("a flow with a fixed context", () => {
  const fixed = flow.withContext(c);

  test("has the results of the flow for this context", async () => {
    expect(fixed.features).toBe(2);
    expect(await fixed.logProb(x)).toEqual(await flow.logProb(x, c));
    expect(await fixed.toLatent(x, { as: "rows" })).toEqual(await flow.toLatent(x, c, { as: "rows" }));
    expect(await fixed.toData(x)).toEqual(await flow.toData(x, c));
    const options = { seed: 3, start: 2 };
    expect(await fixed.sample(300, options)).toEqual(await flow.sample(300, { ...options, context: c }));
    expect(await fixed.sampleAndLogProb(5, { as: "rows", ...options })).toEqual(
      await flow.sampleAndLogProb(5, { as: "rows", ...options, context: c }),
    );
    expect(await flow.withContext({ c: 2, b: -1, a: 0.3 }).logProb(x)).toEqual(await fixed.logProb(x));
  });

  test("has the context as a constant in graphs", async () => {
    const run = compile(
      (x) => ({ logProb: fixed.logProb(x), z: fixed.toLatent(x), x: fixed.toData(fixed.toLatent(x)) }),
      [["N", 2]],
      { precision: "float64" },
    );
    const { logProb, z, x: back } = await run(x);
    expectClose(logProb, await fixed.logProb(x, { precision: "float64" }), 1e-12, "logProb");
    expectClose(z, await fixed.toLatent(x, { precision: "float64" }), 1e-12, "z");
    expectClose(back, x, 1e-9, "x");
    const noise = new Random(3).split("sample").split(0).normal(new Float64Array(10));
    const draw = compile((z) => ({ ...fixed.sampleAndLogProb([z]), same: fixed.sample([z]) }), [["N", 2]], {
      precision: "float64",
    });
    const drawn = await draw(noise);
    const expected = await fixed.sampleAndLogProb(5, { seed: 3, precision: "float64" });
    expectClose(drawn.samples, expected.samples, 1e-12, "samples");
    expectClose(drawn.same, expected.samples, 1e-12, "samples");
    expectClose(drawn.logProb, expected.logProb, 1e-12, "log-density of samples");
    const score = compile((x) => grad(fixed.logProb(x).sum(), [x])[0], [["N", 2]]);
    expect((await score(x)).every(Number.isFinite)).toBe(true);
  });

  test("takes exactly one context, and its methods have no option for it", async () => {
    expect(() => flow.withContext([1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the length of the flat array of the context is not a multiple of the row length: expected a multiple of 3, received 2.]`,
    );
    expect(() => flow.withContext([1, 2, 3, 4, 5, 6])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: withContext needs exactly one context: expected 3 numbers, received 2 rows.]`,
    );
    expect(() => flow.withContext([1, Number.NaN, 3])).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: row 0, column 1 of the context is NaN: expected a finite number.
      Remove such rows, or replace the value.]
    `);
    expect(() => nsf(2).withContext([1])).toThrowErrorMatchingInlineSnapshot(
      `
      [PushforwardError: the flow is not conditional: expected no context, received an array of 1.
      Leave the context out, or build a conditional flow: nsf(features, { context: 2 }).]
    `,
    );
    await expect(fixed.sample(2, { context: c } as never)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: unknown option of sample: expected one of precision, providers, threads, as, seed, start, received context.]`,
    );
    await expect(fixed.logProb(x, { sed: 1 } as never)).rejects.toThrow("unknown option of logProb");
  });
});

describe("samples for each of several contexts", () => {
  const contexts = [c, [1, 1, 1], [-2, 0, 0.5]];

  test.each([1, 2, 700])("are the same as %d samples with each context repeated", async (n) => {
    const repeated = contexts.flatMap((row) => Array.from({ length: n }, () => row));
    const options = { seed: 4, start: 5 };
    const samples = await flow.sample(n, { ...options, contexts });
    expect(samples).toHaveLength(3 * n * 2);
    expect(samples).toEqual(await flow.sample(3 * n, { ...options, context: repeated }));
    expect(await flow.sampleAndLogProb(n, { ...options, contexts: contexts.flat() })).toEqual(
      await flow.sampleAndLogProb(3 * n, { ...options, context: repeated }),
    );
    // The first context has the same noise as a call with only this context; other contexts have different noise.
    const first = await flow.sample(n, { ...options, context: c, precision: "float64" });
    const all = await flow.sample(n, { ...options, contexts: [c, c], precision: "float64" });
    expectClose(all.subarray(0, 2 * n), first, 1e-12, "of the first context");
    expect(all.subarray(2 * n)).not.toEqual(first);
  });

  test("are reproducible, and empty for no contexts or no samples", async () => {
    expect(await flow.sample(4, { contexts, seed: 1 })).toEqual(await flow.sample(4, { contexts, seed: 1 }));
    expect(await flow.sample(4, { contexts: [] })).toHaveLength(0);
    expect(await flow.sample(0, { contexts })).toHaveLength(0);
    expect(await flow.sample(1, { contexts, as: "rows" })).toHaveLength(3);
  });

  test("may have class labels", async () => {
    const embedding = new ContextEmbedding({ numbers: 1, classes: [3] });
    const labelled = embedContext(maf(1, { context: embedding.size, hidden: [4] }), embedding);
    expect(
      await labelled.sample(2, {
        contexts: [
          [0.5, 0],
          [0.1, 2],
        ],
      }),
    ).toHaveLength(4);
    await expect(
      labelled.sample(2, {
        contexts: [
          [0.5, 0],
          [0.1, 3],
        ],
      }),
    ).rejects.toThrow(expect.objectContaining({ code: "DATA" }));
  });

  test("need a conditional flow, and cannot be combined with the option context", async () => {
    await expect(flow.sample(2, { contexts, context: c })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: sample got both options context and contexts: expected only one of them: context has one row for each sample or one for all, contexts has n samples for each row, received both.]`,
    );
    await expect(nsf(2).sample(2, { contexts: [[1]] })).rejects.toThrow("the flow is not conditional");
  });
});
