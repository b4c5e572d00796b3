/** 1707 -> "1,707" */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** "1 row", "1,707 rows" */
export const counted = (n: number, thing: string): string => `${count(n)} ${thing}${n === 1 ? "" : "s"}`;

/** A log-density in nats. */
export const nats = (x: number): string =>
  Number.isFinite(x) && Math.abs(x) < 1e6 ? x.toFixed(3) : x.toPrecision(4);

/** Minutes and seconds, with hours where there are some. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** One JSON object in one line. Numbers that JSON cannot hold become `null` (NaN) or strings (`"-Infinity"`). */
export const jsonLine = (object: object): string =>
  `${JSON.stringify(object, (_, value: unknown) =>
    value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? String(value) : value,
  )}\n`;
