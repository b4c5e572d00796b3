import type { Pair } from "./terms.ts";

/** A line "left = right" of a formula in TeX. Without a left side it continues the previous line. */
export type Line = readonly [left: string, right: string];

/** A number with three or four digits. */
export function texNumber(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && (size < 5e-4 || size >= 1e5)) {
    const [digits, exponent] = value.toExponential(2).split("e");
    return String.raw`${digits!} \cdot 10^{${Number(exponent)}}`;
  }
  return value.toFixed(size < 10 ? 3 : size < 100 ? 2 : 1);
}

/** A number in nats, with the decimals of the table of the terms of a log-density. */
export const nats = (value: number): string => value.toFixed(3);

/** A sum of numbers in nats. */
export const natsSum = ([first = 0, ...others]: readonly number[]): string =>
  [nats(first), ...others.map((value) => (value < 0 ? `- ${nats(-value)}` : `+ ${nats(value)}`))].join(" ");

/** left - value, or left + |value|. */
export const minus = (left: string, value: number): string =>
  value < 0 ? `${left} + ${texNumber(-value)}` : `${left} - ${texNumber(value)}`;

const argument = (value: number): string => (value < 0 ? `(${texNumber(value)})` : texNumber(value));

/** a b */
export const product = (a: number, b: number): string => String.raw`${texNumber(a)} \cdot ${argument(b)}`;

/** left + a, or left + a b. */
export function plus(left: string, a: number, b?: number): string {
  const sum = minus(left, -a);
  return b === undefined ? sum : String.raw`${sum} \cdot ${argument(b)}`;
}

export const vector = ([first, second]: Pair): string =>
  String.raw`\begin{pmatrix} ${texNumber(first)} \\ ${texNumber(second)} \end{pmatrix}`;
