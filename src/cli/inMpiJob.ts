import { availableParallelism } from "node:os";
import { Writable } from "node:stream";
import { type MpiJob, mpiJob } from "../mpi/job.ts";
import type { FitValues } from "./fitOptions.ts";
import type { Io } from "./io.ts";

/**
 * Calls `work`, with the communicator of the MPI job if this process is one of its ranks. By default, the ranks of one machine divide its cores
 * among them. Only rank 0 prints and draws pictures.
 */
export async function inMpiJob(
  values: FitValues,
  io: Io,
  work: (values: FitValues, io: Io) => Promise<void>,
): Promise<void> {
  const job = mpiJob(io.env);
  if (!job) return work(values, io);
  const { mpiCommunicator } = await import("../mpi/index.ts");
  const threads = values.threads ?? (values.provider ? undefined : threadsPerRank(job));
  const jobValues = { ...values, threads };
  const jobIo = { ...io, communicator: await mpiCommunicator() };
  if (job.rank === 0) return work(jobValues, jobIo);
  await work({ ...jobValues, pictures: undefined }, { ...jobIo, stdout: nowhere(), stderr: nowhere() });
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
