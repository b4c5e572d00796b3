/** A program that starts the processes of an MPI job, with the names of the environment variables that it sets for each process. */
interface Launcher {
  /** The MPI library to which the launcher belongs. */
  readonly library: "Open MPI" | "MPICH";
  readonly size: string;
  readonly rank: string;
  readonly localSize?: string;
}

const LAUNCHERS: readonly Launcher[] = [
  {
    library: "Open MPI",
    size: "OMPI_COMM_WORLD_SIZE",
    rank: "OMPI_COMM_WORLD_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
  },
  // Also srun --mpi=pmi2.
  { library: "MPICH", size: "PMI_SIZE", rank: "PMI_RANK", localSize: "MPI_LOCALNRANKS" },
  // srun --mpi=pmix. PMIx itself has no variable for the size.
  { library: "Open MPI", size: "SLURM_STEP_NUM_TASKS", rank: "PMIX_RANK" },
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

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The MPI job of several processes that `mpirun` or `srun` started this process for; undefined if there is none. A process that is the only
 * one of its job needs no MPI.
 */
export function mpiJob(env: Environment): MpiJob | undefined {
  const launcher = LAUNCHERS.find(({ size, rank }) => env[size] !== undefined && env[rank] !== undefined);
  if (!launcher) return undefined;
  const { library, rank, localSize } = launcher;
  const size = Number(env[launcher.size]);
  if (size === 1) return undefined;
  const stated = localSize === undefined ? undefined : env[localSize];
  return {
    library,
    size,
    rank: Number(env[rank]),
    localSize: stated === undefined ? (tasksOfNode(env) ?? size) : Number(stated),
  };
}

/** The number of processes that Slurm started on this machine. The numbers of all machines are a list such as 4(x2),3 for 4, 4 and 3. */
function tasksOfNode({
  SLURM_STEP_TASKS_PER_NODE: list,
  SLURM_NODEID: node,
}: Environment): number | undefined {
  const counts = list?.split(",").flatMap((each) => {
    const [, tasks, nodes = 1] = /^(\d+)(?:\(x(\d+)\))?$/.exec(each) ?? [];
    return new Array<number>(Number(nodes)).fill(Number(tasks));
  });
  return counts?.[Number(node)];
}
