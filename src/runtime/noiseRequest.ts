/**
 * Asks a worker thread, through shared memory, to draw an input instead of reading it. The numbers are 1 to draw it or 0 to read
 * it, the offset of its first number in the stream, and the three numbers of the stream (`Random.stream`).
 */
export type NoiseRequest = Float64Array;
export const NOISE_REQUEST_LENGTH = 5;
