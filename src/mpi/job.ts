import { PushforwardError } from "../check/index.ts";

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
  /** The number of cores that Slurm reserved for each process (`--cpus-per-task`); undefined if it states none. */
  readonly cpusPerTask: number | undefined;
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
  return {
    library,
    size,
    rank: Number(env[rank]),
    // Read when it is needed, so that only a command that trains fails if it cannot be read.
    get localSize() {
      return localSize !== undefined && env[localSize] !== undefined
        ? wholeNumberIn(env, localSize)
        : (tasksOfNode(env) ?? size);
    },
    get cpusPerTask() {
      return env[CPUS_PER_TASK] === undefined ? undefined : wholeNumberIn(env, CPUS_PER_TASK);
    },
  };
}

const TASKS_PER_NODE = "SLURM_STEP_TASKS_PER_NODE";
const CPUS_PER_TASK = "SLURM_CPUS_PER_TASK";

/** The number of processes that Slurm started on this machine. The numbers of all machines are a list such as 4(x2),3 for 4, 4 and 3. */
function tasksOfNode(env: Environment): number | undefined {
  const list = env[TASKS_PER_NODE];
  if (list === undefined) return undefined;
  let machines = wholeNumberIn(env, "SLURM_NODEID");
  for (const part of list.split(",")) {
    const [, tasks, repetitions = 1] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part) ?? [];
    if (!tasks) throw malformed(TASKS_PER_NODE, "numbers of processes, such as 4(x2),3", list);
    machines -= Number(repetitions);
    if (machines < 0) return Number(tasks);
  }
  throw malformed(TASKS_PER_NODE, `the number of machine ${env.SLURM_NODEID}, counted from 0`, list);
}

function wholeNumberIn(env: Environment, name: string): number {
  const text = env[name] ?? "";
  if (!/^\d+$/.test(text)) throw malformed(name, "an integer", text);
  return Number(text);
}

const malformed = (name: string, expected: string, text: string): PushforwardError =>
  new PushforwardError("ARGUMENT", `the environment variable ${name} cannot be read`, {
    expected,
    received: text === "" ? "nothing" : text,
    hint: "Set the number of threads: --threads 4, or the option threads.",
  });
