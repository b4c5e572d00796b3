import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { identityOrder } from "../../src/bijections/index.ts";
import { loop } from "../../src/graph/loop.ts";
import { constant, filled, input, scalar, stack } from "../../src/graph/tensor.ts";
import { CausalAttention } from "../../src/nn/causalAttention.ts";
import { CausalTransformer, transformerSchema } from "../../src/nn/causalTransformer.ts";
import { LayerNorm } from "../../src/nn/layerNorm.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { expectClose } from "../bijections/invariants.ts";
import { perturb } from "./perturb.ts";

const TOKENS = 5;
const x = new Random(1).normal(new Float64Array(2 * TOKENS * 4));
const double = { precision: "float64" as const };

test("layer normalization standardizes the last axis, and then scales and shifts it", async () => {
  const norm = new LayerNorm(4);
  norm.scale.value.set([1, 2, 3, 4]);
  norm.shift.value.set([0, 0, 1, 1]);
  const result = await compile((x) => norm.apply(x), [["N", 4]], double)([1, 2, 3, 6]);
  const deviation = Math.sqrt(14 / 4 + 1e-5);
  const expected = [-2 / deviation, -2 / deviation, 1, 1 + 12 / deviation];
  expectClose(result, expected, 1e-12, "numbers");
  // This one is the normalization of the runtime.
  const embedded = await compile((x) => norm.apply(x), [["N", 4]], { embedParameters: true })([1, 2, 3, 6]);
  expectClose(embedded, expected, 1e-6, "numbers in float32");
});

test("with fixed parameters in float32, gelu is the operator of the runtime", async () => {
  const rows = [-6, -1, -0.1, 0, 0.3, 2, 8];
  const composed = await compile((x) => x.gelu(), [["N"]], double)(rows);
  const embedded = compile((x) => x.gelu(), [["N"]], { embedParameters: true });
  expect(fromBinary(ModelProtoSchema, embedded.bytes()).graph!.node.map(({ opType }) => opType)).toEqual([
    "Gelu",
  ]);
  expectClose(await embedded(rows), composed, 1e-6, "numbers in float32");
});

test("a transformer has four heads, or two or one if the width is not a multiple of four", () => {
  const headsOf = (width: number) => {
    const options = transformerSchema.parse({ width, layers: 1 });
    const [keys] = new CausalTransformer(2, 1, 1, options, new Random(0)).looped().initial;
    return keys!.shape[1];
  };
  expect([8, 10, 9].map(headsOf)).toEqual([4, 2, 1]);
});

describe("CausalAttention", () => {
  test("is the weighted mean of the values of the tokens so far, for each head", async () => {
    const attention = new CausalAttention(4, 2, new Random(0));
    const run = compile((x) => attention.apply(x), [["N", TOKENS, 4]], double);
    const linear = ({ weight, bias }: CausalAttention["input"], row: ArrayLike<number>) =>
      Array.from(bias.value, (b, j) =>
        Array.from(row).reduce((sum, v, i) => sum + v * weight.value[i * bias.value.length + j], b),
      );
    const one = x.subarray(0, TOKENS * 4);
    const projected = Array.from({ length: TOKENS }, (_, t) =>
      linear(attention.input, one.subarray(4 * t, 4 * t + 4)),
    );
    const expected = projected.flatMap((query, t) => {
      const heads = [0, 1].flatMap((head) => {
        const part = (row: number[], kind: number) => row.slice(4 * kind + 2 * head, 4 * kind + 2 * head + 2);
        const weights = projected
          .slice(0, t + 1)
          .map((key) =>
            Math.exp(part(query, 0).reduce((sum, q, i) => sum + q * part(key, 1)[i], 0) / Math.SQRT2),
          );
        const total = weights.reduce((a, b) => a + b);
        return [0, 1].map((i) =>
          weights.reduce((sum, w, k) => sum + (w / total) * part(projected[k], 2)[i], 0),
        );
      });
      return linear(attention.output, heads);
    });
    expectClose(await run(one), expected, 1e-12, "outputs");
  });
});

describe("CausalTransformer", () => {
  const network = new CausalTransformer(
    TOKENS,
    4,
    3,
    transformerSchema.parse({ width: 6, heads: 2 }),
    new Random(0),
    2,
  );
  perturb(parametersOf(network), 0.3);
  const context = [1, -1, 0.5, 2];
  const run = compile(
    (x, c) => network.apply(x, c),
    [
      ["N", TOKENS, 4],
      ["N", 2],
    ],
    double,
  );

  test("computes one token after the other as all at once", async () => {
    const incremental = compile(
      (x, c) => {
        const steps = network.incremental(c);
        return stack(
          x.split(1, new Array(TOKENS).fill(1)).map((token) => steps.next(token.reshape(["N", 4]))),
          1,
        );
      },
      [
        ["N", TOKENS, 4],
        ["N", 2],
      ],
      double,
    );
    expectClose(await incremental(x, context), await run(x, context), 1e-10, "outputs");
  });

  test("computes one token after the other in a loop as all at once", async () => {
    const looped = compile(
      (x, c) => {
        const steps = network.looped(c);
        const places = constant(identityOrder(TOKENS), [TOKENS, 1]);
        const [outputs] = loop(
          [filled(0, ["N", TOKENS, 3]), scalar(0), ...steps.initial],
          ([outputs, index, ...state]) => {
            const isNext = places.equal(index);
            const token = isNext.where(x, 0).sum(1);
            const { output, state: next } = steps.next(token, index, state);
            const count = index.add(1);
            const added = isNext.where(output.reshape(["N", 1, 3]), outputs);
            return { state: [added, count, ...next], proceed: count.less(TOKENS) };
          },
          { maxIterations: TOKENS },
        );
        return outputs;
      },
      [
        ["N", TOKENS, 4],
        ["N", 2],
      ],
      double,
    );
    expectClose(await looped(x, context), await run(x, context), 1e-10, "outputs");
  });

  test("has outputs that depend on their token and those before it", async () => {
    const original = await run(x, context);
    for (let token = 0; token < TOKENS; token++) {
      const changed = x.slice();
      changed[4 * token] += 1;
      const outputs = await run(changed, context);
      for (let t = 0; t < TOKENS; t++) {
        const [a, b] = [original, outputs].map((values) => [...values.subarray(3 * t, 3 * t + 3)]);
        if (t < token) expect(b).toEqual(a);
        else expect(b).not.toEqual(a);
      }
    }
  });
});

test("wrong shapes, a missing context and a number of heads that does not divide the width are errors", () => {
  const network = new CausalTransformer(5, 4, 3, transformerSchema.parse({ width: 6 }), new Random(0), 2);
  const tokens = (count: number) => input("tokens", ["N", count, 4]);
  const context = input("context", ["N", 2]);
  expect(() => network.apply(tokens(1), context)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the tokens of a transformer have a wrong shape: expected [N, 5, 4], received [N, 1, 4].]`,
  );
  expect(() => network.apply(tokens(5))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the context of a network is missing: expected 2, received none.]`,
  );
  expect(() => network.incremental()).toThrow("the context of a network is missing");
  expect(() => network.looped()).toThrow("the context of a network is missing");
  expect(() => new CausalAttention(6, 4, new Random(0))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the number of attention heads does not divide the width: expected a divisor of 6, received 4.]`,
  );
  expect(() => new LayerNorm(3).apply(tokens(5))).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the last axis of the input of a layer normalization has a wrong size: expected [..., 3], received [N, 5, 4].]`,
  );
});
