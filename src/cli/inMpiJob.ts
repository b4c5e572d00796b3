import { availableParallelism } from "node:os";
import { type MpiJob, mpiJob } from "../mpi/index.ts";
import type { FitValues } from "./fitOptions.ts";
import { type Io, nullStream } from "./io.ts";

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
  await work({ ...jobValues, pictures: undefined }, { ...jobIo, stdout: nullStream(), stderr: nullStream() });
}

/**
 * The number of threads of a rank. Slurm states how many cores are reserved for each process, and may have bound the process to them. Otherwise
 * the cores that this process may use are divided among the processes of the machine, as if all of them shared these: a process cannot know
 * whether it is bound to cores of its own, and too many threads cost more than too few.
 */
export function threadsPerRank(
  job: Pick<MpiJob, "localSize" | "cpusPerTask">,
  cores = availableParallelism(),
): number {
  return Math.max(1, Math.min(cores, job.cpusPerTask ?? Math.floor(cores / job.localSize)));
}
