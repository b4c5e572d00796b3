import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { maf, nsf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { perturb } from "../nn/perturb.ts";

it("an exported flow computes the same density and latents for any number of rows", async () => {
  for (const flow of [forTables(nsf(3)), forTables(maf(2, { context: 1 }))]) {
    perturb(flow.parameters(), 0.1);
    const session = await InferenceSession.create(await flow.exportOnnx({ precision: "float64" }));
    expect(session.inputNames).toEqual(flow.context > 0 ? ["x", "context"] : ["x"]);
    for (const rows of [1, 7]) {
      const x = new Random(rows).normal(new Float64Array(rows * flow.features));
      const context = new Random(rows + 1).normal(new Float64Array(rows * flow.context));
      const result = await session.run({
        x: new Tensor("float64", x, [rows, flow.features]),
        ...(flow.context > 0 && { context: new Tensor("float64", context, [rows, flow.context]) }),
      });
      const given = flow.context > 0 ? context : undefined;
      const logProb = await flow.logProb(x, given, { precision: "float64" });
      const z = await flow.toLatent(x, given, { precision: "float64" });
      logProb.forEach((value, i) => {
        expect(result.logProb.data[i]).toBeCloseTo(value, 10);
      });
      z.forEach((value, i) => {
        expect(result.z.data[i]).toBeCloseTo(value, 10);
      });
    }
  }
});
