import type { Parameter } from "../graph/index.ts";

/** Running statistics that training steps update, such as those of batch normalization. They are saved and restored with the weights. */
export class RunningStatistics {
  readonly parameters: readonly Parameter[];

  constructor(parameters: ReadonlyMap<string, Parameter>) {
    this.parameters = [...parameters.values()].filter(({ running }) => running);
    // Compiled graphs read these arrays in place, so each statistic needs a float32 array that is not replaced.
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
