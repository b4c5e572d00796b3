import { Random } from "pushforward";
import { ViewedFlow } from "../app/engine/viewedFlow.ts";
import { DEFAULT_SETTING, type Setting } from "../app/setting.ts";

/** A flow with random parameters: those before training, and noise with a standard deviation. */
export function perturbed(change: Partial<Setting>, deviation = 0.3): ViewedFlow {
  const viewed = new ViewedFlow({ ...DEFAULT_SETTING, ...change });
  for (const [name, parameter] of viewed.flow.parameters()) {
    const noise = new Random(2).split(name).normal(new Float64Array(parameter.numbers.length));
    parameter.take(parameter.numbers.map((value, i) => value + deviation * noise[i]!));
  }
  return viewed;
}
