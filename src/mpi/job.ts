/** A program that starts the processes of an MPI job, with the names of the environment variables that it sets for each process. */
interface Launcher {
  /** The MPI library to which the launcher belongs. */
  readonly library: "Open MPI" | "MPICH";
  readonly size: string;
  readonly rank: string;
  readonly localSize: string;
}

const LAUNCHERS: readonly Launcher[] = [
  {
    library: "Open MPI",
    size: "OMPI_COMM_WORLD_SIZE",
    rank: "OMPI_COMM_WORLD_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
  },
  { library: "MPICH", size: "PMI_SIZE", rank: "PMI_RANK", localSize: "MPI_LOCALNRANKS" },
];

/** The place of this process in an MPI job, as the launcher states it. */
export interface MpiJob {
  readonly library: Launcher["library"];
  /** The number of processes. */
  readonly size: number;
  /** The number of this process, from 0 to `size` - 1. */
  readonly rank: number;
  /** The number of processes on this machine. */
  readonly localSize: number;
}

/** The MPI job that `mpirun` started this process for; undefined if it was started otherwise. */
export function mpiJob(env: Readonly<Record<string, string | undefined>>): MpiJob | undefined {
  const launcher = LAUNCHERS.find(({ size, rank }) => env[size] !== undefined && env[rank] !== undefined);
  if (!launcher) return undefined;
  const { library, size, rank, localSize } = launcher;
  return {
    library,
    size: Number(env[size]),
    rank: Number(env[rank]),
    localSize: Number(env[localSize] ?? env[size]),
  };
}
