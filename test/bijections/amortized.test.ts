import { expect, test } from "vitest";
import type { AmortizedParameters } from "../../src/bijections/amortized.ts";
import { type Bijection, Planar, Radial, Sylvester } from "../../src/bijections/index.ts";
import { input } from "../../src/graph/tensor.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { perturb } from "../nn/perturb.ts";
import { applyDirection } from "./apply.ts";

const D = 3;
const rows = [0.2, -0.7, 1.1, 1.4, 0.3, -0.5];
const contexts = [0.5, -1, 2, 0.3];

type Amortized = Bijection & { readonly parameters: AmortizedParameters };
const maps: Readonly<Record<string, (context: number) => Amortized>> = {
  planar: (context) => new Planar({ features: D, context, network: { hidden: [] } }, new Random(1)),
  radial: (context) => new Radial({ features: D, context, network: { hidden: [] } }, new Random(1)),
  sylvester: (context) =>
    new Sylvester({ features: D, columns: 2, context, network: { hidden: [] } }, new Random(1)),
};

test.each(Object.entries(maps))(
  "a %s map with parameters from a context equals the map with these numbers, for each row",
  async (_, build) => {
    const conditional = build(2);
    perturb(parametersOf(conditional));
    const forward = compile(
      (z, context) => ({ ...conditional.forward(z, context) }),
      [
        ["N", D],
        ["N", 2],
      ],
      { precision: "float64" },
    );
    const { value, logDet } = await forward(rows, contexts);
    const { base, network } = conditional.parameters;
    const { weight, bias } = network!.layers[0];
    const outputs = bias.value.length;
    for (let n = 0; n < 2; n++) {
      // Parameter k of row n is the shared number, the bias, and the product of the context with column k of the weights.
      let k = 0;
      const ordinary = build(0);
      for (const [name, parameter] of Object.entries(base)) {
        ordinary.parameters.base[name].value = Float64Array.from(parameter.value, (shared) => {
          const fromContext =
            contexts[2 * n] * weight.value[k] + contexts[2 * n + 1] * weight.value[outputs + k];
          return shared + bias.value[k++] + fromContext;
        });
      }
      const expected = await applyDirection(ordinary, "forward", rows.slice(D * n, D * (n + 1)));
      for (let d = 0; d < D; d++) expect(value[D * n + d]).toBeCloseTo(expected.value[d], 9);
      expect(logDet[n]).toBeCloseTo(expected.logDet[0], 9);
    }
  },
);

test("tracing a map with a context does not mark its parameters as exposed", () => {
  const map = new Planar({ features: D, context: 2 }, new Random(1));
  map.forward(input("z", ["N", D]), input("context", ["N", 2]));
  expect([...parametersOf(map).values()].filter(({ exposed }) => exposed)).toEqual([]);
});
