/** A number with a fixed number of decimals, with a minus sign instead of a hyphen. */
export const fixed = (value: number, decimals: number): string => value.toFixed(decimals).replace("-", "−");
