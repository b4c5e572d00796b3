/** The processes of an MPI job. */

export { type MpiJob, mpiJob } from "./job.ts";
export { type MpiCommunicator, mpiCommunicator } from "./mpiCommunicator.ts";
