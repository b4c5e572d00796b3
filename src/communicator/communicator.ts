/**
 * The processes that train one model together, such as those of an MPI job. All of them call the same methods in the same order, with
 * arrays of the same length.
 */
export interface Communicator {
  /** The number of this process, from 0 to `size` - 1. */
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
  /**
   * Replaces the numbers by their sums over all processes. The terms are added in the order of the ranks, so that the sums are the same in
   * each run, and on each process.
   */
  sum(values: Float32Array | Float64Array): Promise<void>;
  /** Replaces the bytes by those of rank 0. */
  broadcast(bytes: Uint8Array): Promise<void>;
}

/** The communicator of a process that trains without others. */
export const SINGLE_PROCESS: Communicator = {
  rank: 0,
  size: 1,
  sum: async () => {},
  broadcast: async () => {},
};

/** Returns the number of rank 0 on all ranks: for decisions that differ between ranks, such as whether the time is up. */
export async function broadcastNumber(communicator: Communicator, value: number): Promise<number> {
  const shared = Float64Array.of(value);
  await broadcastArray(communicator, shared);
  return shared[0]!;
}

/** Returns the numbers that all ranks give, in the order of the ranks. */
export async function gatherNumbers(communicator: Communicator, value: number): Promise<Float64Array> {
  const values = new Float64Array(communicator.size);
  values[communicator.rank] = value;
  await communicator.sum(values);
  return values;
}

/** Replaces the numbers of an array by those of rank 0. */
export const broadcastArray = (communicator: Communicator, array: ArrayBufferView): Promise<void> =>
  communicator.broadcast(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));

/** Returns the bytes of rank 0 on all ranks, which need not know their length; undefined if rank 0 has none. */
export async function broadcastBytes(
  communicator: Communicator,
  bytes: Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  const length = await broadcastNumber(communicator, bytes?.length ?? -1);
  if (length < 0) return undefined;
  const shared = communicator.rank === 0 ? bytes! : new Uint8Array(length);
  await communicator.broadcast(shared);
  return shared;
}
