import type { Parameter } from "../graph/parameter.ts";

/** Statistics that training steps set, such as those of batch normalization: kept and put back like weights. */
export class RunningStatistics {
  readonly parameters: readonly Parameter[];

  constructor(parameters: ReadonlyMap<string, Parameter>) {
    this.parameters = [...parameters.values()].filter(({ running }) => running);
    // Graphs read them in place.
    for (const parameter of this.parameters) parameter.value = Float32Array.from(parameter.value);
  }

  copy(): Float32Array {
    return Float32Array.from(this.parameters.flatMap(({ value }) => [...value]));
  }

  set(values: Float32Array): void {
    let start = 0;
    for (const { value } of this.parameters) {
      value.set(values.subarray(start, start + value.length));
      start += value.length;
    }
  }
}
