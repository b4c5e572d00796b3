import { describe, expect, test } from "vitest";
import { type Bijection, Chain, Continuous, Invert, Permutation } from "../../src/bijections/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow, mixtureFlow, nsf } from "../../src/flows/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { encodeModel } from "../../src/tables/model/index.ts";
import { fit, fitDensity } from "../../src/train/index.ts";

/** x = z + shift. The subclasses keep the parameter in different places. */
abstract class Shift implements Bijection {
  readonly features = 2;
  readonly context = 0;
  protected abstract shift(): Tensor;
  forward(z: Tensor) {
    return { value: z.add(this.shift()), logDet: z.sum(1).mul(0) };
  }
  inverse(x: Tensor) {
    return { value: x.sub(this.shift()), logDet: x.sum(1).mul(0) };
  }
  describe() {
    return { type: "shift" };
  }
}

class PrivateShift extends Shift {
  readonly #shift = new Parameter([2], 0.5);
  protected shift() {
    return this.#shift;
  }
}

class MapShift extends Shift {
  readonly parameters = new Map([["shift", new Parameter([2], 0.5)]]);
  protected shift() {
    return this.parameters.get("shift")!;
  }
}

class ClosureShift extends Shift {
  readonly shift: () => Tensor;
  constructor(parameter = new Parameter([2], 0.5)) {
    super();
    this.shift = () => parameter;
  }
}

class HiddenShift extends Shift {
  declare readonly hidden: Parameter;
  constructor() {
    super();
    Object.defineProperty(this, "hidden", { value: new Parameter([2], 0.5), enumerable: false });
  }
  protected shift() {
    return this.hidden;
  }
}

class PublicShift extends Shift {
  readonly values = [{ shift: new Parameter([2], 0.5) }];
  protected shift() {
    return this.values[0].shift;
  }
}

const normal = new StandardNormal({ features: 2 });
const flowOf = (shift: Bijection) =>
  new Flow(normal, new Chain([new Permutation({ order: [1, 0] }), new Invert(shift)]));
const rows = new Random(0).normal(new Float64Array(200));
const target = (x: Tensor) => x.square().sum(1).mul(-0.5);
const model = (flow: Flow) => ({ flow, columns: ["a", "b"], given: [] });

/** All ways to compute with a flow, or to save it. */
const USES: Readonly<Record<string, (flow: Flow) => unknown>> = {
  fit: (flow) => fit(flow, rows, { epochs: 1 }),
  fitDensity: (flow) => fitDensity(flow, target, { steps: 2, samples: 100 }),
  logProb: (flow) => flow.logProb(rows),
  toLatent: (flow) => flow.toLatent(rows),
  toData: (flow) => flow.toData(rows),
  sample: (flow) => flow.sample(3),
  encodeModel: (flow) => encodeModel(model(flow)),
  exportOnnx: (flow) => flow.exportOnnx(),
};

describe.each([PrivateShift, MapShift, ClosureShift, HiddenShift])("a parameter in a %o", (Kind) => {
  test.each(Object.keys(USES))("is an error of %s that names the class", async (name) => {
    await expect((async () => USES[name](flowOf(new Kind())))()).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringMatching(
        new RegExp(`^${Kind.name} at bijection\\.bijections\\.1\\.bijection uses a parameter \\[2\\]`),
      ),
    });
  });
});

test("the error says where such a parameter belongs", async () => {
  await expect(flowOf(new PrivateShift()).logProb(rows)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: PrivateShift at bijection.bijections.1.bijection uses a parameter [2] that is in none of its public properties.
    It is not trained or saved: store it in a public property of the module.]
  `);
});

test("parameters in public properties, arrays and plain objects are found", async () => {
  const flow = flowOf(new PublicShift());
  expect([...flow.parameters().keys()]).toEqual(["bijection.bijections.1.bijection.values.0.shift"]);
  await flow.logProb(rows);
  await flow.sample(3);
});

test("a component of a mixture is named by its own path", async () => {
  const flows = [nsf(2, { transforms: 1 }), new Flow(normal, new PrivateShift())];
  await expect(mixtureFlow(flows).logProb(rows)).rejects.toThrow(/^PrivateShift at bijection uses/);
});

test("flow matching needs the parameters of the field", async () => {
  class Hiding extends Continuous {
    readonly #shift = new Parameter([2], 0.5);
    override velocity(t: Tensor, y: Tensor) {
      return super.velocity(t, y).add(this.#shift);
    }
  }
  const continuous = new Hiding({ features: 2, network: { hidden: [4] } }, new Random(0));
  const flow = new Flow(normal, continuous);
  await expect(fit(flow, rows, { epochs: 1, objective: "flowMatching" })).rejects.toThrow(/uses a parameter/);
});

test("the density that a flow is fitted to may have parameters, which stay as they are", async () => {
  const center = new Parameter([2], [1, -1]);
  const density = (x: Tensor) => x.sub(center).square().sum(1).mul(-0.5);
  const { logNormalizer } = await fitDensity(flowOf(new PublicShift()), density, {
    steps: 300,
    samples: 2000,
  });
  expect(logNormalizer).toBeCloseTo(Math.log(2 * Math.PI), 1);
  expect([...center.value]).toEqual([1, -1]);
});
