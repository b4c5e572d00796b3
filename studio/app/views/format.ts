/** The text of a number with a minus sign in place of its hyphen. */
export const withMinus = (text: string): string => text.replace("-", "−");

/** A number with a fixed number of decimals. */
export const fixed = (value: number, decimals: number): string => withMinus(value.toFixed(decimals));
