import { expect, test } from "vitest";
import { Actnorm, Chain, Coupling, Invert, Permutation, Tails } from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";

const shift = (by: number) => {
  const actnorm = new Actnorm({ features: 2 });
  actnorm.shift.value.fill(by);
  return actnorm;
};
const double = () => {
  const actnorm = new Actnorm({ features: 2 });
  actnorm.logScale.value.fill(Math.log(2));
  return actnorm;
};
const conditional = (context: number) => new Coupling({ mask: [true, false], context }, new Random(0));

test("the first bijection of a chain is next to the base distribution, the last next to the data", async () => {
  const chain = new Chain([shift(1), double(), new Permutation({ order: [1, 0] })]);
  const run = compile((u) => ({ x: chain.forward(u).value, z: chain.inverse(u).value }), [["N", 2]]);
  const { x, z } = await run([3, 5]);
  expect([...x]).toEqual([12, 8]);
  expect([...z]).toEqual([1.5, 0.5]);
});

test("Invert exchanges the directions", async () => {
  const inverted = new Invert(double());
  const run = compile(
    (u) => {
      const { value, logDet } = inverted.forward(u);
      return [value, logDet];
    },
    [["N", 2]],
  );
  const [value, logDet] = await run([4, 6]);
  expect([...value]).toEqual([2, 3]);
  expect(logDet[0]).toBeCloseTo(-2 * Math.log(2), 6);
});

test("a chain is conditional if one of its bijections is", () => {
  expect(new Chain([shift(1)]).context).toBe(0);
  expect(new Chain([shift(1), conditional(3), double()]).context).toBe(3);
});

test("refuses bijections with different numbers of features", () => {
  expect(() => new Chain([])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a chain needs at least one bijection.]`,
  );
  expect(() => new Chain([shift(1), new Tails({ features: 3 })])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: bijections 0 and 1 of a chain have different numbers of features: expected 2 features, received 3.]`,
  );
  expect(() => new Chain([shift(1), conditional(2), conditional(3)])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: bijection 1 of a chain and the others have different numbers of context features: expected 3 context features or none, received 2.]`,
  );
});
