import { expect, test } from "vitest";
import { type Bijection, buildBijection } from "../../src/bijections/index.ts";
import { bijectionKinds } from "../../src/bijections/registry.ts";
import type { Description, Kind } from "../../src/description.ts";
import { buildDistribution, type Distribution } from "../../src/distributions/index.ts";
import { distributionKinds } from "../../src/distributions/registry.ts";
import { parametersOf } from "../../src/nn/index.ts";
import { Random } from "../../src/random/index.ts";

test("the weights of networks decay, and no other parameter does", () => {
  const examples = [
    ...(bijectionKinds as readonly Kind<Bijection>[]),
    ...(distributionKinds as readonly Kind<Distribution>[]),
  ].flatMap((kind) => [1, 2, 5].flatMap((features) => kind.examples(features) as Description[]));
  const bijections = new Set(
    bijectionKinds.flatMap(({ examples }) => examples(2).map(({ type }) => type as string)),
  );
  let weights = 0;
  for (const example of examples) {
    const build: (d: Description, r: Random) => object = bijections.has(example.type)
      ? buildBijection
      : buildDistribution;
    for (const [name, { decay }] of parametersOf(build(example, new Random(0)))) {
      expect(decay, `${example.type}: ${name}`).toBe(name.endsWith(".weight"));
      if (decay) weights++;
    }
  }
  expect(weights).toBeGreaterThan(100);
});
