import { integerFrom, listOfTexts, type OptionRules, oneOf } from "../check/index.ts";
import type { Precision } from "../onnx/index.ts";
import type { EngineOptions } from "./engineOptions.ts";

/** The rules of `EngineOptions`. */
export const engineRules: OptionRules<EngineOptions> = {
  providers: { ...listOfTexts, expected: 'a list of names, such as ["cuda", "cpu"]' },
  threads: integerFrom(1),
};

/** The rules of the options that all functions with computations have in common. */
export const runRules: OptionRules<EngineOptions & { precision?: Precision }> = {
  precision: oneOf("float32", "float64"),
  ...engineRules,
};

const RUN_OPTIONS: readonly string[] = Object.keys(runRules);

/** Whether all names are such options, so that an object with these names was meant as options and not as data. */
export const areRunOptions = (names: readonly string[]): boolean =>
  names.length > 0 && names.every((name) => RUN_OPTIONS.includes(name));
