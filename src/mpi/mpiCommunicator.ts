import { type Communicator, SINGLE_PROCESS } from "../communicator/index.ts";
import { mpiJob } from "./job.ts";
import { loadMpi, type MpiLibrary } from "./library.ts";

/** The processes of an MPI job. */
export interface MpiCommunicator extends Communicator {
  /** Ends the use of MPI. Each process must call it when it no longer needs the other processes; MPI cannot be used again afterwards. */
  finalize(): void;
}

/**
 * Below this size of all messages together, the latency of a second message is larger than the time that it saves by dividing the work.
 */
const MAX_BYTES_IN_ONE_MESSAGE = 2 ** 16;

/**
 * Joins the MPI job for which `mpirun` or `srun` started this process. A program that is started without them is a job of one process, and
 * needs no MPI.
 *
 *     const communicator = await mpiCommunicator();
 *     await fit(flow, rows, { communicator });
 *     if (communicator.rank === 0) await saveModel("model.safetensors", { flow });
 *     communicator.finalize();
 *
 * The calls block their thread. Only one thread may use the communicator. Later calls of this function return the same communicator.
 *
 * @throws DEPENDENCY when the package koffi or the MPI library is not installed.
 */
export function mpiCommunicator(): Promise<MpiCommunicator> {
  joined ??= joinJob();
  return joined;
}

/** A process can initialize MPI only once. */
let joined: Promise<MpiCommunicator> | undefined;

async function joinJob(): Promise<MpiCommunicator> {
  const job = mpiJob(process.env);
  return job ? communicatorOf(await loadMpi(job)) : { ...SINGLE_PROCESS, finalize: () => {} };
}

/**
 * MPI_Allreduce may add in any order, so the sums are computed here: each process receives the terms of its share of the sums (alltoall),
 * adds them in the order of the ranks, and sends the result to all (allgather). Each process sends and receives about twice the size of the
 * array, whatever the number of processes, which is the least that is possible.
 */
function communicatorOf(mpi: MpiLibrary): MpiCommunicator {
  const { rank, size } = mpi;
  const [sent, received] = [new GrowingBuffer(), new GrowingBuffer()];
  return {
    rank,
    size,
    async sum(values) {
      const Floats = values instanceof Float32Array ? Float32Array : Float64Array;
      const { length, BYTES_PER_ELEMENT, byteLength } = values;
      const isSmall = size * byteLength <= MAX_BYTES_IN_ONE_MESSAGE;
      const share = isSmall ? length : Math.ceil(length / size);
      const outgoing = new Floats(sent.ofBytes(size * share * BYTES_PER_ELEMENT), 0, size * share);
      const incoming = new Floats(received.ofBytes(size * share * BYTES_PER_ELEMENT), 0, size * share);
      outgoing.set(values);
      mpi[isSmall ? "allgather" : "alltoall"](outgoing, incoming, share * BYTES_PER_ELEMENT);
      const sums = addParts(incoming, size, outgoing.subarray(0, share));
      if (!isSmall) mpi.allgather(sums, incoming, share * BYTES_PER_ELEMENT);
      values.set((isSmall ? sums : incoming).subarray(0, length));
    },
    async broadcast(bytes) {
      mpi.bcast(bytes, bytes.length);
    },
    finalize: () => mpi.finalize(),
  };
}

/** Sets `sums` to the sum of `count` arrays of the same length, which follow one another in `parts`. */
function addParts<T extends Float32Array | Float64Array>(parts: T, count: number, sums: T): T {
  const { length } = sums;
  sums.set(parts.subarray(0, length));
  for (let k = 1; k < count; k++) {
    for (let i = 0, from = k * length; i < length; i++, from++) sums[i]! += parts[from]!;
  }
  return sums;
}

/** Memory that is allocated again only for larger messages than before. */
class GrowingBuffer {
  private buffer = new ArrayBuffer(0);

  ofBytes(length: number): ArrayBuffer {
    if (this.buffer.byteLength < length) this.buffer = new ArrayBuffer(length);
    return this.buffer;
  }
}
