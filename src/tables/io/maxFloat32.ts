/** The largest number of float32 (3.4028e38), rounded down for messages. Flows compute in float32. */
export const MAX_FLOAT32 = 3.4e38;
