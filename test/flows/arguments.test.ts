import { expect, test } from "vitest";
import type { Bijection } from "../../src/bijections/index.ts";
import { ContextEmbedding, StandardNormal } from "../../src/distributions/index.ts";
import { embedContext, Flow, maf, mixtureFlow } from "../../src/flows/index.ts";
import { filled, scalar, type Tensor } from "../../src/graph/tensor.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import { forTables, withConstants } from "../../src/tables/fit/index.ts";
import { tableFlows } from "../../src/tables/fit/tableFlows.ts";
import { TableModel } from "../../src/tables/model/index.ts";

const wrong = (value: unknown) => value as never;
const flow = maf(2, { transforms: 1, hidden: [4] });
const base = new StandardNormal({ features: 2 });
const embedding = new ContextEmbedding({ numbers: 2 });

test.each<[string, () => unknown, string]>([
  [
    "a bijection and a base that are swapped",
    () => new Flow(wrong(flow.bijection), wrong(base)),
    "new Flow(base, bijection, embedding) got a wrong argument for its base: expected a distribution, received a Chain.",
  ],
  [
    "options in place of a base",
    () => new Flow(wrong({ base })),
    "new Flow(base, bijection, embedding) got a wrong argument for its base: expected a distribution, received {",
  ],
  [
    "no base",
    () => new Flow(wrong(undefined)),
    "new Flow(base, bijection, embedding) got a wrong argument for its base: expected a distribution, received nothing.",
  ],
  [
    "a base in place of a bijection",
    () => new Flow(base, wrong(base)),
    "new Flow(base, bijection, embedding) got a wrong argument for its bijection: expected a bijection, received a StandardNormal.",
  ],
  [
    "options in place of an embedding",
    () => new Flow(base, flow.bijection, wrong({ numbers: 2 })),
    'new Flow(base, bijection, embedding) got a wrong argument for its embedding: expected a ContextEmbedding, received {"numbers":2}.',
  ],
  [
    "a flow in place of a list of flows",
    () => mixtureFlow(wrong(flow)),
    "the argument of mixtureFlow is not an array of flows: received ",
  ],
  [
    "numbers in place of flows",
    () => mixtureFlow(wrong([1, 2])),
    "the argument of mixtureFlow is not a flow: expected a Flow, received 1.",
  ],
  [
    "another option of a mixture",
    () => mixtureFlow([flow, flow], wrong({ weigths: [1, 2] })),
    "a mixture is not valid: expected one of weights, learned, received weigths (did you mean weights?).",
  ],
  [
    "an embedding and a flow that are swapped",
    () => embedContext(wrong(embedding), wrong(flow)),
    "the argument of embedContext is not a flow: expected a Flow, received a ContextEmbedding.",
  ],
  [
    "a base in place of a flow",
    () => forTables(wrong(base)),
    "the argument of forTables is not a flow: expected a Flow, received a StandardNormal.",
  ],
  [
    "an object in place of a Map",
    () => withConstants(flow, wrong({ 0: 1 })),
    'the constants of withConstants are not a Map from index to value: received {"0":1}.',
  ],
  [
    "a constant with an index that is out of range",
    () => withConstants(flow, new Map([[9, 1]])),
    "a constant of withConstants is not valid: expected an index from 0 to 2 and a finite number, received 9 and 1.",
  ],
  [
    "a constant that is not a number",
    () => withConstants(flow, new Map([[0, Number.NaN]])),
    "a constant of withConstants is not valid: expected an index from 0 to 2 and a finite number, received 0 and NaN.",
  ],
  [
    "another option of tableFlows",
    () => tableFlows(2, wrong({ row: 100 })),
    "unknown option of tableFlows: expected one of rows, context, embedding, seed, received row (did you mean rows?).",
  ],
  [
    "a bigint as the seed of tableFlows",
    () => tableFlows(2, { rows: 100, seed: wrong(5n) }),
    "the option seed of tableFlows has an invalid value: expected 0, 1, 2, ..., received 5n (a bigint).",
  ],
  [
    "an object in place of the flow of images",
    () => new ImageModel({ flow: wrong({}), shape: [2, 2, 1] }),
    "the argument of new ImageModel is not a flow: expected a Flow, received {}.",
  ],
  [
    "a text in place of the columns of a table",
    () => new TableModel({ flow, columns: wrong("x") }),
    'the option columns of new TableModel has an invalid value: expected a list of columns, received "x".',
  ],
  [
    "no rows of tableFlows",
    () => tableFlows(2, wrong({})),
    "the option rows of tableFlows has an invalid value: expected 0, 1, 2, ..., received nothing.",
  ],
])("%s is an error of one line", (_, call, message) => {
  const error = (() => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  })();
  expect(error).toMatchObject({ code: "ARGUMENT" });
  expect((error as Error).message.slice(0, message.length)).toBe(message);
  expect((error as Error).message).not.toContain("\n");
});

test("results of custom classes with a wrong shape are errors", async () => {
  const normal = new StandardNormal({ features: 2 });
  class NoSum extends StandardNormal {
    override logProb(x: Tensor) {
      return x.square().mul(-0.5);
    }
  }
  class OneColumn extends StandardNormal {
    override sample([noise]: readonly Tensor[]) {
      return noise.slice(1, 0, 1);
    }
  }
  class Doubling implements Bijection {
    readonly features = 2;
    readonly context = 0;
    forward(z: Tensor) {
      return { value: z.mul(2).slice(1, 0, 1), logDet: scalar(Math.log(4)) };
    }
    inverse(x: Tensor) {
      return { value: x.mul(0.5), logDet: x.mul(0).sub(Math.log(2)) };
    }
    describe() {
      return { type: "doubling" };
    }
  }
  class LogDetOfColumns extends Doubling {
    override inverse(x: Tensor) {
      return { value: x.mul(0.5), logDet: filled(-Math.log(2), [2]) };
    }
  }
  const rows = [[1, 2]];
  await expect(
    new Flow(new NoSum({ features: 2 })).logProb(rows),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: logProb of NoSum has a wrong shape: expected [N], received [N, 2].
    Sum over the features with .sum(-1).]
  `);
  await expect(new Flow(new OneColumn({ features: 2 })).sample(1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: sample of OneColumn has a wrong shape: expected [N, 2], received [N, 1].]`,
  );
  const doubling = new Flow(normal, new Doubling());
  await expect(doubling.logProb(rows)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: logDet of inverse of Doubling has a wrong shape: expected [N], received [N, 2].
    Sum over the features with .sum(-1).]
  `);
  await expect(doubling.sample(1)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: value of forward of Doubling has a wrong shape: expected [N, 2], received [N, 1].]`,
  );
  await expect(doubling.toData(rows)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: value of forward of Doubling has a wrong shape: expected [N, 2], received [N, 1].]`,
  );
  const columns = new Flow(normal, new LogDetOfColumns());
  await expect(columns.logProb(rows)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: logDet of inverse of LogDetOfColumns has a wrong shape: expected [N], received [2].
    Sum over the features with .sum(-1).]
  `);
});

test("the density of a conditional flow needs its context", () => {
  const conditional = maf(2, { context: 1, transforms: 1, hidden: [4] });
  expect(() => conditional.density(scalar(1).broadcastTo([3, 2]))).toThrowErrorMatchingInlineSnapshot(
    `
    [PushforwardError: the flow needs a context: expected 1 feature per row, received none.
    Give one row of context for all rows, or one for each: logProb(rows, context), or flow.withContext(context).]
  `,
  );
  expect(() => flow.density(scalar(1).broadcastTo([3, 3]))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the rows have a wrong shape for the flow: expected [N, 2], received [3, 3].]`,
  );
});
