// Defines a custom bijection, checks it, trains a flow with it, and saves and loads the model.
//
//     npx tsx examples/custom-bijection.ts [OUTPUT.safetensors]
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import {
  type Bijection,
  checkBijection,
  Flow,
  fit,
  Parameter,
  Random,
  StandardNormal,
  scalar,
  type Tensor,
} from "pushforward";
import { loadModel, saveModel } from "pushforward/files";

/** x = (z_1, z_2 + a z_1^2) with a learned a, which maps the standard normal to a banana-shaped distribution. */
class QuadraticShear implements Bijection {
  readonly features = 2;
  readonly context = 0;
  readonly curvature = new Parameter([1], 0);

  shift = (rows: Tensor) => rows.slice(1, 0, 1).square().mul(this.curvature).pad(1, 1, 0);
  forward = (z: Tensor) => ({ value: z.add(this.shift(z)), logDet: scalar(0) });
  inverse = (x: Tensor) => ({ value: x.sub(this.shift(x)), logDet: scalar(0) });
  describe = () => ({ type: "quadraticShear" });
}

const kinds = [{ bijection: "quadraticShear", build: () => new QuadraticShear() }];
await checkBijection(new QuadraticShear(), { kinds });

const rows = new Random(0).normal(new Float64Array(4000)).map((v, i, z) => (i % 2 ? v + z[i - 1] ** 2 : v));
const flow = new Flow(new StandardNormal({ features: 2 }), new QuadraticShear());
const { validationLogDensity } = await fit(flow, rows, { optimizer: { learningRate: 0.02 } });
console.log(`Mean log-density ${validationLogDensity.toFixed(2)} nats; minus the entropy is -2.84 nats`);

const path = process.argv[2] ?? "demo/shear.safetensors";
mkdirSync(dirname(path), { recursive: true });
await saveModel(path, { flow }, { kinds });
const loaded = (await loadModel(path, { kinds })).flow.bijection as QuadraticShear;
console.log(`a = ${loaded.curvature.numbers[0].toFixed(2)}`);
