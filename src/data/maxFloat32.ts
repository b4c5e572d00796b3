/** The largest number, rounded down, that float32 holds. Flows compute in float32. */
export const MAX_FLOAT32 = 3.4e38;
