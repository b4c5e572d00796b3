import { mean } from "./mean.ts";

/** The sample variance of numbers, sum (x - mean)² / (n - 1); NaN for fewer than two. */
export function variance(values: ArrayLike<number>, center = mean(values)): number {
  if (values.length < 2) return Number.NaN;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - center) ** 2;
  return squares / (values.length - 1);
}
