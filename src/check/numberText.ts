/** 1707 -> "1,707" */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** "1 row", "1,707 rows" */
export const counted = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** A number with this many decimals. What rounds to 0 has no sign: -0.04 -> "0.0" */
export const withDecimals = (x: number, decimals: number): string =>
  x.toFixed(decimals).replace(/^-(?=[0.]*$)/, "");

/** A log-density in nats: three decimals, or four digits for huge numbers. */
export const nats = (x: number): string =>
  Number.isFinite(x) && Math.abs(x) < 1e6 ? withDecimals(x, 3) : x.toPrecision(4);

/** A share as a percentage: "12%", "3.4%", "0%". */
export const percent = (share: number): string =>
  share > 0 && share < 0.001 ? "less than 0.1%" : `${Number((100 * share).toFixed(share < 0.1 ? 1 : 0))}%`;
