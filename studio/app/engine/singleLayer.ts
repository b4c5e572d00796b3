import { compile, Planar, Radial, Random, type Tensor } from "pushforward";
import { parametersOf } from "pushforward/nn";
import type { Requests, Trajectories } from "./messages.ts";
import { trajectoriesOf } from "./trajectories.ts";
import { WASM } from "./wasm.ts";

/** A planar or radial layer whose parameters the reader sets. */
export class SingleLayer {
  private readonly layer: Planar | Radial;
  private readonly forward;

  constructor(kind: "planar" | "radial") {
    this.layer = new (kind === "planar" ? Planar : Radial)({ features: 2 }, new Random(0));
    this.forward = compile(
      (z: Tensor) => {
        const { value, logDet } = this.layer.forward(z);
        return { position0: value, logDet0: logDet };
      },
      [["N", 2]],
      WASM,
    );
  }

  async toData(values: Requests["layer"]["args"]["values"], points: Float64Array): Promise<Trajectories> {
    const parameters = parametersOf(this.layer);
    for (const [name, numbers] of Object.entries(values))
      parameters.get(`parameters.base.${name}`)!.take(Float32Array.from(numbers));
    return trajectoriesOf(points, (await this.forward(points)) as Readonly<Record<string, Float32Array>>);
  }
}
