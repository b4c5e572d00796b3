import { checkOptions, invalidOption } from "../options.ts";

const RUN_OPTIONS = ["precision", "providers", "threads"];

/** Checks the options of what computes: those of every run, and the names of others, whose values the caller checks. */
export function checkRunOptions(
  owner: string,
  options: object | undefined,
  others: readonly string[] = [],
): void {
  checkOptions(owner, options, [...RUN_OPTIONS, ...others]);
  const { precision, providers, threads } = (options ?? {}) as Readonly<Record<string, unknown>>;
  const refuse = (name: string, expected: string, value: unknown) => {
    throw invalidOption(owner, name, expected, value);
  };
  if (precision !== undefined && precision !== "float32" && precision !== "float64")
    refuse("precision", '"float32" or "float64"', precision);
  if (threads !== undefined && !(Number.isSafeInteger(threads) && (threads as number) > 0))
    refuse("threads", "1, 2, 3, ...", threads);
  const named = Array.isArray(providers) && providers.every((provider) => typeof provider === "string");
  if (providers !== undefined && !named)
    refuse("providers", 'a list of names, such as ["cuda", "cpu"]', providers);
}

/** Whether an object has names of such options only: it was meant as options, wherever it stands. */
export const areRunOptions = (names: readonly string[]): boolean =>
  names.length > 0 && names.every((name) => RUN_OPTIONS.includes(name));

/** Checks the options of `compile`. */
export function checkCompileOptions(options: object): void {
  checkRunOptions("compile", options, ["batch", "parameterNames", "embedParameters"]);
  const { batch, parameterNames, embedParameters } = options as Readonly<Record<string, unknown>>;
  if (batch !== undefined && !(Number.isSafeInteger(batch) && (batch as number) >= 0))
    throw invalidOption("compile", "batch", "a number of rows", batch);
  if (parameterNames !== undefined && !(parameterNames instanceof Map))
    throw invalidOption("compile", "parameterNames", "a Map from parameters to names", parameterNames);
  if (embedParameters !== undefined && typeof embedParameters !== "boolean")
    throw invalidOption("compile", "embedParameters", "true or false", embedParameters);
}
