import { availableParallelism } from "node:os";
import { Writable } from "node:stream";
import { type MpiJob, mpiJob } from "../mpi/job.ts";
import type { FitValues } from "./fitOptions.ts";
import type { Io } from "./io.ts";

/**
 * Calls `work` in each process of the MPI job in which this process was started, or only in this process if there is no job. Only rank 0
 * prints.
 */
export async function inMpiJob(
  values: FitValues,
  io: Io,
  work: (values: FitValues, io: Io) => Promise<void>,
): Promise<void> {
  const job = mpiJob(io.env);
  if (!job) return work(values, io);
  const { mpiCommunicator } = await import("../mpi/index.ts");
  const ofJob = { ...values, threads: values.threads ?? threadsPerRank(job) };
  const inJob = { ...io, communicator: await mpiCommunicator() };
  if (job.rank === 0) return work(ofJob, inJob);
  await work({ ...ofJob, pictures: undefined }, { ...inJob, stdout: nowhere(), stderr: nowhere() });
}

/** The cores of this machine, divided among its processes. `mpirun` may have bound this process to fewer cores. */
const threadsPerRank = ({ localSize }: MpiJob): number =>
  Math.max(1, Math.floor(availableParallelism() / localSize));

const nowhere = (): Io["stdout"] =>
  new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
