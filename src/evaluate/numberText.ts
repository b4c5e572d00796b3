/** 1707 -> "1,707" */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** "1 row", "1,707 rows" */
export const counted = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** A log-density in nats. */
export const nats = (x: number): string =>
  Number.isFinite(x) && Math.abs(x) < 1e6 ? x.toFixed(3) : x.toPrecision(4);
