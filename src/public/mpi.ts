/** `pushforward/mpi`: the processes of an MPI job, in Node. */

export { type MpiCommunicator, mpiCommunicator } from "../mpi/index.ts";
