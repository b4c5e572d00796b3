import { expect } from "vitest";

/** Compares typed arrays number by number first: `toEqual` reads each number as a property, which takes seconds for large arrays. */
expect.addEqualityTesters([(a: unknown, b: unknown) => (haveEqualNumbers(a, b) ? true : undefined)]);

const isTypedArray = (value: unknown): value is Float64Array =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

const haveEqualNumbers = (a: unknown, b: unknown): boolean =>
  isTypedArray(a) &&
  isTypedArray(b) &&
  a.constructor === b.constructor &&
  a.length === b.length &&
  a.every((value, i) => Object.is(value, b[i]));
