/** The one error class, checks of options and files by schemas, and suggestions for misspelled names. */

export { brief, type ErrorCode, type ErrorDetails, PushforwardError, shortened } from "./errors.ts";
export { type Limits, limitReached, limitRules } from "./limits.ts";
export { listedNames } from "./listedNames.ts";
export { expandAbbreviation, nearestName } from "./nearestName.ts";
export { count, counted, nats, percent, withDecimals } from "./numberText.ts";
export {
  abortSignal,
  anyValue,
  callback,
  checkOptions,
  finiteNumber,
  integerFrom,
  invalidOption,
  isPlainObject,
  listOfTexts,
  numberAbove,
  numberFrom,
  type OptionRule,
  type OptionRules,
  oneOf,
  required,
  seedValue,
  text,
  trueOrFalse,
} from "./options.ts";
export { parse, unknownNamesDetails } from "./parse.ts";
export { shellQuoted } from "./shellQuoted.ts";
export { claimNumbers, largestSize, requireNumbers, withSizeBudget } from "./sizeBudget.ts";
