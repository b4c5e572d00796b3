import { beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit, type LossBatch, minimize, type TrainingData } from "../../src/train/index.ts";

const small = { hidden: [16, 16], transforms: 2 };

describe("rows in any form", () => {
  const flat = new Random(1).normal(new Float64Array(120));
  const pairs = Array.from({ length: 60 }, (_, i) => [flat[2 * i], flat[2 * i + 1]] as const);
  const objects = pairs.map(([x, y], i) => (i % 2 === 0 ? { x, y } : { y, x }));
  const columns = { x: pairs.map(([x]) => x), y: pairs.map(([, y]) => y) };
  async function* blocks() {
    yield objects.slice(0, 25);
    yield objects.slice(25);
  }
  const forms = { pairs: pairs.map((pair) => [...pair]), objects, columns, blocks };
  const trained = async (data: TrainingData) => {
    const flow = maf(2, small);
    const { validationLogDensity } = await fit(flow, data, { epochs: 2, validation: objects });
    return { flow, validationLogDensity };
  };

  let ofFlat: number;
  beforeAll(async () => {
    ofFlat = (await trained(flat)).validationLogDensity;
  });

  it.each(Object.entries(forms))("as %s train the same flow as a flat array", async (name, data) => {
    const { flow, validationLogDensity } = await trained(data);
    expect(validationLogDensity).toBe(ofFlat);
    if (name === "pairs") return;
    expect(flow.columns).toEqual(["x", "y"]);
    // The flow accepts and returns rows with the names that it was fitted with.
    expect(await flow.logProb([{ y: 1, x: 2 }])).toEqual(await flow.logProb([[2, 1]]));
    expect(Object.keys((await flow.sample(1, { as: "objects" }))[0]!)).toEqual(["x", "y"]);
  });

  it("are not read from a stream if the validation rows are not valid", async () => {
    let passes = 0;
    const stream = () => {
      passes++;
      return blocks();
    };
    const options = { epochs: 1, validation: [[1, Number.NaN]] };
    await expect(fit(maf(2, small), stream, options)).rejects.toThrow("is NaN");
    expect(passes).toBe(0);
  });

  it("are an error if names or the context are missing", async () => {
    const flow = maf(2, small);
    await fit(flow, objects, { epochs: 1 });
    await expect(fit(flow, [{ x: 1, z: 2 }], { epochs: 1 })).rejects.toThrow(
      "row 0 of rows has wrong columns: expected x, y, received x, z",
    );
    await expect(fit(maf(2, { ...small, context: 1 }), flat, { epochs: 1 })).rejects.toThrow(
      "the rows have a different number of context features from the flow: expected 1, received 0",
    );
    const rows = dataset([1, 2, 3, 4], { features: 2, context: [1, 2] });
    await expect(
      fit(maf(2, { ...small, context: 1 }), rows, { validation: [[1, 2]] }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the validation rows have a different number of context features from the training rows: expected 1, received 0.
      Give validation rows with their context: dataset(rows, { context }).]
    `);
    const swapped = fit(maf(2, small), blocks, { validation: [{ y: 1, x: 2 }] });
    await expect(swapped).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the columns of the validation rows are not those of the training rows: expected x, y, received y, x.]`,
    );
    const loss = ({ values }: LossBatch) => flow.logProb(values).neg();
    await expect(minimize(loss, flow, blocks, { validation: [[1, 2, 3]] })).rejects.toThrow(
      "the validation rows have a different number of features from the training rows",
    );
    await expect(fit(flow, ["a", "b"] as never, { epochs: 1 })).rejects.toThrow(
      'row 0, column 0 of rows is "a"',
    );
  });
});
